from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec
import pytest

from hygie.kernel.audit.tests.conftest import Connect
from hygie.kernel.audit.trace import Trace, ensure_partitions, write
from hygie.kernel.database import roles

if TYPE_CHECKING:
    from asyncpg import Connection

REQUEST = UUID("0c2f1c9e-6f0a-4a53-9a0e-6d4b8d9a7f10")
READ = Trace(
    request=REQUEST,
    kind=2,
    party=5,
    agent="Practitioner/5f0c0000-0000-4000-8000-000000000000",
    purpose="TREAT",
    interaction="read",
    outcome=200,
    rule="care-team",
    pat=7,
    rt=3,
    uid=UUID("11111111-1111-4111-8111-111111111111"),
    ver=2,
    peer="192.0.2.7",
)
SEARCH = Trace(REQUEST, 0, 0, "system", "HOPERAT", "search-type", 200, "system", query=b"a=\xff")


async def test_what_is_written_is_read_again(app: Connection) -> None:
    await write(app, [READ, SEARCH])
    rows = await app.fetch("SELECT * FROM trace ORDER BY id")
    for row, sent in zip(rows, [READ, SEARCH], strict=True):
        kept = {name: row[name] for name in Trace.__struct_fields__}
        kept["peer"] = str(kept["peer"]) if kept["peer"] else None
        assert kept == msgspec.structs.asdict(sent)


async def test_ids_follow_the_order_of_the_rows(app: Connection) -> None:
    rows = [msgspec.structs.replace(READ, ver=version) for version in range(50)]
    await write(app, rows)
    stored = await app.fetch("SELECT ver FROM trace ORDER BY id")
    assert [row["ver"] for row in stored] == list(range(50))


async def test_no_row_writes_nothing(app: Connection) -> None:
    await write(app, [])
    assert await app.fetchval("SELECT count(*) FROM trace") == 0


async def test_a_trace_falls_with_its_transaction(app: Connection) -> None:
    transaction = app.transaction()
    await transaction.start()
    await write(app, [READ])
    await transaction.rollback()
    assert await app.fetchval("SELECT count(*) FROM trace") == 0


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE trace SET outcome = 404",
        "UPDATE trace SET place = 1",
        "DELETE FROM trace",
        "TRUNCATE trace",
        "DELETE FROM trace_default",
        "INSERT INTO trace_leaf VALUES (0, 0, now(), '', '')",
        "INSERT INTO trace_head VALUES (0, now(), '', '')",
        "UPDATE trace_tree SET size = 0",
        "SELECT ensure_trace_partition('2000-01-01')",
        "ALTER TABLE trace DISABLE ROW LEVEL SECURITY",
    ],
)
@pytest.mark.parametrize("role", [roles.APP, roles.LOADER])
async def test_the_application_cannot_change_the_log(
    connect: Connect, role: str, attack: str
) -> None:
    connection = await connect(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(attack)


@pytest.mark.parametrize("attack", ["UPDATE trace SET outcome = 404", "DELETE FROM trace"])
async def test_the_sequencer_cannot_change_what_was_traced(connect: Connect, attack: str) -> None:
    connection = await connect(roles.SEQUENCER)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(attack)


async def test_the_belt_shows_a_caller_their_own_data_and_acts(app: Connection) -> None:
    of_another = msgspec.structs.replace(READ, party=6, pat=8)
    await write(app, [READ, of_another])
    await app.execute("SET hygie.system = 'false'")
    for party, seen in ((7, 1), (5, 1), (8, 1), (9, 0)):
        await app.execute(f"SET hygie.parties = '{{{party}}}'")
        assert await app.fetchval("SELECT count(*) FROM trace") == seen


async def test_the_belt_is_closed_where_nobody_is_named(connect: Connect) -> None:
    nobody = await connect(roles.APP)
    await write(nobody, [READ])
    with pytest.raises((asyncpg.DataError, asyncpg.UndefinedObjectError)):
        await nobody.fetch("SELECT * FROM trace")


async def test_a_late_partition_receives_what_the_default_one_caught(
    owner: Connection, app: Connection
) -> None:
    days = "2031-01-31 23:59:59.999999Z, 2031-02-01Z, 2031-02-28 23:59Z, 2031-03-01Z"
    await owner.execute(
        "INSERT INTO trace (at, request, kind, outcome, interaction, purpose, rule) "
        "SELECT at, gen_random_uuid(), 0, 200, 'read', 'TREAT', 'system' "
        f"FROM unnest('{{{days}}}'::timestamptz[]) at"
    )
    await owner.execute("SELECT ensure_trace_partition('2031-02-17')")
    await owner.execute("SELECT ensure_trace_partition('2031-02-03')")
    assert await owner.fetchval("SELECT count(*) FROM trace_2031_02") == 2
    assert await owner.fetchval("SELECT count(*) FROM trace_default") == 2
    assert await app.fetchval("SELECT count(*) FROM trace") == 4
    await owner.execute("DROP TABLE trace_2031_02")


@pytest.mark.parametrize("day", [date(2032, 1, 31), date(2032, 12, 1)])
async def test_this_month_and_the_next_have_partitions(connect: Connect, day: date) -> None:
    sequencer = await connect(roles.SEQUENCER)
    await ensure_partitions(sequencer, today=day)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    for month in (day, following):
        assert await sequencer.fetchval(f"SELECT to_regclass('trace_{month:%Y_%m}')")


async def test_partitions_are_made_while_others_write(connect: Connect) -> None:
    owner, first, second = [
        await connect(role) for role in (roles.OWNER, roles.SEQUENCER, roles.SEQUENCER)
    ]
    writers = [await connect(roles.APP) for _ in range(3)]
    today = datetime.now(UTC).date()

    async def append(writer: Connection) -> None:
        for _ in range(20):
            await write(writer, [READ] * 5)

    for _ in range(5):
        await owner.execute(f"TRUNCATE trace; DROP TABLE IF EXISTS trace_{today:%Y_%m}")
        await asyncio.gather(
            *map(append, writers),
            ensure_partitions(first, today=today),
            ensure_partitions(second, today=today),
        )
        assert await first.fetchval("SELECT count(*) FROM trace") == 300
        assert await owner.fetchval("SELECT count(*) FROM trace_default") == 0
