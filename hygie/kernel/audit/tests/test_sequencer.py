from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import sequencer
from hygie.kernel.audit.checkpoint import Signer
from hygie.kernel.audit.export import export
from hygie.kernel.audit.merkle import root_of
from hygie.kernel.audit.tests.conftest import Connect
from hygie.kernel.audit.tests.test_trace import READ, SEARCH
from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError
from hygie.testing.database import ScratchDatabase
from hygie_verify.note import VerifierKey
from hygie_verify.walk import Report, verify

if TYPE_CHECKING:
    from asyncpg import Connection

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def key_of(_origin: str, _handed_to: str | None) -> Ed25519PrivateKey:
    return KEY


@pytest.fixture
async def placer(connect: Connect) -> Connection:
    return await connect(roles.SEQUENCER)


def reads(count: int, *, first: int = 0) -> list[Trace]:
    return [msgspec.structs.replace(READ, ver=first + index) for index in range(count)]


async def checked(placer: Connection, *known: str) -> Report:
    """Return what the verifier says of an export, with the key of the log trusted."""
    origin = await placer.fetchval("SELECT origin FROM trace_tree")
    key = VerifierKey.parse(Signer(origin, KEY).verifier_key)
    return verify([line async for line in export(placer, KEY)], key=key, known=known)


async def versions_in_order(placer: Connection) -> list[int]:
    rows = await placer.fetch("SELECT ver FROM trace WHERE place IS NOT NULL ORDER BY place")
    return [row["ver"] for row in rows]


async def last_head(placer: Connection) -> str:
    head: str = await placer.fetchval("SELECT checkpoint FROM trace_head ORDER BY size DESC")
    return head


async def test_nothing_pending_signs_nothing(placer: Connection) -> None:
    assert await sequencer.sequence(placer, KEY) == 0
    assert await placer.fetchval("SELECT count(*) FROM trace_head") == 0


async def test_traces_take_places_in_the_order_of_their_ids(
    app: Connection, placer: Connection
) -> None:
    await write(app, reads(7))
    assert [await sequencer.sequence(placer, KEY, batch=3) for _ in range(4)] == [3, 3, 1, 0]
    assert await versions_in_order(placer) == list(range(7))


async def test_the_signed_root_is_the_root_of_the_leaves(
    app: Connection, placer: Connection
) -> None:
    await write(app, reads(10))
    await sequencer.sequence(placer, KEY)
    leaves = await placer.fetch("SELECT leaf_hash FROM trace_leaf ORDER BY place")
    head = await placer.fetchrow("SELECT size, root FROM trace_head")
    assert head is not None
    assert (head["size"], head["root"]) == (10, root_of([row["leaf_hash"] for row in leaves]))


async def test_a_late_commit_takes_a_later_place_and_delays_nobody(
    app: Connection, connect: Connect, placer: Connection
) -> None:
    slow = await connect(roles.APP)
    transaction = slow.transaction()
    await transaction.start()
    await write(slow, reads(2))
    await write(app, reads(2, first=2))
    await sequencer.sequence(placer, KEY)
    await transaction.commit()
    await sequencer.sequence(placer, KEY)
    assert await versions_in_order(placer) == [2, 3, 0, 1]
    assert (await checked(placer)).is_whole


async def test_a_second_sequencer_waits_for_nothing(
    app: Connection, connect: Connect, placer: Connection
) -> None:
    await write(app, reads(2))
    other = await connect(roles.SEQUENCER)
    async with other.transaction():
        await other.execute("SELECT FROM trace_tree FOR UPDATE")
        assert await sequencer.sequence(placer, KEY) == 0
    assert await sequencer.sequence(placer, KEY) == 2


async def test_concurrent_sequencers_and_writers_give_each_trace_one_place(
    connect: Connect, placer: Connection
) -> None:
    writers = [await connect(roles.APP) for _ in range(3)]
    placers = [placer, await connect(roles.SEQUENCER)]

    async def place(connection: Connection) -> None:
        for _ in range(40):
            await sequencer.sequence(connection, KEY, batch=17)

    async def append(connection: Connection) -> None:
        for first in range(0, 200, 5):
            await write(connection, reads(5, first=first))

    await asyncio.gather(*map(append, writers), *map(place, placers))
    while await sequencer.sequence(placer, KEY):
        pass
    report = await checked(placer)
    assert report.is_whole
    assert report.leaves == 600


async def test_an_export_of_every_kind_of_trace_is_whole(
    app: Connection, placer: Connection
) -> None:
    await write(app, [READ, SEARCH, msgspec.structs.replace(SEARCH, detail="été \U0001f9ea \x01")])
    await sequencer.sequence(placer, KEY)
    await write(app, reads(3))
    await sequencer.sequence(placer, KEY)
    report = await checked(placer, await last_head(placer))
    assert report.is_whole
    assert (report.leaves, report.heads) == (6, 2)


async def test_the_export_of_an_empty_log_is_whole(placer: Connection) -> None:
    assert (await checked(placer)).is_whole


async def test_an_erased_body_keeps_the_log_whole(
    app: Connection, owner: Connection, placer: Connection
) -> None:
    await write(app, reads(5))
    await sequencer.sequence(placer, KEY)
    await owner.execute(
        "UPDATE trace SET salt = NULL, uid = NULL, party = NULL, pat = NULL, ver = NULL, "
        "agent = NULL, peer = NULL, detail = NULL, query = NULL WHERE place = 2"
    )
    report = await checked(placer)
    assert report.is_whole
    assert report.erased == 1


