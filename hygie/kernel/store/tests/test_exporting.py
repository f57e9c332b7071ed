"""Export, and the way back."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hygie.kernel.errors import Malformed
from hygie.kernel.fhir.splice import stamp
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.exporting import export
from hygie.kernel.store.loading import find_sources, load
from hygie.testing.database import ScratchDatabase, ScratchServer
from hygie.testing.law import LAW
from hygie.testing.shared import shared_path


@pytest.fixture(scope="module")
async def filled(repository: Repository) -> Repository:
    sources, _ = find_sources([shared_path("data/synthea_r4") / "bundle_01.json.gz"])
    await load(repository, sources)
    return repository


@pytest.fixture
async def empty(database_server: ScratchServer) -> AsyncIterator[Repository]:
    opened = await open_repository(database_server.create().settings, law=LAW)
    yield opened
    await opened.database.close()


def bodies(folder: Path) -> dict[str, bytes]:
    """Return every exported resource with its version and date made equal."""
    found = {}
    for path in folder.glob("*.ndjson"):
        for line in path.read_bytes().splitlines():
            rid = json.loads(line)["id"]
            found[f"{path.stem}/{rid}"] = stamp(line, rid=rid, version="0", updated="0")
    return found


async def test_an_export_loads_into_an_empty_store_the_same(
    filled: Repository, empty: Repository, tmp_path: Path
) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    back.mkdir()
    manifest = await export(filled, there)
    report = await load(empty, find_sources([there])[0])
    await export(empty, back)
    counts = {output.type: output.count for output in manifest.output}
    assert (report.created, report.refused, report.warnings) == (counts, 0, 0)
    assert bodies(there) == bodies(back)


async def test_the_manifest_tells_counts_and_digests(filled: Repository, tmp_path: Path) -> None:
    manifest = await export(filled, tmp_path, types=["Patient", "Observation"], compress=True)
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert [one["type"] for one in written["output"]] == ["Observation", "Patient"]
    for output in manifest.output:
        content = (tmp_path / output.url).read_bytes()
        assert hashlib.sha256(content).hexdigest() == output.sha256
        assert len(gzip.decompress(content).splitlines()) == output.count


async def test_lines_are_the_bytes_of_a_read(filled: Repository, tmp_path: Path) -> None:
    raw = b'{"resourceType": "Basic",\n "id": "lines", "code": {"text": "a"}}'
    await filled.update(SYSTEM, "Basic", "lines", raw)
    await export(filled, tmp_path, types=["Basic"])
    read = (await filled.read(SYSTEM, "Basic", "lines")).body or b""
    assert (tmp_path / "Basic.ndjson").read_bytes() == read.replace(b"\n", b" ") + b"\n"


async def test_an_unknown_type_is_refused(filled: Repository, tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        await export(filled, tmp_path, types=["Dragon"])


async def test_each_patient_sees_that_their_record_was_exported(
    filled: Repository, database: ScratchDatabase, tmp_path: Path
) -> None:
    await export(filled, tmp_path, types=["Patient"])
    async with database.open() as opened, opened.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT pat, detail FROM trace WHERE interaction = 'operation'"
        )
    assert ("hygie export: Patient") in {row["detail"] for row in rows if row["pat"]}
