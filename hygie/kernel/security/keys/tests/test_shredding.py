from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, Gone, InvalidRequest
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.keyring import Keyring, hold
from hygie.kernel.security.keys.ledger import NAME, Erasure, Ledger
from hygie.kernel.security.keys.seal import Place
from hygie.kernel.security.keys.shredding import record_removal, repeat, shred
from hygie.testing.database import ScratchDatabase

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
MESSAGE = Place(7, 0, uuid.UUID(int=1), 1)


@asynccontextmanager
async def open_transaction(data: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    async with data.connection() as connection, connection.transaction():
        yield connection


async def shred_now(keyring: Keyring, data: Database, patient: int = 7) -> Erasure:
    async with open_transaction(data) as connection:
        return await shred(keyring, connection, patient, at=NOW, resources=["Binary/b"])


async def test_what_was_sealed_is_gone_in_every_process(
    keyring: Keyring, data: Database, port: FileKeys
) -> None:
    sealed = await keyring.seal(b"text", MESSAGE)
    other = Keyring(keyring.database, port, ledger=keyring.ledger)
    assert await other.unseal(sealed, MESSAGE) == b"text"
    await shred_now(keyring, data)
    for ring in (keyring, other, Keyring(keyring.database, port, ledger=keyring.ledger)):
        with pytest.raises(Gone, match="was erased"):
            await ring.unseal(sealed, MESSAGE)


async def test_the_others_keep_theirs(keyring: Keyring, data: Database) -> None:
    place = MESSAGE._replace(patient=8)
    sealed = await keyring.seal(b"text", place)
    await shred_now(keyring, data)
    assert await keyring.unseal(sealed, place) == b"text"


async def test_what_is_written_later_has_a_new_key(keyring: Keyring, data: Database) -> None:
    await keyring.seal(b"text", MESSAGE)
    await shred_now(keyring, data)
    sealed = await keyring.seal(b"new", MESSAGE)
    assert await keyring.unseal(sealed, MESSAGE) == b"new"
    assert (await keyring.latest([7]))[7].name.version == 2


async def test_no_wrapped_key_is_left_in_the_table(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    await keyring.latest([7])
    await shred_now(keyring, data)
    with connect(fresh_database.dsn, role=roles.OWNER) as session:
        row = session.execute("SELECT wrapped, destroyed FROM hygie_keys.patient_key").fetchone()
    assert row == (None, NOW)


async def test_the_ledger_names_keys_and_no_person(keyring: Keyring, data: Database) -> None:
    await keyring.latest([7])
    erasure = await shred_now(keyring, data)
    assert (erasure.number, erasure.patient, erasure.resources) == (1, 7, ("Binary/b",))
    assert [key.version for key in erasure.keys] == [1]
    assert keyring.ledger.read() == [erasure]


async def test_a_removal_is_recorded_and_destroys_nothing(keyring: Keyring) -> None:
    sealed = await keyring.seal(b"text", MESSAGE)
    erasure = await record_removal(keyring, 7, at=NOW, resources=["Binary/b"])
    assert (erasure.keys, keyring.ledger.read()) == ((), [erasure])
    assert await keyring.unseal(sealed, MESSAGE) == b"text"


async def test_the_data_of_nobody_is_not_shredded(keyring: Keyring, data: Database) -> None:
    with pytest.raises(InvalidRequest):
        await shred_now(keyring, data, patient=0)


async def test_many_erasures_at_once_make_one_chain(keyring: Keyring, data: Database) -> None:
    await keyring.latest(range(1, 9))
    await asyncio.gather(*(shred_now(keyring, data, patient) for patient in range(1, 9)))
    erasures = keyring.ledger.read()
    assert [erasure.number for erasure in erasures] == list(range(1, 9))
    assert {erasure.patient for erasure in erasures} == set(range(1, 9))


async def test_a_write_in_flight_is_finished_before_the_destruction(
    keyring: Keyring, data: Database
) -> None:
    async with open_transaction(data) as writing:
        await hold(writing, [7])
        sealed = await keyring.seal(b"text", MESSAGE)
        shredding = asyncio.create_task(shred_now(keyring, data))
        await asyncio.sleep(0.1)
        assert await keyring.unseal(sealed, MESSAGE) == b"text"
        assert not shredding.done()
    await shredding
    with pytest.raises(Gone):
        await keyring.unseal(sealed, MESSAGE)


async def test_no_read_succeeds_after_an_acknowledged_destruction(
    keyring: Keyring, data: Database, port: FileKeys
) -> None:
    """Readers race with the destruction; each notes whether it began after the answer."""
    late: list[bytes] = []
    for patient in range(100, 130):
        place = MESSAGE._replace(patient=patient)
        sealed = await keyring.seal(b"secret", place)
        rings = [keyring, Keyring(keyring.database, port, ledger=keyring.ledger)]
        acknowledged = asyncio.Event()

        async def read(
            ring: Keyring, place: Place = place, sealed: bytes = sealed,
            acknowledged: asyncio.Event = acknowledged,
        ) -> None:  # fmt: skip
            while True:
                began_after = acknowledged.is_set()
                try:
                    found = await ring.unseal(sealed, place)
                except Gone:
                    return
                if began_after:
                    late.append(found)
                    return

        readers = [asyncio.create_task(read(ring)) for ring in rings]
        await asyncio.sleep(0.003)
        await shred_now(keyring, data, patient)
        acknowledged.set()
        await asyncio.gather(*readers)
    assert late == []


async def test_an_older_copy_of_the_keys_is_shredded_again(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    sealed = await keyring.seal(b"text", MESSAGE)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("CREATE TABLE old AS SELECT * FROM hygie_keys.patient_key")
    await shred_now(keyring, data)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("TRUNCATE hygie_keys.patient_key, hygie_keys.erasure")
        session.execute("INSERT INTO hygie_keys.patient_key SELECT * FROM old")
    assert await keyring.unseal(sealed, MESSAGE) == b"text"
    late = repeat(fresh_database.dsn, keyring.ledger)
    assert [erasure.patient for erasure in late] == [7]
    with pytest.raises(Gone):
        await keyring.unseal(sealed, MESSAGE)
    assert not repeat(fresh_database.dsn, keyring.ledger)


async def test_a_copy_older_than_the_key_knows_that_it_was_erased(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    sealed = await keyring.seal(b"text", MESSAGE)
    await shred_now(keyring, data)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("TRUNCATE hygie_keys.patient_key, hygie_keys.erasure")
    repeat(fresh_database.dsn, keyring.ledger)
    with pytest.raises(Gone):
        await keyring.unseal(sealed, MESSAGE)


async def test_a_number_that_came_again_is_another_patient(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    await keyring.seal(b"old", MESSAGE)
    await shred_now(keyring, data)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("TRUNCATE hygie_keys.patient_key, hygie_keys.erasure")
    sealed = await keyring.seal(b"new", MESSAGE)
    repeat(fresh_database.dsn, keyring.ledger)
    assert await keyring.unseal(sealed, MESSAGE) == b"new"


async def test_numbers_given_before_are_not_given_again(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    await shred_now(keyring, data, patient=500)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("TRUNCATE hygie_keys.erasure")
    repeat(fresh_database.dsn, keyring.ledger)
    with connect(fresh_database.admin_dsn) as session:
        row = session.execute(
            "INSERT INTO hygie.party (rt, uid) VALUES (1, gen_random_uuid()) RETURNING num"
        ).fetchone()
    assert row == (501,)


async def test_a_file_that_missed_the_last_lines_is_brought_up_to_date(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase, tmp_path: Path
) -> None:
    await shred_now(keyring, data)
    second = Ledger(tmp_path / "elsewhere" / NAME)
    repeat(fresh_database.dsn, second)
    assert second.read() == keyring.ledger.read()


async def test_a_changed_ledger_stops_the_start(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    await shred_now(keyring, data)
    (path,) = keyring.ledger.paths
    path.write_text(path.read_text().replace('"patient":7', '"patient":8'))
    with pytest.raises(ConfigurationError, match="contradict each other"):
        repeat(fresh_database.dsn, keyring.ledger)


async def test_the_table_of_erasures_is_only_added_to(
    keyring: Keyring, data: Database, fresh_database: ScratchDatabase
) -> None:
    await shred_now(keyring, data)
    with (
        connect(fresh_database.dsn, role=roles.OWNER) as session,
        pytest.raises(Exception, match="only added to"),
    ):
        session.execute("DELETE FROM hygie_keys.erasure")
