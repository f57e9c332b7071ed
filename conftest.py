"""Fixtures that every tests folder may use."""

pytest_plugins = (
    "hygie.testing.database",
    "hygie.testing.service",
    "hygie.testing.portal",
    "hygie.testing.browser",
    "hygie.testing.walking",
)

# Django must be configured before these are imported; they hold no doctest.
collect_ignore = [
    f"hygie/domains/sign_in/{name}.py" for name in ("orm", "pages", "policy", "service")
]
