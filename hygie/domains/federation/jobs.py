"""Background work: destroy what waited too long."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from hygie.kernel.database import server
from hygie.kernel.web import portal

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

FORGET = "federation.forget"
EVERY = 3600.0


async def forget(platform: Platform) -> None:
    """Destroy the traits of cases that nobody decided, and sign-ins that were never finished."""
    if platform.settings.only != "api":  # the pages, and so their tables, are elsewhere
        await asyncio.to_thread(_forget, platform)


def _forget(platform: Platform) -> None:
    portal.configure(platform, dsn=server.dsn(platform.settings))
    # The models can be imported once Django is configured.
    from django.db import connections  # noqa: PLC0415

    try:
        import_module("hygie.domains.federation.service.queue").forget_old()
    finally:
        connections.close_all()
