"""The labels of a visit reach what belongs to it, in whatever order things are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.bundles import read_parts
from hygie.kernel.store.loading import find_sources, load
from hygie.kernel.store.reach import links
from hygie.kernel.store.tests.conftest import encode, patient_caller, put, traces
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

Json = dict[str, object]
SECRET = Label.HIDDEN_FROM_REPRESENTATIVES
MARK = {"security": [{"code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]}
PATIENT = {"reference": "Patient/p"}


def to(reference: str) -> Json:
    return {"reference": reference}


def visit(**more: object) -> Json:
    return {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": PATIENT,
        "appointment": [to("Appointment/a")],
        **more,
    }


def observation(rid: str = "o", **more: object) -> Json:
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "code": {"text": "x"},
        "subject": PATIENT,
        "encounter": to("Encounter/e"),
        **more,
    }


APPOINTMENT: Json = {
    "resourceType": "Appointment",
    "id": "a",
    "status": "booked",
    "participant": [{"actor": PATIENT, "status": "accepted"}],
}
PROVENANCE: Json = {
    "resourceType": "Provenance",
    "id": "v",
    "target": [to("Observation/o"), PATIENT],
    "recorded": "2026-01-01T00:00:00Z",
    "agent": [{"who": to("Practitioner/x")}],
}
REPORT: Json = {
    "resourceType": "DiagnosticReport",
    "id": "r",
    "status": "final",
    "code": {"text": "x"},
    "subject": PATIENT,
    "encounter": to("Encounter/e"),
    "result": [to("Observation/result")],
}
RESULT: Json = {
    "resourceType": "Observation",
    "id": "result",
    "status": "final",
    "code": {"text": "y"},
    "subject": PATIENT,
}
VACCINE: Json = {
    "resourceType": "Immunization",
    "id": "i",
    "status": "completed",
    "vaccineCode": {"text": "x"},
    "patient": PATIENT,
    "occurrenceDateTime": "2026-01-01",
    "encounter": to("Encounter/e"),
}
BELONGING = [APPOINTMENT, observation(), PROVENANCE, REPORT, RESULT, VACCINE]
NAMES = sorted(f"{one['resourceType']}/{one['id']}" for one in [visit(), *BELONGING])
CONSENT: Json = {
    "resourceType": "Consent",
    "id": "c",
    "status": "active",
    "scope": {"coding": [{"code": "patient-privacy"}]},
    "category": [{"text": "x"}],
    "policyRule": {"text": "x"},
    "patient": PATIENT,
    "provision": {"actor": [{"role": {"text": "x"}, "reference": to("Patient/parent")}]},
}


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=LAW)
    await put(opened, {"resourceType": "Patient", "id": "p"})
    await put(opened, CONSENT)
    yield opened
    await opened.database.close()


async def seen(repository: Repository, caller: Caller) -> list[str]:
    """Return what a caller finds of the visit and what belongs to it."""
    found = []
    for rt in sorted({name.partition("/")[0] for name in NAMES}):
        page = await repository.search(caller, rt, [])
        assert page.total == len(page.entries)
        found += [entry.stored.reference for entry in page.entries]
    return sorted(found)


async def labels(repository: Repository, table: str = "resource") -> set[tuple[int, int | None]]:
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            f"SELECT r.label, r.own_label FROM {table} r JOIN label_reach l USING (key)"
        )
    return {(row["label"], row["own_label"]) for row in rows}


@pytest.mark.parametrize("first", ["visit", "rest"])
async def test_a_secret_visit_hides_what_belongs_to_it_in_either_order(
    repository: Repository, first: str
) -> None:
    order = [visit(meta=MARK), *BELONGING]
    for one in order if first == "visit" else reversed(order):
        await put(repository, one)
    parent = await patient_caller(repository, "parent")
    assert await seen(repository, parent) == []
    assert await seen(repository, await patient_caller(repository, "p")) == NAMES


async def test_a_label_set_later_hides_and_lifted_shows_again(repository: Repository) -> None:
    for one in [visit(), *BELONGING]:
        await put(repository, one)
    parent = await patient_caller(repository, "parent")
    assert await seen(repository, parent) == NAMES
    await repository.relabel(SYSTEM, "Encounter", "e", add=SECRET)
    assert await seen(repository, parent) == []
    for name in NAMES:
        with pytest.raises(NotFound):
            await repository.vread(parent, *name.split("/"), version=1)
    await repository.relabel(SYSTEM, "Encounter", "e", remove=SECRET)
    assert await seen(repository, parent) == NAMES


async def test_one_bundle_is_enough(repository: Repository) -> None:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in [visit(meta=MARK), *BELONGING]
    ]
    bundle = encode({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    await repository.transaction(SYSTEM, read_parts(bundle, base="http://x").parts)
    assert await seen(repository, await patient_caller(repository, "parent")) == []


async def test_a_load_carries_labels_too(repository: Repository, tmp_path: Path) -> None:
    for place, one in enumerate([*BELONGING, visit(meta=MARK)]):
        (tmp_path / f"{place}.ndjson").write_bytes(encode(one) + b"\n")
    report = await load(repository, find_sources([tmp_path])[0])
    assert report.created.total() == len(NAMES)
    assert await seen(repository, await patient_caller(repository, "parent")) == []


async def test_own_labels_are_kept_beside_those_that_reached(repository: Repository) -> None:
    await put(repository, observation(meta={"security": [{"code": "R"}]}))
    await put(repository, visit(meta=MARK))
    assert await labels(repository) == {(SECRET, None), (SECRET | Label.RESTRICTED, 2)}


async def test_earlier_versions_carry_the_labels_of_today(repository: Repository) -> None:
    for text in ("x", "y", "z"):
        await put(repository, observation(code={"text": text}))
    await put(repository, visit(meta=MARK))
    assert await labels(repository, "resource_history") == {(SECRET | Label.NORMAL, 1)}


async def test_a_link_that_goes_takes_the_label_along(repository: Repository) -> None:
    for one in [visit(meta=MARK), observation()]:
        await put(repository, one)
    await put(repository, observation(encounter=to("Encounter/other")))
    parent = await patient_caller(repository, "parent")
    assert await seen(repository, parent) == ["Observation/o"]


async def test_resources_that_refer_to_one_another_lose_a_lifted_label(
    repository: Repository,
) -> None:
    await put(repository, observation("o1", derivedFrom=[to("Observation/o2")]))
    await put(repository, {**observation("o2"), "derivedFrom": [to("Observation/o1")]})
    await put(repository, visit(meta=MARK))
    parent = await patient_caller(repository, "parent")
    assert await seen(repository, parent) == []
    await put(repository, visit())
    assert "Observation/o1" in await seen(repository, parent)


async def test_what_belonged_to_a_deleted_visit_stays_hidden(repository: Repository) -> None:
    for one in [visit(meta=MARK), observation()]:
        await put(repository, one)
    await repository.delete(SYSTEM, "Encounter", "e")
    await put(repository, observation(code={"text": "changed"}))
    assert await seen(repository, await patient_caller(repository, "parent")) == []


async def test_labels_never_leave_the_record_they_were_set_in(repository: Repository) -> None:
    await put(repository, visit(meta=MARK))
    await put(repository, observation(subject=to("Patient/other")))
    other = await patient_caller(repository, "other")
    assert (await repository.read(other, "Observation", "o")).version == 1
    async with repository.database.transaction(system=True) as connection:
        label = await connection.fetchval("SELECT label FROM resource WHERE rid = 'o'")
    assert label == Label.NORMAL


async def test_traces_of_what_was_reached_carry_the_label(repository: Repository) -> None:
    await put(repository, visit(meta=MARK))
    await put(repository, observation())
    await repository.read(SYSTEM, "Observation", "o")
    await repository.search(SYSTEM, "Observation", [])
    assert [one["label"] & SECRET for one in (await traces(repository))[-3:]] == [SECRET] * 3


async def test_a_record_without_labels_has_no_row_of_its_own(repository: Repository) -> None:
    for one in [visit(), *BELONGING]:
        await put(repository, one)
    assert await labels(repository) == set()


async def test_races_leave_nothing_of_a_secret_visit_open(repository: Repository) -> None:
    """Whoever comes first: a mask and the resources of the visit meet in every order."""
    await put(repository, visit())
    parent = await patient_caller(repository, "parent")

    async def relabel(pause: float) -> None:
        await asyncio.sleep(pause)
        await repository.relabel(SYSTEM, "Encounter", "e", add=SECRET)

    async def write(names: Sequence[str]) -> None:
        for name in names:
            await put(repository, observation(name))

    for turn in range(12):
        rows = [write([f"t{turn}-{lane}-{n}" for n in range(4)]) for lane in range(4)]
        await asyncio.gather(relabel(turn * 0.003), *rows)
        assert await seen(repository, parent) == []
        await repository.relabel(SYSTEM, "Encounter", "e", remove=SECRET)


def test_every_link_is_a_reference_that_the_types_have() -> None:
    assert {one.rt for one in links() if one.gives} == {
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "Observation",
    }
    assert msgspec.json.encode([one.name for one in links()])
