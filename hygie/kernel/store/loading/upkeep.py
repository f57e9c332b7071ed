"""After a load: fresh statistics for PostgreSQL's planner and for our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import OWNER
from hygie.kernel.errors import Unavailable
from hygie.kernel.store.statistics import refresh

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

TABLES = "resource, resource_key, s_string, s_date, s_number, care_relation, practice, party"


async def analyze(dsn: str, loader: Connection) -> None:
    """Analyze the tables as their owner, then note how frequent tokens are.

    Where the connection may not take the owner's role, autovacuum does it within minutes.
    """
    try:
        database = await Database.open(dsn, role=OWNER, size=1)
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError, Unavailable):
        return
    try:
        async with database.connection() as connection:
            await connection.execute(f"ANALYZE {TABLES}")
    finally:
        await database.close()
    await refresh(loader)