TAMPERING = {
    "edit a body": "UPDATE trace SET pat = 8 WHERE place = 3",
    "edit a header": "UPDATE trace SET rule = 'emergency' WHERE place = 3",
    "move an instant": "UPDATE trace SET at = at + interval '1 us' WHERE place = 3",
    "edit a body and its leaf": "UPDATE trace SET pat = 8 WHERE place = 3; "
    "UPDATE trace_leaf SET body_hash = sha256('x') WHERE place = 3",
    "delete a trace": "DELETE FROM trace WHERE place = 3",
    "delete a trace and its leaf": "DELETE FROM trace WHERE place = 3; "
    "DELETE FROM trace_leaf WHERE place = 3",
    "delete from the middle and renumber": "DELETE FROM trace WHERE place = 3; "
    "DELETE FROM trace_leaf WHERE place = 3; UPDATE trace SET place = place - 1 WHERE place > 3; "
    "UPDATE trace_leaf SET place = place - 1 WHERE place = 4;"
    "UPDATE trace_leaf SET place = place - 1 WHERE place = 5",
    "swap two places": "UPDATE trace SET place = 7 - place WHERE place IN (3, 4)",
    "swap two leaves": "UPDATE trace SET place = 7 - place WHERE place IN (3, 4);"
    "UPDATE trace_leaf SET place = -1 WHERE place = 3;"
    "UPDATE trace_leaf SET place = 3 WHERE place = 4;"
    "UPDATE trace_leaf SET place = 4 WHERE place = -1",
    "insert a trace at a taken place": "INSERT INTO trace SELECT copy.* FROM trace, "
    "jsonb_populate_record(trace, '{\"id\": 999999}') AS copy WHERE trace.place = 3",
    "insert a trace at a free place": "INSERT INTO trace (place, request, kind, outcome, "
    "interaction, purpose, rule) VALUES (99, gen_random_uuid(), 0, 200, 'read', 'TREAT', 'x')",
    "drop all heads": "DELETE FROM trace_head",
    "drop the last head": "DELETE FROM trace_head WHERE size = 6",
    "cut the tail": "DELETE FROM trace WHERE place > 3; DELETE FROM trace_leaf WHERE place > 3",
    "cut the tail and its heads": "DELETE FROM trace WHERE place > 3; "
    "DELETE FROM trace_leaf WHERE place > 3; DELETE FROM trace_head WHERE size > 4",
    "edit a head": "UPDATE trace_head SET checkpoint = replace(checkpoint, E'\\n6\\n', E'\\n7\\n')",
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_what_a_superuser_changes_is_seen(
    app: Connection, owner: Connection, placer: Connection, name: str
) -> None:
    for first in (0, 2, 4):
        await write(app, reads(2, first=first))
        await sequencer.sequence(placer, KEY)
    kept_elsewhere = await last_head(placer)
    assert (await checked(placer, kept_elsewhere)).is_whole
    await owner.execute(TAMPERING[name])
    assert (await checked(placer, kept_elsewhere)).faults


async def test_nothing_is_signed_with_another_key_than_before(
    app: Connection, placer: Connection
) -> None:
    await write(app, reads(2))
    await sequencer.sequence(placer, KEY)
    await write(app, reads(2))
    with pytest.raises(ConfigurationError, match="restore that key"):
        await sequencer.sequence(placer, Ed25519PrivateKey.generate())
    assert await sequencer.sequence(placer, KEY) == 2


async def test_nothing_is_signed_after_a_changed_head(
    app: Connection, owner: Connection, placer: Connection
) -> None:
    await write(app, reads(2))
    await sequencer.sequence(placer, KEY)
    await owner.execute("DELETE FROM trace_head")
    await write(app, reads(2))
    with pytest.raises(ConfigurationError, match="last signed head"):
        await sequencer.sequence(placer, KEY)


async def test_a_trace_has_its_place_within_a_second(
    app: Connection, placer: Connection, dsn: str
) -> None:
    database = await Database.open(dsn, role=roles.SEQUENCER, size=1)
    stop = asyncio.Event()
    running = asyncio.create_task(sequencer.run(database, key_of, stop))
    try:
        await asyncio.sleep(0.3)
        await write(app, [READ])
        written = time.monotonic()
        while not await placer.fetchval("SELECT count(*) FROM trace_head"):
            assert time.monotonic() - written < 1
            await asyncio.sleep(0.02)
    finally:
        stop.set()
        await running
        await database.close()


async def test_a_running_sequencer_makes_the_partitions_to_come(
    owner: Connection, dsn: str
) -> None:
    class NewYearsEve:
        def now(self) -> datetime:
            return datetime(2033, 12, 31, 12, tzinfo=UTC)

    database = await Database.open(dsn, role=roles.SEQUENCER, size=1)
    stop = asyncio.Event()
    running = asyncio.create_task(sequencer.run(database, key_of, stop, clock=NewYearsEve()))
    async with asyncio.timeout(5):
        while not await owner.fetchval("SELECT to_regclass('trace_2034_01')"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await running
    await database.close()
    assert await owner.fetchval("SELECT to_regclass('trace_2033_12')")


async def test_a_sequencer_outlives_a_lost_database(
    app: Connection, placer: Connection, database: ScratchDatabase
) -> None:
    opened = await Database.open(database.dsn, role=roles.SEQUENCER, size=1)
    stop = asyncio.Event()
    running = asyncio.create_task(sequencer.run(opened, key_of, stop))
    await asyncio.sleep(0.3)
    with connect(database.admin_dsn) as admin:
        ended = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "datname = current_database() AND application_name = 'hygie' "
            "AND pid <> pg_backend_pid()"
        ).fetchall()
    assert len(ended) == 1
    await write(app, [READ])
    async with asyncio.timeout(10):
        while not await placer.fetchval("SELECT count(*) FROM trace_head"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    stop.set()
    await running
    await opened.close()
