"""What people are told of helps, on the real repository."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from hygie.domains.helping import fhir
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.testing.factories import patient
from hygie.testing.portal import Site

NOW = datetime.now(UTC)
CHILD, MOTHER = "child-gwen", "mother-anna"


def _run(site: Site, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(20)


def _repository(site: Site) -> Repository:
    repository = site.platform.repository
    assert repository is not None
    return repository


async def _put(repository: Repository, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    if "id" in body:
        await repository.update(SYSTEM, body["resourceType"], body["id"], raw)
    else:
        await repository.create(SYSTEM, body["resourceType"], raw)


def _born(years: int, days: int) -> str:
    """Return the birth date of who is of an age in some days."""
    day = (NOW + timedelta(days=days)).date()
    return date(day.year - years, day.month, min(day.day, 28)).isoformat()


async def _tell(repository: Repository, reference: str) -> set[str]:
    news = import_module("hygie.domains.helping.service.news")
    records = import_module("hygie.domains.helping.service.records")
    caller = await records.person_caller(repository, reference)
    return {one.news.value for one in await news.news_of(repository, caller, at=NOW)}


async def _notices(repository: Repository, what: str) -> list[dict[str, Any]]:
    async with repository.database.connection() as connection:
        rows = await connection.fetch("SELECT payload FROM job WHERE kind = 'notice'")
    told = [json.loads(row["payload"]) for row in rows]
    return [one for one in told if one["what"] == what]


@pytest.fixture(scope="module")
def family(site: Site) -> Repository:
    """Write Gwen, who is 18 in ten days, and her mother."""
    repository = _repository(site)
    _run(site, _put(repository, patient("Ab", "Gwen", id=CHILD, birthDate=_born(18, 10), ins="")))
    _run(site, _put(repository, patient("Ab", "Anna", id=MOTHER, birthDate="1980-01-05", ins="")))
    who = fhir.Named(f"Patient/{MOTHER}", "Anna Ab")
    given = fhir.Delegation(CHILD, "", who, "parent", NOW - timedelta(days=900), None)
    _run(site, _put(repository, fhir.consent(given, status="active")))
    return repository


def test_child_and_parent_are_both_told_of_the_majority(site: Site, family: Repository) -> None:
    assert "majority-own" in _run(site, _tell(family, f"Patient/{CHILD}"))
    assert "majority-child" in _run(site, _tell(family, f"Patient/{MOTHER}"))


def test_a_guardian_is_reminded_before_the_end(site: Site, family: Repository) -> None:
    who = fhir.Named(f"Patient/{MOTHER}", "Anna Ab")
    ends = NOW + timedelta(days=60)
    given = fhir.Delegation("paul-durand", "", who, "guardian", NOW, ends)
    body = {**fhir.consent(given, status="active"), "id": "guardian-of-paul"}
    _run(site, _put(family, body))
    assert "measure-renewal" in _run(site, _tell(family, f"Patient/{MOTHER}"))
    _run(site, _put(family, {**fhir.closed(body, "inactive", at=NOW), "id": body["id"]}))


def test_each_notice_is_put_once(site: Site, family: Repository) -> None:
    news = import_module("hygie.domains.helping.service.news")
    for _pass in range(2):
        _run(site, news.put_notices(family, at=NOW))
    own = _run(site, _notices(family, "majority-own"))
    children = _run(site, _notices(family, "majority-child"))
    party = _run(site, family.party_number(f"Patient/{CHILD}"))
    assert [one["party"] for one in own if one["about"] == party] == [party]
    assert len([one for one in children if one["about"] == party]) == 1
    assert not {"name", "birthDate"} & set(own[0])
