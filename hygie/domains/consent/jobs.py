"""Background work: announce after the delay, follow events, tell people, count years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.consent.service import announcing, memberships, notices, retention
from hygie.kernel.clock import SystemClock
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform
    from hygie.kernel.store import Repository

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def register(platform: Platform) -> None:
    """Let each job run by itself."""
    platform.add_job("consent.announce", announce, every=HOUR)
    platform.add_job("consent.follow_events", follow_events, every=MINUTE)
    platform.add_job("consent.tell", tell, every=MINUTE)
    platform.add_job("consent.ended_memberships", tell_of_ended_memberships, every=DAY)
    platform.add_job("consent.retention", propose_destructions, every=DAY)


async def announce(platform: Platform) -> None:
    """Show the person what waited for its announcement longer than the delay."""
    await announcing.announce(_repository(platform), at=SystemClock().now())


async def follow_events(platform: Platform) -> None:
    """Start and end memberships of the care team by appointments, orders and stays."""
    await memberships.follow_events(_repository(platform), at=SystemClock().now())


async def tell(platform: Platform) -> None:
    """Tell people of first accesses, emergencies, new documents and prolonged memberships."""
    repository, at = _repository(platform), SystemClock().now()
    await notices.tell_of_accesses(repository, at=at)
    await notices.tell_of_documents(repository, at=at)
    await notices.tell_of_prolonged_memberships(repository, at=at)


async def tell_of_ended_memberships(platform: Platform) -> None:
    """Tell people who left their care team because the time was over."""
    await notices.tell_of_ended_memberships(_repository(platform), at=SystemClock().now())


async def propose_destructions(platform: Platform) -> None:
    """Propose the destruction of closed records whose retention is over."""
    await retention.propose_destructions(_repository(platform), at=SystemClock().now())


def _repository(platform: Platform) -> Repository:
    if platform.repository is None:
        raise Unavailable("Hygie is starting. Try again in a moment.")
    return platform.repository
