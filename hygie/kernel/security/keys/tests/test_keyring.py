from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.keyring import KeyName, Keyring
from hygie.kernel.security.keys.ledger import Ledger
from hygie.kernel.security.keys.seal import Place
from hygie.testing.database import ScratchDatabase
from hygie.testing.keys import RemoteKeys

MESSAGE = Place(7, 0, uuid.UUID(int=1), 1)


@pytest.fixture
def remote(tmp_path: Path) -> RemoteKeys:
    return RemoteKeys(tmp_path / "kek")


@pytest.fixture
def far(keyring: Keyring, remote: RemoteKeys, ledger: Ledger) -> Keyring:
    """Give a keyring whose key service can be stopped."""
    return Keyring(keyring.database, remote, ledger=ledger, patience=0.2)


async def test_a_patient_gets_one_key_and_keeps_it(keyring: Keyring, port: FileKeys) -> None:
    first = (await keyring.latest([7]))[7]
    again = Keyring(keyring.database, port, ledger=keyring.ledger)
    second = (await again.latest([7]))[7]
    assert (first.name, second.name) == (KeyName(7, 1), KeyName(7, 1))
    assert first.sealer.hash(b"x") == second.sealer.hash(b"x")


async def test_patients_have_different_keys(keyring: Keyring) -> None:
    keys = await keyring.latest([7, 8, 0])
    assert len({key.sealer.hash(b"x") for key in keys.values()}) == 3


async def test_processes_that_make_a_key_at_once_get_the_same(
    keyring: Keyring, port: FileKeys
) -> None:
    rings = [Keyring(keyring.database, port, ledger=keyring.ledger) for _ in range(8)]
    keys = await asyncio.gather(*(ring.latest([7]) for ring in rings))
    assert len({key[7].sealer.hash(b"x") for key in keys}) == 1


async def test_a_message_is_sealed_and_opened(keyring: Keyring) -> None:
    sealed = await keyring.seal("à bientôt".encode(), MESSAGE)
    assert await keyring.unseal(sealed, MESSAGE) == "à bientôt".encode()


async def test_a_message_opens_for_its_patient_only(keyring: Keyring) -> None:
    await keyring.latest([8])
    sealed = await keyring.seal(b"text", MESSAGE)
    with pytest.raises(Unavailable):
        await keyring.unseal(sealed, MESSAGE._replace(patient=8))


@pytest.mark.parametrize("length", [0, 1, 3, 10, 40])
async def test_a_message_cut_short_is_refused(keyring: Keyring, length: int) -> None:
    sealed = await keyring.seal(b"text", MESSAGE)
    with pytest.raises(Unavailable):
        await keyring.unseal(sealed[:length], MESSAGE)


async def test_a_key_that_was_never_made_is_missing_and_not_erased(keyring: Keyring) -> None:
    with pytest.raises(Unavailable, match="is missing: restore the keys"):
        await keyring.find([KeyName(99, 1)])


async def test_a_wrapped_key_moved_to_another_patient_does_not_open(
    keyring: Keyring, port: FileKeys, fresh_database: ScratchDatabase
) -> None:
    await keyring.latest([7, 8])
    with connect(fresh_database.dsn, role=roles.OWNER) as session:
        session.execute(
            "UPDATE hygie_keys.patient_key k SET wrapped = o.wrapped"
            " FROM hygie_keys.patient_key o WHERE k.patient = 7 AND o.patient = 8"
        )
    with pytest.raises(Unavailable):
        await Keyring(keyring.database, port, ledger=keyring.ledger).find([KeyName(7, 1)])


async def test_known_keys_outlive_a_stopped_service_and_others_wait(
    far: Keyring, remote: RemoteKeys
) -> None:
    sealed = await far.seal(b"text", MESSAGE)
    remote.stopped = True
    assert await far.unseal(sealed, MESSAGE) == b"text"
    with pytest.raises(Unavailable, match="key service does not answer"):
        await far.latest([8])
    remote.stopped = False
    assert await far.latest([8])


async def test_a_slow_service_is_not_waited_for(far: Keyring, remote: RemoteKeys) -> None:
    remote.delay = 0.4
    with pytest.raises(Unavailable, match="key service does not answer"):
        await far.latest([7])


async def test_an_unwrapped_key_is_forgotten_after_its_time(
    keyring: Keyring, remote: RemoteKeys, ledger: Ledger
) -> None:
    ring = Keyring(keyring.database, remote, ledger=ledger, ttl=0.05)
    await ring.latest([7])
    await ring.latest([7])
    before = remote.asked
    await asyncio.sleep(0.06)
    await ring.latest([7])
    assert (before, remote.asked) == (1, 2)


async def test_requests_cannot_read_the_keys(data: Database) -> None:
    async with data.connection() as connection:
        with pytest.raises(Exception, match="permission denied for schema hygie_keys"):
            await connection.fetch("SELECT * FROM hygie_keys.patient_key")


async def test_the_keys_role_cannot_read_records(keyring: Keyring) -> None:
    async with keyring.database.connection() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.fetch("SELECT * FROM hygie.resource")
