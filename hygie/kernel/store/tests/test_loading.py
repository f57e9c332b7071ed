"""Bulk load: nothing is lost, nothing is loaded twice, what is refused is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.loading import Feed, LoadReport, Problem, Progress, find_sources, load
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW
from hygie.testing.shared import shared_path

PATIENT = {"resourceType": "Patient", "id": "load-1", "name": [{"family": "Dupont"}]}
PAIN = {
    "resourceType": "Condition",
    "id": "load-2",
    "subject": {"reference": "Patient/load-1"},
    "code": {"text": "Douleur"},
}


def write_lines(path: Path, *resources: dict[str, Any] | bytes) -> Path:
    lines = [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in resources]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def write_bundle(path: Path, kind: str, *entries: dict[str, Any]) -> Path:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    path.write_text(json.dumps(bundle, indent=2))
    return path


async def run(repository: Repository, *paths: Path) -> tuple[LoadReport, list[Problem]]:
    problems: list[Problem] = []
    sources, _ = find_sources(paths)
    report = await load(repository, sources, report=problems.append)
    return report, problems


async def body(repository: Repository, reference: str) -> dict[str, Any]:
    rt, _, rid = reference.partition("/")
    stored = await repository.read(SYSTEM, rt, rid)
    found: dict[str, Any] = json.loads(stored.body or b"")
    return found


async def test_synthea_bundles_load_without_loss(repository: Repository) -> None:
    folder = shared_path("data/synthea_r4")
    expected: Counter[str] = Counter()
    for path in folder.glob("*.json.gz"):
        entries = json.loads(gzip.decompress(path.read_bytes()))["entry"]
        expected.update(entry["resource"]["resourceType"] for entry in entries)
    report, problems = await run(repository, folder)
    assert (report.created, report.refused, problems) == (expected, 0, [])
    # Every reference is one the store knows: the loader warns of each that is not.
    first = json.loads(gzip.decompress(min(folder.glob("*.json.gz")).read_bytes()))
    for entry in first["entry"]:
        sent = entry["resource"]
        kept = await body(repository, f"{sent['resourceType']}/{sent['id']}")
        assert kept.pop("meta")["versionId"] == "1"
        sent.pop("meta", None)
        assert without_references(kept) == without_references(sent)
        assert "urn:uuid:" not in json.dumps(references(kept))


def references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in references(one)]
    if not isinstance(value, dict):
        return []
    own = [value["reference"]] if isinstance(value.get("reference"), str) else []
    return own + [found for one in value.values() for found in references(one)]


def without_references(value: Any) -> Any:
    if isinstance(value, list):
        return [without_references(one) for one in value]
    if isinstance(value, dict):
        return {key: without_references(one) for key, one in value.items() if key != "reference"}
    return value


async def test_a_load_done_before_changes_nothing(repository: Repository, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "again.ndjson", PATIENT, PAIN)
    await run(repository, file)
    before = await repository.read(SYSTEM, "Patient", "load-1")
    report, _ = await run(repository, file)
    assert (report.sources_done, report.total) == (1, 0)
    renamed = file.rename(tmp_path / "renamed.ndjson")
    report, _ = await run(repository, renamed)
    assert (report.unchanged, report.total) == (2, 2)
    assert await repository.read(SYSTEM, "Patient", "load-1") == before


async def test_changed_content_makes_a_new_version(repository: Repository, tmp_path: Path) -> None:
    other = {**PATIENT, "id": "load-changed"}
    await run(repository, write_lines(tmp_path / "first.ndjson", other))
    newer = {**other, "gender": "female"}
    report, _ = await run(repository, write_lines(tmp_path / "second.ndjson", newer))
    assert (report.updated, report.created.total()) == (1, 0)
    stored = await repository.read(SYSTEM, "Patient", "load-changed")
    assert (stored.version, json.loads(stored.body or b"")["gender"]) == (2, "female")


async def test_the_last_of_two_equal_ids_is_current(repository: Repository, tmp_path: Path) -> None:
    first, second = ({**PATIENT, "id": "twice", "gender": sex} for sex in ("male", "female"))
    report, _ = await run(repository, write_lines(tmp_path / "twice.ndjson", first, second))
    assert (report.created.total(), report.updated) == (1, 1)
    assert (await body(repository, "Patient/twice"))["gender"] == "female"


async def test_placeholders_become_references(repository: Repository, tmp_path: Path) -> None:
    urn = "urn:uuid:0a6bd0b3-0f5c-4a05-9b8a-5d2b0f0d7a01"
    anonymous = {"resourceType": "Patient", "gender": "other"}
    pain = {**PAIN, "id": "urn-2", "subject": {"reference": urn}}
    file = write_bundle(
        tmp_path / "urn.json",
        "collection",
        {"resource": pain},
        {"fullUrl": urn, "resource": anonymous},
    )
    report, problems = await run(repository, file)
    assert (report.refused, problems) == (0, [])
    target = (await body(repository, "Condition/urn-2"))["subject"]["reference"]
    assert target == "Patient/0a6bd0b3-0f5c-4a05-9b8a-5d2b0f0d7a01"
    assert (await body(repository, target))["gender"] == "other"


async def test_conditional_references_wait_for_their_target(
    repository: Repository, tmp_path: Path
) -> None:
    doctor = {
        "resourceType": "Practitioner",
        "id": "cond-doctor",
        "identifier": [{"system": "urn:npi", "value": "42"}],
    }
    visit = {
        "resourceType": "Encounter",
        "id": "cond-visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "participant": [{"individual": {"reference": "Practitioner?identifier=urn:npi|42"}}],
    }
    write_bundle(tmp_path / "a.json", "transaction", {"resource": visit})
    write_bundle(tmp_path / "b.json", "transaction", {"resource": doctor})
    report, problems = await run(repository, tmp_path)
    assert (report.created.total(), problems) == (2, [])
    found = await body(repository, "Encounter/cond-visit")
    assert found["participant"][0]["individual"]["reference"] == "Practitioner/cond-doctor"


async def test_a_conditional_create_that_matches_makes_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    clinic = {
        "resourceType": "Organization",
        "id": "clinic-a",
        "identifier": [{"system": "urn:finess", "value": "7"}],
    }
    await run(repository, write_lines(tmp_path / "clinic.ndjson", clinic))
    request = {"method": "POST", "url": "Organization", "ifNoneExist": "identifier=urn:finess|7"}
    urn = "urn:uuid:0a6bd0b3-0f5c-4a05-9b8a-5d2b0f0d7a77"
    branch = {
        "resourceType": "Organization",
        "id": "branch",
        "partOf": {"reference": urn},
    }
    file = write_bundle(
        tmp_path / "if-none.json",
        "transaction",
        {"fullUrl": urn, "resource": {**clinic, "id": "clinic-b"}, "request": request},
        {"resource": branch},
    )
    report, _ = await run(repository, file)
    assert (report.created.total(), report.unchanged) == (1, 1)
    kept = await body(repository, "Organization/branch")
    assert kept["partOf"]["reference"] == "Organization/clinic-a"
    with pytest.raises(NotFound):
        await repository.read(SYSTEM, "Organization", "clinic-b")


async def test_a_reference_that_leads_nowhere_is_a_warning(
    repository: Repository, tmp_path: Path
) -> None:
    lost = {**PAIN, "id": "lost", "subject": {"reference": "Patient/nobody-at-all"}}
    report, problems = await run(repository, write_lines(tmp_path / "lost.ndjson", lost))
    assert (report.created.total(), report.refused, report.warnings) == (1, 0, 1)
    assert problems[0].reference == "Condition/lost"
    assert "Patient/nobody-at-all" in problems[0].issues[0].diagnostics


async def test_what_is_refused_is_told_and_stops_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    file = write_lines(
        tmp_path / "mixed.ndjson",
        {"resourceType": "Observation", "id": "no-status", "code": {"text": "x"}},
        b"this is not JSON",
        {"resourceType": "Patient", "id": "an id"},
        {"resourceType": "Patient", "id": "bad-date", "birthDate": "2023-02-30"},
        {"resourceType": "Dragon", "id": "fire"},
        {"resourceType": "Patient", "id": "mixed-good"},
    )
    report, problems = await run(repository, file)
    assert (report.created.total(), report.refused) == (1, 5)
    assert sorted(problem.entry for problem in problems) == [0, 1, 2, 3, 4]
    told = {problem.entry: problem for problem in problems}
    assert told[0].issues[0].expression == "Observation.status"
    line = json.loads(told[3].line())
    assert (line["resource"], line["outcome"]["resourceType"]) == (
        "Patient/bad-date",
        "OperationOutcome",
    )
    again, _ = await run(repository, file)
    assert (again.refused, again.unchanged) == (5, 1)


@pytest.mark.parametrize("name", ["one.ndjson", "one.ndjson.gz", "one.jsonl", "one.json.gz"])
async def test_every_form_of_file_is_read(
    repository: Repository, tmp_path: Path, name: str
) -> None:
    one = {**PATIENT, "id": f"form-{name}"}
    text = msgspec.json.encode(one)
    path = tmp_path / "folder" / name
    path.parent.mkdir()
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    (path.parent / "README.md").write_text("left out")
    sources, ignored = find_sources([tmp_path])
    report = await load(repository, sources)
    assert (report.created.total(), [each.name for each in ignored]) == (1, ["README.md"])
    assert (await body(repository, f"Patient/form-{name}"))["name"][0]["family"] == "Dupont"


async def test_a_lone_resource_keeps_its_white_space(
    repository: Repository, tmp_path: Path
) -> None:
    raw = b'{ "resourceType" : "Patient",\n\t"id" : "spaced", "multipleBirthInteger":  2 }'
    (tmp_path / "spaced.json").write_bytes(raw)
    await run(repository, tmp_path)
    stored = await repository.read(SYSTEM, "Patient", "spaced")
    assert b',\n\t"id" : "spaced", "multipleBirthInteger":  2 }' in (stored.body or b"")


async def test_decimals_of_a_bundle_keep_their_digits(
    repository: Repository, tmp_path: Path
) -> None:
    text = (
        '{"resourceType": "Bundle", "type": "searchset", "entry": [ {"resource": {\n'
        '"resourceType": "Observation", "id": "digits", "status": "final", "code": {"text": "é"},'
        ' "valueQuantity": {"value": 1.1000, "unit": "g"}}, "search": {"mode": "match"}},'
        ' {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}} ]}'
    )
    (tmp_path / "digits.json").write_text(text)
    report, _ = await run(repository, tmp_path)
    assert report.total == 1
    stored = await repository.read(SYSTEM, "Observation", "digits")
    assert b'"value":1.1000' in (stored.body or b"")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.json.gz", gzip.compress(b" " * 80_000_000, mtime=0)),
        ("bomb.ndjson.gz", gzip.compress(b"\n" * 80_000_000, mtime=0)),
        ("long.ndjson.gz", gzip.compress(b"[" * 70_000_000, mtime=0)),
        ("deep.json", b'{"resourceType":"Bundle","entry":' + b"[" * 100_000),
        ("deep.ndjson", b'{"resourceType":"Patient","id":"d","x":' + b"[" * 100_000),
        ("words.json", b"hello"),
        ("list.json", b"[1, 2]"),
        ("cut.json.gz", gzip.compress(b'{"resourceType":"Patient"}', mtime=0)[:-12]),
        ("not.json.gz", b"plain"),
        ("history.json", b'{"resourceType":"Bundle","type":"history","entry":[]}'),
        ("string.json", b'{"resourceType":"Bundle","type":"batch","entry":["x"]}'),
    ],
)
async def test_a_hostile_file_is_refused_with_a_sentence(
    repository: Repository, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    report, problems = await run(repository, tmp_path)
    assert (report.created.total(), report.refused) == (0, 1)
    assert problems[0].issues[0].diagnostics.endswith((".", "again"))


async def test_only_entries_that_store_are_loaded(repository: Repository, tmp_path: Path) -> None:
    delete = {"request": {"method": "DELETE", "url": "Patient/load-1"}}
    empty = {"fullUrl": "urn:x"}
    report, _ = await run(
        repository, write_bundle(tmp_path / "orders.json", "batch", delete, empty)
    )
    assert (report.created.total(), report.refused) == (0, 2)


def test_unknown_files_and_absent_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    for path in (tmp_path / "a.pdf", tmp_path / "absent"):
        with pytest.raises(InvalidRequest):
            find_sources([path])


class Interrupted(Exception):
    """The programme is killed."""


async def test_an_interrupted_load_goes_on_where_it_stopped(
    fresh_database: ScratchDatabase, tmp_path: Path
) -> None:
    repository = await open_repository(fresh_database.settings, law=LAW)
    people = [{**PATIENT, "id": f"p-{number}"} for number in range(5_000)]
    file = write_lines(tmp_path / "many.ndjson", *people)

    def stop(progress: Progress) -> None:
        if progress.resources >= 1_500:
            raise Interrupted

    sources, _ = find_sources([file])
    with pytest.raises(Interrupted):
        await load(repository, sources, progress=stop)
    report = await load(repository, sources)
    assert 0 < report.total <= 3_500
    assert report.created.total() == report.total
    found = await repository.search(
        SYSTEM, "Patient", [("_summary", "count"), ("_total", "accurate")]
    )
    assert found.total == 5_000
    await repository.database.close()


async def test_a_load_killed_in_the_middle_goes_on(
    fresh_database: ScratchDatabase, tmp_path: Path
) -> None:
    count = 20_000
    people = [{**PATIENT, "id": f"k-{number}"} for number in range(count)]
    file = write_lines(tmp_path / "killed.ndjson", *people)
    settings = fresh_database.settings
    command = [sys.executable, "-m", "hygie", "load", str(file), "--data", str(settings.data)]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "HYGIE_DATABASE_URL": fresh_database.admin_dsn},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    first = await process.stderr.readline()
    assert b"%" in first, (first + await process.stderr.read()).decode()
    process.kill()
    await process.communicate()
    repository = await open_repository(settings, law=LAW)
    report = await load(repository, find_sources([file])[0])
    everyone = [("_summary", "count"), ("_total", "accurate")]
    found = await repository.search(SYSTEM, "Patient", everyone)
    await repository.database.close()
    assert 0 < report.total < count
    assert (report.unchanged, found.total) == (0, count)


async def test_a_feed_is_loaded_once(repository: Repository) -> None:
    records = [[msgspec.json.encode({**PATIENT, "id": f"feed-{n}"})] for n in range(3)]
    first = await load(repository, [Feed("people/3", iter(records))])
    again = await load(repository, [Feed("people/3", iter(records))])
    assert (first.created["Patient"], again.total, again.sources_done) == (3, 0, 1)


async def test_each_patient_sees_that_their_record_was_loaded(
    database: ScratchDatabase, repository: Repository, tmp_path: Path
) -> None:
    seen = {**PATIENT, "id": "seen"}
    pain = {**PAIN, "id": "seen-pain", "subject": {"reference": "Patient/seen"}}
    await run(repository, write_lines(tmp_path / "seen.ndjson", seen, pain))
    number = await repository.party_number("Patient/seen")
    async with database.open() as opened, opened.transaction(system=True) as connection:
        rows = await connection.fetch("SELECT * FROM trace WHERE pat = $1", number)
    assert [(row["interaction"], row["agent"], row["detail"]) for row in rows] == [
        ("batch", "system", "hygie load: 2 resources")
    ]
