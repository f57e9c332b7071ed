"""The change feed loses nothing and repeats nothing."""

from __future__ import annotations

from hygie.kernel.database.connection import begin
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.purging import purge
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


async def _feed(repository: Repository, after: Position) -> list[Change]:
    async with repository.database.transaction(system=True) as connection:
        return await read_feed(connection, after)


async def test_a_purge_is_told_after_what_it_removed_and_without_a_content(
    database: ScratchDatabase,
) -> None:
    repository = await open_repository(database.settings, law=LAW)
    start = (await _feed(repository, Position()))[-1:]
    await repository.update(SYSTEM, "Patient", "gone", b'{"resourceType":"Patient","id":"gone"}')
    number = await repository.party_number("Patient/gone")
    follower = await _feed(repository, start[0].position if start else Position())
    assert [(one.rid, one.version, one.purged) for one in follower] == [("gone", 1, False)]
    await purge(repository, number, ["Patient/gone", "Patient/never-there"], why="test")
    told = await _feed(repository, follower[-1].position)
    assert [(one.rt, one.rid, one.version, one.deletion, one.purged) for one in told] == [
        ("Patient", "gone", 0, True, True)
    ]
    late = await _feed(repository, start[0].position if start else Position())
    await repository.database.close()
    assert [(one.rid, one.purged) for one in late] == [("gone", True)]


async def test_the_feed_of_purges_is_shown_to_the_system_only(database: ScratchDatabase) -> None:
    repository = await open_repository(database.settings, law=LAW)
    await repository.update(SYSTEM, "Patient", "away", b'{"resourceType":"Patient","id":"away"}')
    number = await repository.party_number("Patient/away")
    await purge(repository, number, ["Patient/away"], why="test")
    async with repository.database.transaction(parties=[number]) as connection:
        assert await read_feed(connection, Position()) == []
        assert await connection.fetchval("SELECT count(*) FROM resource_purged") == 0
    await repository.database.close()


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
