"""The daily job; it looks every hour whether a day is complete and not scored yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.oversight.service import daily
from hygie.domains.oversight.service.forgetting import forget_the_erased
from hygie.domains.oversight.service.settling import settle
from hygie.kernel.clock import SystemClock

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

EVERY = 3600.0


async def review_days(platform: Platform) -> None:
    """Score the complete days, gather emergencies, settle what was decided, forget the erased."""
    if platform.repository is not None:
        now = SystemClock().now()
        await daily.run(platform.repository, at=now)
        await settle(platform.repository, at=now)
        await forget_the_erased(platform.repository)
