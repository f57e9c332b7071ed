"""From a page's thread to the engine's loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.errors import NotFound, Unavailable
from hygie.kernel.platform import Platform
from hygie.kernel.web.bridge import Bridge


async def test_a_page_gets_the_result_of_a_coroutine() -> None:
    bridge = _bridge()

    async def work() -> int:
        return 4

    assert await asyncio.to_thread(bridge.run, work()) == 4


async def test_a_refusal_of_the_kernel_reaches_the_page() -> None:
    async def work() -> int:
        raise NotFound("Nothing is there.")

    with pytest.raises(NotFound):
        await asyncio.to_thread(_bridge().run, work())


async def test_a_kernel_that_is_too_slow_is_cancelled_and_said_unavailable() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            cancelled.set()

    with pytest.raises(Unavailable):
        await asyncio.to_thread(_bridge(timeout=0.05).run, work())
    await asyncio.wait_for(cancelled.wait(), 1)


def _bridge(timeout: float = 5.0) -> Bridge:
    platform = Platform(Settings(data=Path("unused")))
    return Bridge(asyncio.get_running_loop(), platform, timeout=timeout)
