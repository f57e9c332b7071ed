"""What is sealed is withheld once its patient's keys were destroyed, whoever races with that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys import shred
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.tests.conftest import put
from hygie.kernel.store.tests.test_sealed import LARGE, SMALL, content_of, document, noise
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=LAW)
    for rid in ("ann", "bob"):
        await put(opened, {"resourceType": "Patient", "id": rid})
    yield opened
    await opened.database.close()


async def shred_patient(repository: Repository, patient: str) -> None:
    number = await repository.party_number(f"Patient/{patient}")
    async with repository.database.transaction(system=True) as connection:
        await shred(repository.keyring, connection, number, at=NOW)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_what_was_shredded_is_withheld_everywhere(repository: Repository, size: int) -> None:
    await put(repository, document("d", noise(size)))
    await put(repository, document("d", noise(size, seed=2)))
    await put(repository, document("other", noise(size), "bob"))
    await shred_patient(repository, "ann")
    assert await content_of(repository, "d") is None
    first = await repository.vread(SYSTEM, "DocumentReference", "d", version=1)
    assert b'"data"' not in (first.body or b"")
    found = await repository.search(SYSTEM, "DocumentReference", [("subject", "Patient/ann")])
    assert [b'"data"' in (entry.stored.body or b"") for entry in found.entries] == [False]
    assert await content_of(repository, "other") == noise(size)


async def test_new_documents_after_a_shredding_are_readable(repository: Repository) -> None:
    await put(repository, document("old", b"old"))
    await shred_patient(repository, "ann")
    await put(repository, document("new", b"new"))
    assert await content_of(repository, "old") is None
    assert await content_of(repository, "new") == b"new"


async def test_writes_that_race_with_a_shredding_are_read_or_erased(
    repository: Repository,
) -> None:
    """Whatever was acknowledged before the destruction is gone, whatever after is readable."""

    async def write(number: int) -> tuple[int, bool]:
        await put(repository, document(f"d{number}", b"%d" % number))
        return number, done.is_set()

    done = asyncio.Event()
    await put(repository, document("first", b"first"))
    before = [asyncio.create_task(write(number)) for number in range(40)]
    await asyncio.sleep(0.01)
    await shred_patient(repository, "ann")
    done.set()
    after = [asyncio.create_task(write(number)) for number in range(40, 60)]
    for number, _ in await asyncio.gather(*before):
        assert await content_of(repository, f"d{number}") in {None, b"%d" % number}
    for number, _ in await asyncio.gather(*after):
        assert await content_of(repository, f"d{number}") == b"%d" % number
    assert await content_of(repository, "first") is None


async def test_no_read_of_a_document_succeeds_after_its_shredding(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    other = await open_repository(fresh_database.settings, law=LAW)
    late: list[str] = []
    for number in range(8):
        rid = f"p{number}"
        await put(repository, {"resourceType": "Patient", "id": rid})
        await put(repository, document(rid, b"secret", rid))
        acknowledged = asyncio.Event()

        async def read(
            each: Repository, rid: str = rid, done: asyncio.Event = acknowledged
        ) -> None:
            while True:
                began_after = done.is_set()
                if await content_of(each, rid) is None:
                    return
                if began_after:
                    late.append(rid)
                    return

        readers = [asyncio.create_task(read(each)) for each in (repository, other)]
        await asyncio.sleep(0.01)
        await shred_patient(repository, rid)
        acknowledged.set()
        await asyncio.gather(*readers)
    await other.database.close()
    assert late == []
