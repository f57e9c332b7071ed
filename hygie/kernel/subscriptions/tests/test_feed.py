"""The change feed loses nothing and repeats nothing."""

from __future__ import annotations

from hygie.kernel.database.connection import begin
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import open_repository
from hygie.kernel.subscriptions.feed import Change, Position, read_feed
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

RAW = b'{"resourceType":"Basic","code":{"text":"x"}}'


async def test_the_feed_tells_each_version_once_in_order(database: ScratchDatabase) -> None:
    repository = await open_repository(database.settings, law=LAW)
    written = (await repository.create(SYSTEM, "Basic", RAW)).stored
    await repository.update(SYSTEM, "Basic", written.rid, written.body or b"")
    await repository.delete(SYSTEM, "Basic", written.rid)
    async with repository.database.transaction(system=True) as connection:
        seen: list[Change] = []
        position = Position()
        while batch := await read_feed(connection, position, limit=1):
            seen += batch
            position = batch[-1].position
    await repository.database.close()
    assert [(change.version, change.deletion) for change in seen] == [
        (1, False),
        (2, False),
        (3, True),
    ]


async def test_a_transaction_that_commits_late_is_not_lost(database: ScratchDatabase) -> None:
    repository = await open_repository(database.settings, law=LAW)
    async with repository.database.connection() as slow:
        await slow.execute(begin(system=True))
        await slow.execute("SELECT pg_current_xact_id()")  # an older transaction, still running
        young = (await repository.create(SYSTEM, "Basic", RAW)).stored
        async with repository.database.transaction(system=True) as connection:
            before = await read_feed(connection, Position())
        assert young.rid not in [change.rid for change in before]
        await slow.execute("COMMIT")
    async with repository.database.transaction(system=True) as connection:
        after = await read_feed(connection, Position())
    await repository.database.close()
    assert young.rid in [change.rid for change in after]
