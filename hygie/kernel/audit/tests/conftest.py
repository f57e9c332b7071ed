from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import asyncpg
import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.session import SEARCH_PATH
from hygie.testing.database import ScratchDatabase

if TYPE_CHECKING:
    from asyncpg import Connection

Connect = Callable[[str], Awaitable["Connection"]]
TABLES = (
    "trace, trace_leaf, trace_node, trace_head, trace_cosignature, trace_timestamp, trace_key, "
    "trace_spool, trace_alarm, trace_tree, party, care_relation"
)


@pytest.fixture
def dsn(database: ScratchDatabase) -> str:
    return database.dsn


@pytest.fixture
async def connect(dsn: str) -> AsyncIterator[Connect]:
    """Return a maker of connections by role; the log is empty at the start of each test."""
    opened: list[Connection] = []

    async def connect(role: str) -> Connection:
        connection = await asyncpg.connect(
            dsn, server_settings={"role": role, "search_path": SEARCH_PATH}
        )
        opened.append(connection)
        return connection

    owner = await connect(roles.OWNER)
    await owner.execute(f"TRUNCATE {TABLES}; INSERT INTO trace_tree DEFAULT VALUES")
    yield connect
    for connection in opened:
        await connection.close()


@pytest.fixture
async def owner(connect: Connect) -> Connection:
    return await connect(roles.OWNER)


@pytest.fixture
async def app(connect: Connect) -> Connection:
    """Return a connection of the application, with the belt open as for ``system``."""
    app = await connect(roles.APP)
    await app.execute("SET hygie.system = 'true'; SET hygie.parties = '{}'")
    return app
