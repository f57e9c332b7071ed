"""Documents at rest: sealed for their place, never garbage."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.config import Settings
from hygie.kernel.database import roles
from hygie.kernel.database.session import connect
from hygie.kernel.errors import Unavailable
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys import Keyring
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.tests.conftest import encode, put
from hygie.testing.database import ScratchDatabase
from hygie.testing.keys import RemoteKeys
from hygie.testing.law import LAW

Json = dict[str, Any]
SMALL, LARGE = 3_000, 200_000


@pytest.fixture
async def folder(fresh_database: ScratchDatabase) -> Path:
    return fresh_database.settings.data


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=LAW)
    for rid in ("ann", "bob"):
        await put(opened, {"resourceType": "Patient", "id": rid})
    yield opened
    await opened.database.close()


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - contents of a test


def document(rid: str, content: bytes, patient: str = "ann") -> Json:
    return {
        "resourceType": "DocumentReference",
        "id": rid,
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
        "content": [
            {"attachment": {"contentType": "text/plain",
                            "data": base64.b64encode(content).decode()}}
        ],
    }  # fmt: skip


async def content_of(repository: Repository, rid: str) -> bytes | None:
    """Return the content of a document as a read gives it, None where it is withheld."""
    stored = await repository.read(SYSTEM, "DocumentReference", rid)
    attachment = json.loads(stored.body or b"")["content"][0]["attachment"]
    if "data" not in attachment:
        assert attachment["_data"]["extension"][0]["valueCode"] == "masked"
        return None
    return base64.b64decode(attachment["data"])


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "blobs").rglob("*") if path.is_file()]


def everything_at_rest(database: ScratchDatabase) -> bytes:
    """Return the bodies of the database and the files of the blob store."""
    with connect(database.admin_dsn) as session:
        rows = session.execute(
            "SELECT body FROM hygie.resource UNION ALL SELECT body FROM hygie.resource_history"
        ).fetchall()
    kept = [path.read_bytes() for path in files(database.settings.data)]
    return b"".join([*(row[0] or b"" for row in rows), *kept])


@pytest.mark.parametrize("size", [1, SMALL, LARGE])
async def test_a_document_comes_back_byte_for_byte(repository: Repository, size: int) -> None:
    written = document("d", noise(size))
    answer = await repository.update(SYSTEM, "DocumentReference", "d", encode(written))
    read = await repository.read(SYSTEM, "DocumentReference", "d")
    assert read.body == answer.stored.body
    assert await content_of(repository, "d") == noise(size)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_no_content_stands_in_clear(
    repository: Repository, fresh_database: ScratchDatabase, size: int
) -> None:
    content = noise(size)
    await put(repository, document("d", content))
    await put(repository, document("d", content + b"!"))
    kept = everything_at_rest(fresh_database)
    assert content[100:200] not in kept
    assert base64.b64encode(content)[400:500] not in kept


async def test_a_text_is_not_found_by_its_compressed_form(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    """Letters survive compression where nothing repeats; sealed, they do not."""
    await put(repository, document("d", b"Compte rendu: zygomatique"))
    assert b"zygomat" not in everything_at_rest(fresh_database)


@pytest.mark.parametrize(
    ("rt", "body"),
    [
        ("Binary", {"contentType": "text/plain", "data": "c2VjcmV0"}),
        ("Binary", {"contentType": "text/plain", "data": "c2VjcmV0\n"}),
        ("Patient", {"photo": [{"data": "c2VjcmV0"}]}),
        ("Basic", {"code": {"text": "x"},
                   "extension": [{"url": "http://p.test/x", "valueBase64Binary": "c2VjcmV0"}]}),
    ],
)  # fmt: skip
async def test_every_base64_text_is_sealed_wherever_it_stands(
    repository: Repository, fresh_database: ScratchDatabase, rt: str, body: Json
) -> None:
    await put(repository, {"resourceType": rt, "id": "x", **body})
    read = json.loads((await repository.read(SYSTEM, rt, "x")).body or b"")
    assert {name: read[name] for name in body} == body
    with connect(fresh_database.admin_dsn) as session:
        row = session.execute("SELECT body FROM hygie.resource WHERE rid = 'x'").fetchone()
    assert row is not None
    assert row[0][0] == 1


async def test_what_holds_no_document_has_no_key(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await put(repository, {"resourceType": "Patient", "id": "carl", "active": True})
    with connect(fresh_database.admin_dsn) as session:
        assert session.execute("SELECT count(*) FROM hygie_keys.patient_key").fetchone() == (0,)


async def test_equal_documents_are_not_seen_to_be_equal(
    repository: Repository, folder: Path
) -> None:
    for rid, patient in (("one", "ann"), ("two", "ann"), ("three", "bob")):
        await put(repository, document(rid, noise(LARGE), patient))
    contents = [path.read_bytes() for path in files(folder)]
    assert len(set(contents)) == 3
    assert len({path.name for path in files(folder)}) == 3


FAST = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FAST
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=300).map(lambda b: base64.b64encode(b).decode()),
            st.text("AB+/=", max_size=10),
            st.integers(49_000, 60_000).map(lambda n: base64.b64encode(noise(n)).decode()),
        ),
        max_size=4,
    )
)
async def test_any_mixture_of_texts_comes_back(repository: Repository, texts: list[str]) -> None:
    extensions = [{"url": "http://p.test/x", "valueBase64Binary": t} for t in texts if _valid(t)]
    resource: Json = {"resourceType": "Basic", "id": "mix", "code": {"text": "x"}}
    if extensions:
        resource["extension"] = extensions
    await put(repository, resource)
    read = json.loads((await repository.read(SYSTEM, "Basic", "mix")).body or b"")
    assert read.get("extension", []) == extensions


def _valid(text: str) -> bool:
    try:
        return bool(text) and base64.b64decode(text, validate=True) is not None
    except ValueError:
        return False


async def test_a_flipped_bit_in_a_file_is_an_error_and_no_garbage(
    repository: Repository, folder: Path
) -> None:
    await put(repository, document("d", noise(LARGE)))
    (path,) = files(folder)
    content = bytearray(path.read_bytes())
    for place in (0, 13, len(content) // 2, len(content) - 1):
        content[place] ^= 4
        path.write_bytes(content)
        with pytest.raises(Unavailable, match="damaged or not in its place"):
            await repository.read(SYSTEM, "DocumentReference", "d")
        content[place] ^= 4
    path.write_bytes(content)
    assert await content_of(repository, "d") == noise(LARGE)


async def test_a_flipped_bit_in_the_database_is_an_error_and_no_garbage(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await put(repository, document("d", noise(SMALL)))
    with connect(fresh_database.admin_dsn) as session:
        row = session.execute("SELECT body FROM hygie.resource WHERE rid = 'd'").fetchone()
        assert row is not None
        for back in (1, 500, SMALL, SMALL + 20, SMALL + 40):
            body = bytearray(row[0])
            body[-back] ^= 1
            session.execute("UPDATE hygie.resource SET body = %s WHERE rid = 'd'", (bytes(body),))
            with pytest.raises(Unavailable, match="damaged or not in its place"):
                await repository.read(SYSTEM, "DocumentReference", "d")


async def test_damage_fails_one_read_and_not_its_neighbours(
    repository: Repository, folder: Path
) -> None:
    await put(repository, document("bad", noise(LARGE)))
    files(folder)[0].write_bytes(b"")
    await put(repository, document("good", noise(SMALL)))
    asked = [repository.read(SYSTEM, "DocumentReference", rid) for rid in ("bad", "good", "bad")]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one).__name__ for one in found] == ["Unavailable", "Stored", "Unavailable"]


async def test_two_ciphertexts_cannot_be_exchanged(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    """Of one patient or of two, of two resources or of two versions."""
    for rid, patient in (("one", "ann"), ("two", "ann"), ("three", "bob")):
        await put(repository, document(rid, noise(SMALL, seed=1), patient))
    await put(repository, document("one", noise(SMALL, seed=2)))
    for other in ("rid = 'two'", "rid = 'three'"):
        with connect(fresh_database.admin_dsn) as session:
            session.execute(
                "UPDATE hygie.resource SET body = "
                f"(SELECT body FROM hygie.resource WHERE {other}) WHERE rid = 'one'".encode()
            )
        with pytest.raises(Unavailable, match="not in its place"):
            await content_of(repository, "one")
    with connect(fresh_database.admin_dsn) as session:
        session.execute(
            "UPDATE hygie.resource SET body = (SELECT body FROM hygie.resource_history"
            " WHERE rid = 'one' AND ver = 1) WHERE rid = 'one'"
        )
    with pytest.raises(Unavailable, match="not in its place"):
        await content_of(repository, "one")


async def test_two_files_cannot_be_exchanged(repository: Repository, folder: Path) -> None:
    await put(repository, document("one", noise(LARGE, seed=1)))
    await put(repository, document("two", noise(LARGE, seed=2)))
    first, second = files(folder)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    for rid in ("one", "two"):
        with pytest.raises(Unavailable, match="not in its place"):
            await content_of(repository, rid)


async def test_a_missing_key_is_told_and_not_taken_for_an_erasure(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await put(repository, document("d", noise(SMALL)))
    with connect(fresh_database.admin_dsn) as session:
        session.execute("DELETE FROM hygie_keys.patient_key")
    with pytest.raises(Unavailable, match="is missing: restore the keys"):
        await content_of(repository, "d")


@pytest.fixture
async def remote(
    fresh_database: ScratchDatabase, tmp_path: Path
) -> AsyncIterator[tuple[Repository, RemoteKeys]]:
    """Give a repository whose key service is elsewhere."""
    opened = await open_repository(fresh_database.settings, law=LAW)
    keys = RemoteKeys(tmp_path / "kek")
    former = opened.bodies.keyring
    opened.bodies.keyring = Keyring(former.database, keys, ledger=former.ledger, ttl=0.0)
    await put(opened, {"resourceType": "Patient", "id": "ann"})
    yield opened, keys
    await opened.database.close()


async def test_without_the_key_service_only_documents_are_unavailable(
    remote: tuple[Repository, RemoteKeys],
) -> None:
    repository, keys = remote
    await put(repository, document("d", b"text"))
    keys.stopped = True
    asked = [
        repository.read(SYSTEM, "DocumentReference", "d"),
        repository.read(SYSTEM, "Patient", "ann"),
        repository.update(SYSTEM, "DocumentReference", "e", encode(document("e", b"text"))),
        repository.update(
            SYSTEM, "Patient", "eve", encode({"resourceType": "Patient", "id": "eve"})
        ),
    ]
    found = await asyncio.gather(*asked, return_exceptions=True)
    names = [type(one).__name__ for one in found]
    assert names == ["Unavailable", "Stored", "Unavailable", "Written"]
    keys.stopped = False
    assert await content_of(repository, "d") == b"text"


async def test_the_settings_name_where_the_keys_are(fresh_database: ScratchDatabase) -> None:
    data = Settings(data=fresh_database.settings.data).data
    opened = await open_repository(fresh_database.settings, law=LAW)
    await opened.database.close()
    assert (data / "keys" / "kek" / "0001").stat().st_mode & 0o777 == 0o600


async def test_requests_have_no_right_on_the_keys(repository: Repository) -> None:
    assert repository.database.role == roles.APP
    async with repository.database.connection() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.fetch("SELECT 1 FROM hygie_keys.patient_key")
