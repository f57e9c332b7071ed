"""Whoever is counted is named in the log, however many they are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.searching import FEW_PEOPLE
from hygie.kernel.store.tracing import Request
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

MANY = FEW_PEOPLE + 5
CODE = ("status", "final")
HIDDEN = {"security": [{"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}]}
_TRACES = "SELECT pat, pats, label, detail, query FROM trace WHERE request = $1 ORDER BY id"


@pytest.fixture(scope="module")
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give a store where many people have one observation each; the last one is not announced."""
    repository = await open_repository(database.settings, law=LAW, size=2)
    for number in range(MANY):
        meta = {"meta": HIDDEN} if number == MANY - 1 else {}
        await put(repository, {"resourceType": "Patient", "id": f"counted-{number}"})
        await put(
            repository,
            {
                "resourceType": "Observation",
                "id": f"counted-of-{number}",
                "status": "final",
                "code": {"text": "note"},
                "subject": {"reference": f"Patient/counted-{number}"},
                **meta,
            },
        )
    yield repository
    await repository.database.close()


async def put(repository: Repository, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    await repository.update(SYSTEM, body["resourceType"], body["id"], raw)


@pytest.fixture(scope="module")
async def log(database: ScratchDatabase) -> AsyncIterator[Database]:
    log = await Database.open(database.dsn, role=roles.OWNER, size=1)
    yield log
    await log.close()


async def traced(log: Database, request: Request) -> list[dict[str, Any]]:
    async with log.connection() as connection:
        return [dict(row) for row in await connection.fetch(_TRACES, request.id)]


@pytest.mark.parametrize("told", [("_summary", "count"), ("_count", "0")])
async def test_a_number_over_many_people_names_them_all_once(
    repository: Repository, log: Database, told: tuple[str, str]
) -> None:
    request = Request("search-type", query=f"status=final&{told[0]}={told[1]}")
    await repository.search(SYSTEM, "Observation", [CODE, told], request=request)
    rows = await traced(log, request)
    named = [number for row in rows for number in row["pats"]]
    assert len(named) == len(set(named)) == MANY
    assert {row["detail"] for row in rows} == {f"of {MANY}"}
    assert {row["query"] for row in rows} == {(request.query or "").encode()}


async def test_what_was_not_announced_is_counted_apart(
    repository: Repository, log: Database
) -> None:
    """So that the trace of what is known never tells that there is something else."""
    request = Request("search-type")
    asked = [CODE, ("_summary", "count")]
    await repository.search(SYSTEM, "Observation", asked, request=request)
    sets = {row["label"] & 16: len(row["pats"]) for row in await traced(log, request)}
    assert sets == {0: MANY - 1, 16: 1}


async def test_a_page_names_one_by_one_whose_data_it_shows(
    repository: Repository, log: Database
) -> None:
    request = Request("search-type")
    asked = [CODE, ("_count", "100")]
    await repository.search(SYSTEM, "Observation", asked, request=request)
    rows = await traced(log, request)
    assert len({row["pat"] for row in rows}) == MANY
    assert {row["pats"] for row in rows} == {None}


async def test_a_person_reads_that_they_were_one_of_those_counted(repository: Repository) -> None:
    request = Request("search-type")
    asked = [CODE, ("_summary", "count")]
    await repository.search(SYSTEM, "Observation", asked, request=request)
    number = await repository.party_number("Patient/counted-3")
    person = Caller(Kind.PATIENT, number, "Patient/counted-3")
    site = repository.site
    events = AuditEvents(site.base, key_of, zone=site.zone, clock=SystemClock())
    async with repository.database.connection() as connection:
        await connection.execute(begin([number], system=False))
        page = await events.search(connection, person, [("_count", "1")])
        await connection.execute("ROLLBACK")
    told = page.events[0].body.decode()
    assert "Patient/counted-3" in told
    assert f"one of {MANY - 1} patients" in told
    assert "counted-4" not in told
