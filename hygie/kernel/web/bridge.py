"""The one way from a page (a thread) to the kernel (a coroutine on the engine's loop)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, TypeVar

from hygie.kernel.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform
    from hygie.kernel.store import Repository

T = TypeVar("T")
TIMEOUT = 10.0
"""Seconds a page waits for the kernel before it says that it is busy."""


class Bridge:
    """Runs coroutines of the kernel on its loop for the threads that serve pages."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, platform: Platform, *, timeout: float = TIMEOUT
    ) -> None:
        self.platform = platform
        self._loop = loop
        self._timeout = timeout

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Return the result of ``work``, run on the engine's loop; called from a page's thread.

        Raises:
            Unavailable: the kernel did not answer in time; the work is cancelled.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(self._timeout)
        except FutureTimeoutError as late:
            # A TimeoutError of the work itself is not ours to translate.
            if future.done():
                raise
            future.cancel()
            raise Unavailable("The record did not answer in time. Try again.") from late


_installed: list[Bridge] = []


def install(bridge: Bridge) -> None:
    """Make ``bridge`` the one that pages of this process use."""
    _installed[:] = [bridge]


def current() -> Bridge:
    """Return the installed bridge.

    Raises:
        ConfigurationError: pages are served before the application was composed.
    """
    if not _installed:
        raise ConfigurationError("The pages are served before the bridge is installed.")
    return _installed[0]


def ask(work: Coroutine[object, object, T]) -> T:
    """Run a service's coroutine from a page and return its result."""
    return current().run(work)


def repository() -> Repository:
    """Return the repository of the running application.

    Raises:
        Unavailable: the database is not ready yet.
    """
    found = current().platform.repository
    if found is None:
        raise Unavailable("Hygie is starting. Try again in a moment.")
    return found


def platform() -> Platform:
    """Return the register of the running application."""
    return current().platform
