"""What the hub does beside requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.context.service import topics
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


async def forget(platform: Platform) -> None:
    """Forget the sessions that are over."""
    database = await Database.open(platform.settings, role=roles.APP, size=1)
    try:
        await topics.forget(database)
    finally:
        await database.close()
