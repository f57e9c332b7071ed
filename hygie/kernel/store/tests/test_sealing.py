"""What an earlier version stored in clear is sealed in place."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator

import pytest

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.database.session import connect
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.codec import Codec
from hygie.kernel.store.sealing import seal_all
from hygie.kernel.store.tests.conftest import put
from hygie.kernel.store.tests.test_sealed import (
    LARGE,
    SMALL,
    content_of,
    document,
    everything_at_rest,
    files,
    noise,
)
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

RT = 33


@pytest.fixture
async def old(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give a repository as an earlier version left it: three documents and an earlier version."""
    repository = await open_repository(fresh_database.settings, law=LAW)
    await put(repository, {"resourceType": "Patient", "id": "ann"})
    await put(repository, {"resourceType": "Patient", "id": "ann", "active": True})
    for rid, content in (
        ("small", noise(SMALL)),
        ("large", noise(LARGE)),
        ("large", noise(LARGE, 2)),
        ("same", noise(LARGE)),
    ):
        await put(repository, document(rid, content))
    for path in files(fresh_database.settings.data):
        path.unlink()
    for table, rid, version, content in (
        ("resource", "small", 1, noise(SMALL)),
        ("resource_history", "large", 1, noise(LARGE)),
        ("resource", "large", 2, noise(LARGE, 2)),
        ("resource", "same", 1, noise(LARGE)),
    ):
        _as_before(fresh_database, table, (rid, version), content)
    with connect(fresh_database.admin_dsn) as session:
        session.execute("TRUNCATE hygie_keys.patient_key")
    yield repository
    await repository.database.close()


def _as_before(
    database: ScratchDatabase, table: str, version: tuple[str, int], content: bytes
) -> None:
    text, digest = base64.b64encode(content).decode(), hashlib.sha256(content).digest()
    rid, number = version
    if len(text) >= 64 * 1024:
        path = BlobStore(database.settings.data / "blobs").path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        text = "hygie-blob:" + digest.hex()
    body = (
        f'{{"resourceType":"DocumentReference","id":"{rid}","status":"current","subject":'
        f'{{"reference":"Patient/ann"}},"content":[{{"attachment":{{"data":"{text}"}}}}]}}'
    )
    with connect(database.admin_dsn) as session:
        session.execute(
            f"UPDATE hygie.{table} SET body = %s WHERE rid = %s AND ver = %s".encode(),
            (Codec({}).compress(RT, body.encode()), rid, number),
        )
        session.execute(
            "UPDATE hygie.blob_use b SET digest = %s FROM hygie.resource_key k"
            " WHERE k.rid = %s AND b.key = k.key AND b.ver = %s",
            (digest, rid, number),
        )


async def versions(repository: Repository) -> list[bytes | None]:
    read = [
        await repository.vread(SYSTEM, "DocumentReference", rid, version=number)
        for rid, number in (("small", 1), ("large", 1), ("large", 2), ("same", 1))
    ]
    return [one.body for one in read]


async def test_plain_documents_are_still_read(old: Repository) -> None:
    assert await content_of(old, "small") == noise(SMALL)
    assert await content_of(old, "large") == noise(LARGE, 2)


async def test_they_are_sealed_and_read_as_before(
    old: Repository, fresh_database: ScratchDatabase
) -> None:
    before = await versions(old)
    assert noise(LARGE)[100:200] in everything_at_rest(fresh_database)
    done = await seal_all(old)
    assert (done.versions, done.files) == (4, 2)
    assert await versions(old) == before
    kept = everything_at_rest(fresh_database)
    for content in (noise(LARGE), noise(LARGE, 2), noise(SMALL)):
        assert content[100:200] not in kept
        assert base64.b64encode(content)[400:460] not in kept
    assert {len(path.name) for path in files(fresh_database.settings.data)} == {32}
    with connect(fresh_database.admin_dsn) as session:
        row = session.execute("SELECT max(octet_length(digest)) FROM hygie.blob_use").fetchone()
    assert row == (16,)


async def test_a_second_run_finds_nothing(old: Repository) -> None:
    await seal_all(old)
    done = await seal_all(old)
    assert (done.versions, done.files) == (0, 0)
