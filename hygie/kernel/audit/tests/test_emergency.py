from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from hygie.kernel.audit import alarms, emergency, sequencer, trace
from hygie.kernel.audit.checkpoint import load_or_create_key
from hygie.kernel.audit.merging import merge
from hygie.kernel.audit.spool import Spool, read
from hygie.kernel.audit.tests.test_sequencer import KEY, checked
from hygie.kernel.audit.tests.test_trace import READ, SEARCH
from hygie.kernel.audit.trace import Flag, write
from hygie.kernel.clock import SystemClock
from hygie.kernel.database import folders, roles
from hygie.kernel.errors import InvalidRequest, Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect

OUTAGE = "REVOKE INSERT (request) ON trace FROM hygie_app"
REPAIR = "GRANT INSERT (request) ON trace TO hygie_app"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Return the data folder that this process spools into."""
    emergency.arm(tmp_path)
    yield tmp_path
    emergency.disarm()


@pytest.fixture
async def outage(owner: Connection) -> None:
    """Let the application read and no longer trace."""
    await owner.execute(OUTAGE)


@pytest.fixture(autouse=True)
async def repaired(owner: Connection) -> None:
    await owner.execute(REPAIR)


@pytest.fixture
async def placer(connect: Connect) -> Connection:
    return await connect(roles.SEQUENCER)


def begin(data: Path, *, hours: float = 1) -> None:
    emergency.turn_on(data, reason="Disk of the log full", hours=hours, at=datetime.now(UTC))


def spools(data: Path) -> list[Path]:
    return sorted((data / "spool").glob("*.spool"))


@pytest.mark.usefixtures("outage", "data")
async def test_what_cannot_be_traced_is_refused(app: Connection) -> None:
    with pytest.raises(Unavailable, match="nothing is shown"):
        await write(app, [READ])


@pytest.mark.usefixtures("outage")
async def test_in_an_emergency_the_transaction_goes_on_and_the_spool_holds_the_trace(
    app: Connection, data: Path
) -> None:
    begin(data)
    async with app.transaction():
        await write(app, [READ, SEARCH])
        assert await app.fetchval("SELECT 1") == 1
    await write(app, [READ])
    (path,) = spools(data)
    key = load_or_create_key(folders.keys(data), emergency.KEY_FILE).public_key()
    assert len(read(path, key).lines) == 3
    assert path.stat().st_mode & 0o777 == 0o600


async def test_in_an_emergency_a_log_that_works_is_used(app: Connection, data: Path) -> None:
    begin(data)
    async with app.transaction():
        await write(app, [READ])
    await write(app, [READ])
    assert await app.fetchval("SELECT count(*) FROM trace") == 2
    assert [path.stat().st_size for path in spools(data)] == [0]


async def test_a_locked_log_is_an_outage(app: Connection, owner: Connection, data: Path) -> None:
    begin(data)
    async with owner.transaction():
        await owner.execute("LOCK TABLE trace IN ACCESS EXCLUSIVE MODE")
        async with app.transaction():
            await write(app, [READ])
    assert spools(data)[0].stat().st_size


@pytest.mark.usefixtures("outage")
async def test_an_emergency_ends_by_itself_and_by_hand(app: Connection, data: Path) -> None:
    emergency.turn_on(
        data, reason="over", hours=1, at=datetime.now(UTC) - timedelta(hours=1, seconds=1)
    )
    with pytest.raises(Unavailable):
        await write(app, [READ])
    begin(data)
    await write(app, [READ])
    emergency.turn_off(data)
    with pytest.raises(Unavailable):
        await write(app, [READ])


@pytest.mark.parametrize(("reason", "hours"), [("", 1), ("fire", 0), ("fire", 25), ("fire", -1)])
def test_an_emergency_has_a_reason_and_an_end(tmp_path: Path, reason: str, hours: float) -> None:
    with pytest.raises(InvalidRequest):
        emergency.turn_on(tmp_path, reason=reason, hours=hours, at=datetime.now(UTC))


@pytest.mark.usefixtures("outage")
async def test_a_merged_spool_is_flagged_in_the_log_which_is_whole(
    app: Connection, owner: Connection, placer: Connection, data: Path
) -> None:
    begin(data)
    before = datetime.now(UTC)
    await write(app, [READ, msgspec.structs.replace(SEARCH, pats=[7, 9])])
    assert await merge(placer, data) == 2
    await owner.execute(REPAIR)
    await write(app, [READ])
    await sequencer.sequence(placer, KEY)
    rows = await placer.fetch("SELECT flags, at, pats, peer FROM trace ORDER BY place")
    assert [row["flags"] for row in rows] == [Flag.SPOOLED, Flag.SPOOLED, 0]
    assert before <= rows[0]["at"] <= rows[2]["at"]
    assert rows[1]["pats"] == [7, 9]
    assert (await checked(placer)).is_whole


@pytest.mark.usefixtures("outage")
async def test_a_spool_is_merged_once_and_removed_when_it_is_closed(
    app: Connection, placer: Connection, data: Path
) -> None:
    begin(data)
    await write(app, [READ])
    assert [await merge(placer, data), await merge(placer, data)] == [1, 0]
    await write(app, [READ])
    emergency.turn_off(data)
    assert emergency.spool() is None
    assert await merge(placer, data) == 1
    assert not spools(data)
    assert await placer.fetchval("SELECT count(*) FROM trace") == 2


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"number":2', b'"number":2 '))


def drop_the_second(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[:1] + lines[2:]))


def swap(path: Path) -> None:
    first, second, *rest = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([second, first, *rest]))


def insert(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"AAAA {}\n")


@pytest.mark.usefixtures("outage")
@pytest.mark.parametrize(
    ("tamper", "kept"), [(edit, 2), (drop_the_second, 1), (swap, 0), (insert, 3)]
)
async def test_a_changed_spool_is_an_alarm_and_is_set_aside(
    app: Connection, placer: Connection, data: Path, tamper: object, kept: int
) -> None:
    begin(data)
    for _ in range(3):
        await write(app, [READ])
    assert callable(tamper)
    tamper(spools(data)[0])
    assert await merge(placer, data) == kept
    assert [alarm.kind for alarm in await alarms.standing(placer)] == ["spool"]
    assert not spools(data)
    assert len(list((data / "spool").glob("*.changed"))) == 1


@pytest.mark.usefixtures("outage")
async def test_an_end_removed_after_it_was_merged_is_an_alarm(
    app: Connection, placer: Connection, data: Path
) -> None:
    begin(data)
    await write(app, [READ, READ])
    await merge(placer, data)
    path = spools(data)[0]
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")
    await merge(placer, data)
    assert [alarm.kind for alarm in await alarms.standing(placer)] == ["spool"]


def test_a_full_spool_refuses_and_stays_whole(tmp_path: Path) -> None:
    """F08."""
    key = load_or_create_key(tmp_path, "key")
    spool = Spool.create(tmp_path, key, SystemClock(), most=1_000)
    line = msgspec.json.encode(READ)
    spool.write([line])
    with pytest.raises(Unavailable, match="takes no more"):
        spool.write([line, line])
    assert len(read(spool.path, key.public_key()).lines) == 1
    spool.close()


def test_a_disk_without_room_refuses_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F08: the disk takes half of the block, then none of it, then all."""
    key = load_or_create_key(tmp_path, "key")
    spool = Spool.create(tmp_path, key, SystemClock())
    line, whole = msgspec.json.encode(READ), os.write

    def full(file: int, block: bytes) -> int:
        raise OSError(28, "No space left on device")

    for refusing in (full, lambda file, block: whole(file, block[: len(block) // 2])):
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", refusing)
            with pytest.raises(Unavailable):
                spool.write([line])
    spool.write([line])
    assert len(read(spool.path, key.public_key()).lines) == 1
    spool.close()


async def test_outside_an_emergency_nothing_is_asked_of_the_transaction(
    app: Connection, data: Path
) -> None:
    await write(app, [READ])
    seen: list[str] = []
    app.add_query_logger(lambda record: seen.append(record.query))
    await write(app, [READ])
    await asyncio.sleep(0)
    assert len(seen) == 1
    assert not spools(data)


async def test_reads_are_refused_when_nobody_signs_the_log_for_too_long(
    app: Connection, owner: Connection, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F26: the key of the log is gone, its sequencer with it."""
    await write(app, [READ])
    await owner.execute("UPDATE trace SET at = at - interval '2 hours'")
    monkeypatch.setattr(trace, "ASK_EVERY", 0)
    with pytest.raises(Unavailable, match="not signed"):
        await write(app, [READ])
    begin(data)
    await write(app, [READ])
    assert await app.fetchval("SELECT count(*) FROM trace") == 2
