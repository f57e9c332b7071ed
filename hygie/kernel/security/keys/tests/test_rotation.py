from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.keyring import KeyName, Keyring, about
from hygie.kernel.security.keys.port import KeyPort, Wrapped
from hygie.kernel.security.keys.rotation import destroy_superseded, rewrap, rotate
from hygie.kernel.security.keys.seal import Place

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PATIENTS = range(1, 60)


def message(patient: int) -> Place:
    return Place(patient, 0, uuid.UUID(int=patient), 1)


async def versions_in_use(keyring: Keyring) -> set[int]:
    async with keyring.database.connection() as connection:
        rows = await connection.fetch("SELECT DISTINCT kek FROM hygie_keys.patient_key")
    return {row["kek"] for row in rows}


async def sealed_for_all(keyring: Keyring) -> dict[int, bytes]:
    return {n: await keyring.seal(b"text %d" % n, message(n)) for n in PATIENTS}


async def test_every_key_is_wrapped_anew_and_no_content_changes(
    keyring: Keyring, port: FileKeys
) -> None:
    sealed = await sealed_for_all(keyring)
    assert await rotate(keyring.database, port, at=NOW) == len(PATIENTS)
    assert await versions_in_use(keyring) == {2}
    fresh = Keyring(keyring.database, port, ledger=keyring.ledger)
    for patient, text in sealed.items():
        assert await fresh.unseal(text, message(patient)) == b"text %d" % patient


async def test_reads_and_writes_go_on_during_a_rotation(keyring: Keyring, port: FileKeys) -> None:
    sealed = await sealed_for_all(keyring)
    done = asyncio.Event()

    async def work(start: int) -> int:
        count = 0
        ring = Keyring(keyring.database, port, ledger=keyring.ledger, ttl=0.001)
        while not done.is_set() or not count:
            for patient in PATIENTS:
                assert await ring.unseal(sealed[patient], message(patient))
                await ring.seal(b"new", message(start + count))
                count += 1
        return count

    workers = [asyncio.create_task(work(start)) for start in (1_000, 50_000)]
    for _ in range(3):
        await asyncio.sleep(0.02)
        await rotate(keyring.database, port, at=NOW)
    done.set()
    assert min(await asyncio.gather(*workers)) > 0
    await rewrap(keyring.database, port, at=NOW)
    assert await versions_in_use(keyring) == {4}


class _Interrupted(FileKeys):
    """Stops after some keys, as a machine does."""

    left = 0

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("stopped")
        return super().unwrap(wrapped, about=about)


async def test_an_interrupted_rotation_goes_on(
    keyring: Keyring, port: FileKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hygie.kernel.security.keys.rotation.AT_ONCE", 10)
    sealed = await sealed_for_all(keyring)
    stopping = _Interrupted(port.folder)
    stopping.left = 25
    with pytest.raises(Unavailable, match="stopped"):
        await rotate(keyring.database, stopping, at=NOW)
    assert await versions_in_use(keyring) == {1, 2}
    for patient, text in sealed.items():
        assert await keyring.unseal(text, message(patient))
    assert await rewrap(keyring.database, port, at=NOW) == len(PATIENTS) - 20
    assert await versions_in_use(keyring) == {2}


async def test_a_superseded_key_is_destroyed_after_its_retention(
    keyring: Keyring, port: KeyPort
) -> None:
    sealed = await keyring.seal(b"text", message(1))
    await rotate(keyring.database, port, at=NOW)
    almost = NOW + timedelta(days=34)
    assert await destroy_superseded(keyring.database, port, at=almost) == []
    assert port.versions() == [1, 2]
    assert await destroy_superseded(keyring.database, port, at=NOW + timedelta(days=35)) == [1]
    assert port.versions() == [2]
    assert await keyring.unseal(sealed, message(1)) == b"text"


async def test_a_copy_of_the_keys_from_before_opens_nothing_once_they_are_destroyed(
    keyring: Keyring, port: KeyPort
) -> None:
    await keyring.latest([1])
    async with keyring.database.connection() as connection:
        row = await connection.fetchrow("SELECT id, kek, wrapped FROM hygie_keys.patient_key")
    assert row is not None
    copy, meant = Wrapped(row["kek"], row["wrapped"]), about(KeyName(1, 1), row["id"])
    assert port.unwrap(copy, about=meant)
    await rotate(keyring.database, port, at=NOW)
    await destroy_superseded(keyring.database, port, at=NOW, kept=timedelta(0))
    with pytest.raises(Unavailable):
        port.unwrap(copy, about=meant)


async def test_a_new_key_is_never_wrapped_by_a_destroyed_one(
    keyring: Keyring, port: FileKeys
) -> None:
    await rotate(keyring.database, port, at=NOW)
    late = _Late(port.folder)
    await destroy_superseded(keyring.database, port, at=NOW, kept=timedelta(0))
    ring = Keyring(keyring.database, late, ledger=keyring.ledger)
    with pytest.raises(Unavailable, match="being changed; retry"):
        await ring.latest([1])
    assert (await keyring.latest([1]))[1].name.version == 1


class _Late(FileKeys):
    """Wrapped its key before the destruction and stores it after."""

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        return super().wrap(key, about=about)._replace(version=1)
