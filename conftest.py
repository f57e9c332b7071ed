"""Fixtures that every tests folder may use."""

pytest_plugins = ("hygie.testing.database", "hygie.testing.service", "hygie.testing.portal", "hygie.testing.browser")
