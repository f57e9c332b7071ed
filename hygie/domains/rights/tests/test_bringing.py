"""A copy is brought into another instance: looked at first, then written, and found whole."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest

from hygie.domains.rights.service.bringing import bring, plan_import
from hygie.domains.rights.service.copying import Wish, copy_person
from hygie.domains.rights.tests.conftest import AT, copied, law_of_the_house, lines, person, put
from hygie.kernel.errors import Malformed
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchServer
from hygie.testing.factories import condition, patient
from hygie.testing.stories import LUCIE, NORA

Resources = dict[str, dict[str, Any]]


@pytest.fixture
async def elsewhere(database_server: ScratchServer) -> AsyncIterator[Repository]:
    scratch = database_server.create()
    opened = await open_repository(scratch.settings, law=law_of_the_house(scratch))
    yield opened
    await opened.database.close()


async def file_of(repository: Repository, path: Path) -> Path:
    kept = io.BytesIO()
    wish = Wish(NORA, "fr", "Nora MARTIN", AT)
    caller = await person(repository, NORA)
    await copy_person(repository, caller, wish, kept, traces=())
    await asyncio.to_thread(path.write_bytes, kept.getvalue())
    return path


def content(archive: ZipFile) -> Resources:
    """Return the resources of a copy without what a server writes, nor the import's Provenance."""
    found: Resources = {}
    for name in archive.namelist():
        if name.startswith(("fhir/", "directory/")) and name != "fhir/Provenance.ndjson":
            for one in lines(archive, name):
                meta = one.pop("meta")
                rest = {k: v for k, v in meta.items() if k not in ("versionId", "lastUpdated")}
                found[f"{one['resourceType']}/{one['id']}"] = one | ({"meta": rest} if rest else {})
    return found


async def test_a_record_goes_to_another_instance_and_comes_back_equal(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    plan = await plan_import(elsewhere, path)
    assert not plan.refused
    assert not plan.renamed
    written = await bring(elsewhere, path, plan, at=AT)
    assert written == sum(plan.created.values())
    before = content(await copied(repository, await person(repository, NORA), NORA))
    after = content(await copied(elsewhere, await person(elsewhere, NORA), NORA))
    assert after == before
    assert len(before) > 60


async def test_the_import_is_told_by_a_provenance_that_names_the_file(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    plan = await plan_import(elsewhere, path)
    await bring(elsewhere, path, plan, at=AT)
    archive = await copied(elsewhere, await person(elsewhere, NORA), NORA)
    (told,) = lines(archive, "fhir/Provenance.ndjson")
    assert told["entity"][0]["what"]["identifier"]["value"].endswith(plan.digest)


async def test_looking_writes_nothing(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    await plan_import(elsewhere, path)
    found = await elsewhere.search(SYSTEM, "Patient", [])
    assert found.total == 0


async def test_the_same_copy_again_changes_nothing(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    await bring(elsewhere, path, await plan_import(elsewhere, path), at=AT)
    again = await plan_import(elsewhere, path)
    assert not again.created
    assert await bring(elsewhere, path, again, at=AT) == 0


async def test_an_id_that_is_taken_is_replaced_everywhere(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    await put(elsewhere, patient("Autre", "Anna", id=NORA, ins=""))
    plan = await plan_import(elsewhere, path)
    new = plan.renamed[f"Patient/{NORA}"].partition("/")[2]
    await bring(elsewhere, path, plan, at=AT)
    mine = await elsewhere.search(SYSTEM, "Condition", [("patient", new)])
    theirs = await elsewhere.search(SYSTEM, "Condition", [("patient", NORA)])
    assert (mine.total, theirs.total) == (3, 0)


async def test_who_would_get_access_is_told_before(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    plan = await plan_import(elsewhere, await file_of(repository, tmp_path / "nora.zip"))
    assert any(one.startswith("CareTeam/") for one in plan.access)
    assert any(one.startswith("Consent/") for one in plan.access)


async def test_what_names_another_patient_of_this_instance_is_refused(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    await put(elsewhere, patient("Inconnue", "Lucie", id=LUCIE, ins=""))
    plan = await plan_import(elsewhere, await file_of(repository, tmp_path / "nora.zip"))
    assert plan.refused == [
        ("Consent/consent-of-nora", "it names another patient of this instance")
    ]


async def test_a_copy_that_was_changed_is_refused(
    repository: Repository, elsewhere: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    changed = tmp_path / "changed.zip"
    with ZipFile(path) as old, ZipFile(changed, "w") as new:
        for name in old.namelist():
            raw = old.read(name)
            forged = raw.replace(b"Gonarthrose", b"Coxarthrose") if "Condition" in name else raw
            new.writestr(name, forged)
    with pytest.raises(Malformed, match=r"Condition\.ndjson is not what it was"):
        await plan_import(elsewhere, changed)


async def test_a_copy_with_a_stranger_in_it_is_refused_there(
    elsewhere: Repository, repository: Repository, tmp_path: Path
) -> None:
    path = await file_of(repository, tmp_path / "nora.zip")
    crafted = tmp_path / "crafted.zip"
    stranger = msgspec.json.encode(condition("Patient/stranger", "Glissée", id="slipped")) + b"\n"
    with ZipFile(path) as old, ZipFile(crafted, "w") as new:
        manifest = msgspec.json.decode(old.read("manifest.json"))
        for name in old.namelist():
            raw = old.read(name)
            if name == "fhir/Condition.ndjson":
                raw += stranger
                manifest["files"][name]["sha256"] = hashlib.sha256(raw).hexdigest()
            if name != "manifest.json":
                new.writestr(name, raw)
        new.writestr("manifest.json", msgspec.json.encode(manifest))
    plan = await plan_import(elsewhere, crafted)
    assert plan.refused == [("Condition/slipped", "it is not about the person of this copy")]
