"""The job that tells people of helps that begin and end, and of children who come of age."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.helping.service.news import put_notices
from hygie.kernel.clock import SystemClock
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

NAME = "helping.tell"
EVERY = 60.0
"""Seconds between two looks."""


async def tell(platform: Platform) -> None:
    """Put the notices of what happened since yesterday; each is put once.

    Raises:
        Unavailable: the database is not ready yet.
    """
    if platform.repository is None:
        raise Unavailable("The database is not ready yet.")
    await put_notices(platform.repository, at=SystemClock().now())
