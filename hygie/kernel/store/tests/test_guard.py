"""Whoever changes a fact that the rules read passes the guard; other changes do not meet it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from hygie.kernel.errors import Forbidden
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.facts import Fact, Stated
from hygie.kernel.store.tests.conftest import encode, professional_caller, put
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

Json = dict[str, object]
asked: list[tuple[frozenset[Stated], frozenset[Stated]]] = []


def guard(caller: Caller, rt: str, before: frozenset[Stated], after: frozenset[Stated]) -> None:
    asked.append((before, after))
    if caller.kind != Kind.SYSTEM:
        raise Forbidden(f"{rt}: only the operator may.")


def team(name: str, *members: str) -> Json:
    return {
        "resourceType": "CareTeam",
        "id": "team",
        "status": "active",
        "name": name,
        "subject": {"reference": "Patient/p"},
        "participant": [{"member": {"reference": f"Practitioner/{one}"}} for one in members],
    }


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(fresh_database.settings, law=replace(LAW, guard=guard))
    await put(opened, {"resourceType": "Patient", "id": "p"})
    await put(opened, team("one", "me"))
    asked.clear()
    yield opened
    await opened.database.close()


async def test_a_change_that_states_the_same_facts_is_nobody_s_business(
    repository: Repository,
) -> None:
    doctor = await professional_caller(repository, "me")
    await repository.update(doctor, "CareTeam", "team", encode(team("two", "me")))
    assert asked == []


async def test_a_change_of_facts_needs_the_guard(repository: Repository) -> None:
    doctor = await professional_caller(repository, "me")
    with pytest.raises(Forbidden, match="only the operator"):
        await repository.update(doctor, "CareTeam", "team", encode(team("one", "me", "friend")))
    ((before, after),) = asked
    assert {one.member for one in before if isinstance(one, Fact)} == {("Practitioner", "me")}
    assert len(after) == 2


async def test_a_deletion_takes_its_facts_away_and_needs_the_guard(
    repository: Repository,
) -> None:
    doctor = await professional_caller(repository, "me")
    with pytest.raises(Forbidden):
        await repository.delete(doctor, "CareTeam", "team")
    await repository.delete(SYSTEM, "CareTeam", "team")
    assert [after for _, after in asked] == [frozenset(), frozenset()]


async def test_the_facts_before_are_those_that_were_stated(repository: Repository) -> None:
    await repository.update(SYSTEM, "CareTeam", "team", encode(team("one", "other")))
    ((before, after),) = asked
    (fact,) = before
    assert isinstance(fact, Fact)
    assert (fact.patient, fact.kind) == (("Patient", "p"), Relation.CARE_TEAM)
    assert after != before
