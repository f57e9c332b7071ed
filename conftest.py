"""Fixtures that every tests folder may use."""

pytest_plugins = ("hygie.testing.database",)
