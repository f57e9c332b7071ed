"""Background work: keys that rotate, sign-outs that are told, what expired and is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from hygie.kernel.database import server
from hygie.kernel.web import bridge, portal

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


async def rotate_keys(platform: Platform) -> None:
    """Make the next signing keys where it is time, and forget those that retired."""
    await _in_pages(platform, lambda: _service("keeping").rotate())


async def tell_sign_outs(platform: Platform) -> None:
    """Tell applications of the sessions that ended."""
    await _in_pages(platform, lambda: _service("leaving").tell_applications())


async def forget_what_expired(platform: Platform) -> None:
    """Forget requests, codes, launches and tokens that can no longer be used."""
    await _in_pages(platform, lambda: _service("keeping").forget())


def _service(name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  a module
    return import_module(f"hygie.domains.authorization.service.{name}")


async def _in_pages(platform: Platform, work: Callable[[], object]) -> None:
    """Run work of the pages in a thread, as a page would: Django on one side, the kernel on ours.

    A platform that serves no pages has no tables of them, and nothing to do.
    """
    if platform.settings.only == "api":
        return
    portal.configure(platform, dsn=server.dsn(platform.settings))
    bridge.install(bridge.Bridge(asyncio.get_running_loop(), platform))

    def done() -> None:
        try:
            work()
        finally:
            portal.close()

    await asyncio.to_thread(done)
