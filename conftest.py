"""Fixtures that every tests folder may use."""

pytest_plugins = (
    "hygie.testing.database",
    "hygie.testing.service",
    "hygie.testing.simulators.serving",
    "hygie.testing.cards",
    "hygie.testing.portal",
    "hygie.testing.browser",
    "hygie.testing.walking",
)

CARD_SERVICES = ("accounts", "attempts", "challenges")
# Django must be configured before these are imported; they hold no doctest.
collect_ignore = [
    *(f"hygie/domains/sign_in/{name}" for name in ("orm.py", "policy.py", "pages", "service")),
    *(
        f"hygie/domains/federation/{name}.py"
        for name in ("orm", "service/accounts", "service/attempts", "service/leaving")
    ),
    *(f"hygie/domains/federation/{name}" for name in ("service/queue.py", "pages")),
    *(
        f"hygie/domains/cards/{name}"
        for name in ("orm.py", "pages", *(f"service/{one}.py" for one in CARD_SERVICES))
    ),
    *(f"hygie/domains/authorization/{name}" for name in ("orm", "service", "pages", "api")),
    *(f"hygie/domains/helping/{name}" for name in ("orm.py", "service", "pages", "jobs.py")),
]
