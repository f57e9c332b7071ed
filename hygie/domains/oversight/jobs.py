"""The daily job; it looks every hour whether a day is complete and not scored yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.oversight.service import daily
from hygie.kernel.clock import SystemClock

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

EVERY = 3600.0


async def review_days(platform: Platform) -> None:
    """Score the complete days and gather declared emergencies."""
    if platform.repository is not None:
        await daily.run(platform.repository, at=SystemClock().now())
