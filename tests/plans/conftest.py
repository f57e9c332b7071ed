"""A store of many rows under the rules of the product, made once a module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from hygie.app import compose
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import APP, LOADER, OWNER
from hygie.testing.crowd import gather
from hygie.testing.database import ScratchDatabase, ScratchServer
from hygie.testing.plans import World


@pytest.fixture(scope="module")
def crowded(database_server: ScratchServer) -> Iterator[ScratchDatabase]:
    made = database_server.create()
    yield made
    database_server.drop(made)


@pytest.fixture(scope="module")
async def world(crowded: ScratchDatabase) -> AsyncIterator[World]:
    policies = compose(crowded.settings).law.policies
    loader = await Database.open(crowded.dsn, role=LOADER, size=1)
    app = await Database.open(crowded.dsn, role=APP, size=1)
    async with loader.connection() as bare, app.connection() as belted:
        crowd = await gather(bare, patients=2_000, team=200, rows=40_000)
        async with crowded.open(role=OWNER, size=1) as owner, owner.connection() as connection:
            await connection.execute("VACUUM ANALYZE")
        yield World(crowd, policies, belted, bare)
    await app.close()
    await loader.close()


@pytest.fixture
async def opened(world: World) -> AsyncIterator[World]:
    yield world
    await world.belted.execute("ROLLBACK")
