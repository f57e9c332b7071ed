"""A copy is asked, prepared behind the page, kept sealed for a few days, then destroyed."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest

from hygie.domains.rights.service.exports import (
    KEPT,
    State,
    ask,
    end,
    exports,
    folder_of,
    prepare,
)
from hygie.domains.rights.service.prepared import fetch
from hygie.domains.rights.service.sealed import PIECE, SealedWriter, new_key, unsealed
from hygie.domains.rights.tests.conftest import lines, person
from hygie.kernel.errors import Conflict, Forbidden, NotFound, Unavailable
from hygie.kernel.store import Repository
from hygie.testing.stories import LUCIE, NORA, PAUL

NOW = datetime.now(UTC)


async def ready(repository: Repository, data: Path) -> uuid.UUID:
    made = await ask(repository, await person(repository, NORA), NORA, language="fr")
    await prepare(repository, data, at=NOW)
    return made


async def test_a_copy_is_prepared_and_downloaded(repository: Repository, tmp_path: Path) -> None:
    me = await person(repository, NORA)
    made = await ready(repository, tmp_path)
    (told, *_) = await exports(repository, me, NORA)
    assert (told.id, told.state) == (made, State.READY)
    assert told.counts is not None
    _, pieces = await fetch(repository, me, made, data=tmp_path, at=NOW)
    content = b"".join(pieces)
    assert len(content) == told.size
    archive = ZipFile(io.BytesIO(content))
    assert len(lines(archive, "fhir/Patient.ndjson")) == 1


async def test_the_file_on_the_disk_tells_nothing(repository: Repository, tmp_path: Path) -> None:
    made = await ready(repository, tmp_path)
    file = folder_of(tmp_path) / str(made)
    content = file.read_bytes()
    assert not content.startswith(b"PK")
    assert b"dossier.pdf" not in content
    assert file.stat().st_mode & 0o077 == 0


async def test_a_download_is_traced_once(repository: Repository, tmp_path: Path) -> None:
    me = await person(repository, NORA)
    made = await ready(repository, tmp_path)
    async with repository.database.transaction(system=True) as connection:
        last = await connection.fetchval("SELECT max(id) FROM trace")
    await fetch(repository, me, made, data=tmp_path, at=NOW)
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch("SELECT pat, query FROM trace WHERE id > $1", last)
    assert [(row["pat"], row["query"]) for row in rows] == [(me.party, b"export-person")]


@pytest.mark.parametrize("who", [PAUL, LUCIE])
async def test_another_person_does_not_even_learn_that_it_exists(
    repository: Repository, tmp_path: Path, who: str
) -> None:
    made = await ready(repository, tmp_path)
    other = await person(repository, who)
    assert await exports(repository, other, NORA) == []
    with pytest.raises(NotFound):
        await fetch(repository, other, made, data=tmp_path, at=NOW)


async def test_after_a_few_days_key_and_file_are_gone(
    repository: Repository, tmp_path: Path
) -> None:
    me = await person(repository, NORA)
    made = await ready(repository, tmp_path)
    await end(repository, tmp_path, at=NOW + KEPT + timedelta(hours=1))
    assert not (folder_of(tmp_path) / str(made)).exists()
    async with repository.database.transaction(system=True) as connection:
        key = await connection.fetchval("SELECT key FROM rights_export WHERE id = $1", made)
    assert key is None
    with pytest.raises(NotFound):
        await fetch(repository, me, made, data=tmp_path, at=NOW)


async def test_a_reader_may_not_ask_and_nobody_asks_without_end(repository: Repository) -> None:
    with pytest.raises(Forbidden):
        await ask(repository, await person(repository, LUCIE), NORA, language="fr")
    me = await person(repository, PAUL)
    for _ in range(2):
        await ask(repository, me, PAUL, language="en")
    with pytest.raises(Conflict):
        await ask(repository, me, PAUL, language="en")


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_is_sealed_is_unsealed_whole(tmp_path: Path, size: int) -> None:
    path, key, content = tmp_path / "sealed", new_key(), bytes(range(256)) * (size // 256 + 1)
    with path.open("wb") as file, SealedWriter(file, key) as sealed:
        sealed.write(content[:size])
    assert b"".join(unsealed(path, key)) == content[:size]


def _cut(raw: bytes) -> bytes:
    return raw[: PIECE + 16]


def _swap(raw: bytes) -> bytes:
    one = PIECE + 16
    return raw[one : 2 * one] + raw[:one] + raw[2 * one :]


def _flip(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


@pytest.mark.parametrize("change", [_cut, _swap, _flip])
def test_a_sealed_file_that_was_changed_is_refused(tmp_path: Path, change: object) -> None:
    path, key = tmp_path / "sealed", new_key()
    with path.open("wb") as file, SealedWriter(file, key) as sealed:
        sealed.write(b"x" * (2 * PIECE + 5))
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Unavailable):
        b"".join(unsealed(path, key))
