"""A reindex repairs what stands beside the bodies, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hygie.kernel.database.roles import LOADER
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.reindexing import Reindexed, reindex
from hygie.kernel.store.tests.conftest import patient_caller, professional_caller, put, traces
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

Json = dict[str, object]
PATIENT = {"reference": "Patient/p"}
VISIT: Json = {
    "resourceType": "Encounter",
    "id": "e",
    "meta": {"security": [{"code": "INVISIBLE_REPRESENTANTS_LEGAUX"}]},
    "status": "finished",
    "class": {"code": "AMB"},
    "subject": PATIENT,
}
OBSERVATION: Json = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "category": [{"coding": [{"code": "laboratory"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}]},
    "subject": PATIENT,
    "encounter": {"reference": "Encounter/e"},
    "effectiveDateTime": "2026-01-01",
    "valueQuantity": {"value": 12.50, "unit": "g", "system": "http://unitsofmeasure.org"},
}
TEAM: Json = {
    "resourceType": "CareTeam",
    "id": "t",
    "subject": PATIENT,
    "participant": [{"member": {"reference": "Practitioner/d"}}],
}
TABLES = {
    "resource": "key, present, code, d, label, own_label, matter, frequent, toks, flags, upd, ver",
    "s_string": "key, part, param, norm, raw",
    "s_date": "key, part, param, lo, hi",
    "s_number": "key, part, param, val, unit",
    "care_relation": "pat, member, kind, starts, ends, source",
    "label_reach": "pat, origin, key, label",
    "resource_history": "key, ver, matter, label",
}
SPOIL = """
UPDATE resource SET toks = '{}', matter = 0, label = 1, own_label = NULL, present = 0, code = NULL;
DELETE FROM s_string; DELETE FROM s_number; DELETE FROM care_relation; DELETE FROM label_reach;
UPDATE resource_history SET matter = 0;
"""


class Stopped(Exception):
    """Stands for whatever ends a programme early."""


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=LAW)
    await put(opened, {"resourceType": "Patient", "id": "p", "name": [{"family": "Abc"}]})
    for one in (TEAM, OBSERVATION, {**OBSERVATION, "status": "amended"}, VISIT):
        await put(opened, one)
    yield opened
    await opened.database.close()


async def content(database: ScratchDatabase) -> dict[str, list[str]]:
    async with database.open(role=LOADER, size=1) as loader, loader.connection() as connection:
        return {
            table: sorted(map(str, await connection.fetch(f"SELECT {columns} FROM {table}")))
            for table, columns in TABLES.items()
        }


async def spoil(database: ScratchDatabase) -> None:
    async with database.open(role=LOADER, size=1) as loader, loader.connection() as connection:
        await connection.execute(SPOIL)


async def test_what_is_up_to_date_stays_as_it_is(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    before = await content(fresh_database)
    done = await reindex(repository)
    assert (done.seen, done.changed, done.refused) == (4, 0, [])
    assert await content(fresh_database) == before


async def test_everything_that_follows_from_the_bodies_comes_back(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    before = await content(fresh_database)
    await spoil(fresh_database)
    done = await reindex(repository, batch=2)
    assert (done.seen, done.changed) == (4, 4)
    assert await content(fresh_database) == before
    doctor = await professional_caller(repository, "d")
    found = await repository.search(doctor, "Observation", [("code", "718-7")])
    assert found.total == 1
    parent = await patient_caller(repository, "parent")
    assert (await repository.search(parent, "Observation", [])).total == 0


async def test_an_interrupted_reindex_goes_on_where_it_was(
    repository: Repository, fresh_database: ScratchDatabase
) -> None:
    await spoil(fresh_database)

    def interrupt(done: Reindexed) -> None:
        if done.seen == 2:
            raise Stopped

    with pytest.raises(Stopped):
        await reindex(repository, batch=1, show=interrupt)
    rest = await reindex(repository, batch=1)
    assert rest.seen == 2
    assert (await reindex(repository)).seen == 4


async def test_it_is_traced_as_the_job_it_is(repository: Repository) -> None:
    await reindex(repository)
    last = (await traces(repository))[-1]
    number = await repository.party_number("Patient/p")
    assert (last["agent"], last["rule"], list(last["pats"])) == ("job/reindex", "reindex", [number])
    assert last["detail"] == "hygie reindex: 4 resources"


async def test_no_version_is_made(repository: Repository, fresh_database: ScratchDatabase) -> None:
    await spoil(fresh_database)
    await reindex(repository)
    assert (await repository.read(SYSTEM, "Observation", "o")).version == 2
