"""Bring the pages' tables and static files up to date: ``python -m hygie.supervisor.preparation``.

A process of its own, so that the supervisor never holds Django and the whole application.
"""

from __future__ import annotations

from hygie.app import compose
from hygie.kernel.config import Settings, settings_from_environment
from hygie.kernel.database import server
from hygie.kernel.web import portal
from hygie.supervisor import journal


def prepare_pages(settings: Settings) -> None:
    """Run Django's migrations and gather the static files; the kernel's migrations ran before."""
    portal.prepare(compose(settings), dsn=server.dsn(settings))


if __name__ == "__main__":
    chosen = settings_from_environment()
    journal.set_up(chosen.log)
    prepare_pages(chosen)
