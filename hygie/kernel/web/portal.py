"""Compose the portal of this process: configure Django, prepare its tables, serve it from ASGI."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from hygie.kernel.web.bridge import Bridge, install
from hygie.kernel.web.settings import django_settings
from hygie.kernel.web.wsgi import WsgiBridge

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

log = logging.getLogger(__name__)
THREADS = 6
_CONFIGURING = threading.Lock()
"""Several background jobs may want Django at once; who comes second waits until it is ready."""


def configure(platform: Platform, *, dsn: str) -> None:
    """Configure Django for this process, once.

    ``dsn`` is the connection string of the database; its user may take ``hygie_portal``.
    """
    import django  # noqa: PLC0415  the engine alone (--only api) never imports Django
    from django.conf import settings as django_conf  # noqa: PLC0415

    with _CONFIGURING:
        if django_conf.configured:
            return
        django_conf.configure(**django_settings(platform.settings, platform, dsn=dsn))
        django.setup()


def prepare(platform: Platform, *, dsn: str) -> None:
    """Bring the portal's tables and static files up to date; run by one process before serving.

    The numbered migrations of the kernel made the schema ``portal`` and its role before.
    """
    configure(platform, dsn=dsn)
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    close()
    log.info("portal.prepared")


def close() -> None:
    """Close the connections of the pages; the last thing their process does with them."""
    from django.db import connections  # noqa: PLC0415  after configure

    connections.close_all()
    for connection in connections.all(initialized_only=True):
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()


def serve(platform: Platform, *, dsn: str) -> WsgiBridge:
    """Return the ASGI callable of the pages; called on the engine's running loop."""
    configure(platform, dsn=dsn)
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    install(Bridge(asyncio.get_running_loop(), platform))
    return WsgiBridge(
        get_wsgi_application(), threads=THREADS, trusted_proxies=platform.settings.trusted_proxies
    )
