"""The token of an application sees what its user sees, within its scopes and never beyond."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hygie.kernel.errors import Forbidden, HygieError, NotFound
from hygie.kernel.security.caller import Bearer, Caller
from hygie.kernel.security.limits import limit_of
from hygie.kernel.security.scopes import InvalidScope
from hygie.kernel.security.tokens import introspect, issue, revoke_client, revoke_family
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.kernel.store.scoping import constraint
from hygie.kernel.store.tests.conftest import encode, professional_caller, put
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

VITALS = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.fixture(scope="module")
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(database.settings, law=LAW)
    for rid in ("p", "q"):
        await put(opened, {"resourceType": "Patient", "id": rid})
        team: dict[str, object] = {
            "resourceType": "CareTeam",
            "id": f"team-{rid}",
            "subject": {"reference": f"Patient/{rid}"},
            "participant": [{"member": {"reference": "Practitioner/doc"}}],
        }
        await put(opened, team)
        for category in ("vital-signs", "laboratory"):
            await put(opened, observation(f"{category}-{rid}", rid, category))
    await put(opened, {"resourceType": "Organization", "id": "o", "name": "Centre"})
    yield opened
    await opened.database.close()


def observation(rid: str, patient: str, category: str) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "category": [{"coding": [{"system": VITALS, "code": category}]}],
        "code": {"text": "measure"},
        "subject": {"reference": f"Patient/{patient}"},
    }


async def token(
    repository: Repository, scope: str, *, patient: str = "", client: str = "app"
) -> Bearer:
    doctor: Caller = await professional_caller(repository, "doc")
    launched = await repository.party_number(f"Patient/{patient}") if patient else None
    limit = limit_of(client, scope.split(), patient=launched, constraint=constraint)
    async with repository.database.connection() as connection:
        issued = await issue(
            connection,
            replace(doctor, limit=limit),
            at=datetime.now(UTC),
            valid=timedelta(minutes=5),
        )
    return Bearer.from_token(issued)


async def found(
    repository: Repository, bearer: Bearer, rt: str, *pairs: tuple[str, str]
) -> list[str]:
    page = await repository.search(bearer, rt, pairs)
    return sorted(entry.stored.rid for entry in page.entries)


async def answers(repository: Repository, bearer: Bearer, rids: Sequence[str]) -> list[str]:
    reads = [repository.read(bearer, "Observation", rid) for rid in rids]
    results = await asyncio.gather(*reads, return_exceptions=True)
    return [type(one).__name__ for one in results]


async def test_a_search_finds_what_the_scope_reaches(repository: Repository) -> None:
    whole = await token(repository, "user/Observation.rs")
    assert len(await found(repository, whole, "Observation")) == 4
    vitals = await token(repository, f"user/Observation.rs?category={VITALS}|vital-signs")
    assert await found(repository, vitals, "Observation") == ["vital-signs-p", "vital-signs-q"]
    bound = await token(repository, "patient/Observation.rs?category=laboratory", patient="p")
    assert await found(repository, bound, "Observation") == ["laboratory-p"]
    either = await token(
        repository, "patient/Observation.s?category=laboratory,vital-signs", patient="q"
    )
    assert await found(repository, either, "Observation") == ["laboratory-q", "vital-signs-q"]


async def test_a_total_counts_what_the_scope_reaches(repository: Repository) -> None:
    bound = await token(repository, "patient/Observation.rs?category=laboratory", patient="p")
    page = await repository.search(bound, "Observation", [("_summary", "count")])
    assert page.total == 1


async def test_a_read_is_within_the_scope_or_finds_nothing(repository: Repository) -> None:
    bound = await token(repository, "patient/Observation.rs?category=vital-signs", patient="p")
    asked = ["vital-signs-p", "laboratory-p", "vital-signs-q", "absent"]
    assert await answers(repository, bound, asked) == [
        "Stored",
        "NotFound",
        "NotFound",
        "NotFound",
    ]


async def test_reads_of_people_and_applications_are_grouped(repository: Repository) -> None:
    doctor = await professional_caller(repository, "doc")
    bound = await token(repository, "patient/Observation.rs", patient="p")
    reads = [repository.read(who, "Observation", "laboratory-q") for who in (doctor, bound)]
    mine, theirs = await asyncio.gather(*reads, return_exceptions=True)
    assert not isinstance(mine, BaseException)
    assert isinstance(theirs, NotFound)


async def test_a_type_without_scope_is_refused_with_the_scope_to_ask(
    repository: Repository,
) -> None:
    vitals = await token(repository, "user/Observation.rs openid")
    with pytest.raises(Forbidden, match=r"user/Condition\.s"):
        await repository.search(vitals, "Condition", [])
    with pytest.raises(Forbidden, match=r"user/Condition\.r"):
        await repository.read(vitals, "Condition", "anything")
    only_search = await token(repository, "user/Observation.s")
    with pytest.raises(Forbidden):
        await repository.read(only_search, "Observation", "laboratory-p")


async def test_without_a_patient_of_the_launch_patient_scopes_reach_nobody(
    repository: Repository,
) -> None:
    unbound = await token(repository, "patient/*.rs")
    assert await found(repository, unbound, "Observation") == []
    assert await found(repository, unbound, "Organization") == ["o"]


async def test_what_is_included_is_within_the_scopes(repository: Repository) -> None:
    bound = await token(repository, "user/Observation.rs")
    page = await repository.search(
        bound, "Observation", [("_id", "laboratory-p"), ("_include", "Observation:subject")]
    )
    assert [entry.stored.rt for entry in page.entries] == ["Observation"]
    both = await token(repository, "user/Observation.rs user/Patient.rs")
    page = await repository.search(
        both, "Observation", [("_id", "laboratory-p"), ("_include", "Observation:subject")]
    )
    assert [entry.stored.rt for entry in page.entries] == ["Observation", "Patient"]


async def test_a_history_is_within_the_scopes(repository: Repository) -> None:
    await put(repository, observation("told", "p", "laboratory"))
    await put(repository, observation("told", "p", "vital-signs"))
    whole = await token(repository, "user/Observation.rs")
    page = await repository.history(whole, Scope("Observation", "told"))
    assert len(page.entries) == 2
    vitals = await token(repository, "user/Observation.rs?category=vital-signs")
    page = await repository.history(vitals, Scope("Observation", "told"))
    assert len(page.entries) == 1


@pytest.mark.parametrize(
    ("scope", "patient", "category", "allowed"),
    [
        ("user/Observation.u", "q", "laboratory", True),
        ("user/Observation.rs", "q", "laboratory", False),
        ("patient/Observation.u", "p", "laboratory", True),
        ("patient/Observation.u", "q", "laboratory", False),
        ("user/Observation.u?category=vital-signs", "p", "vital-signs", True),
        ("user/Observation.u?category=vital-signs", "p", "laboratory", False),
    ],
)
async def test_a_write_is_within_the_scope_before_and_after(
    repository: Repository, scope: str, patient: str, category: str, *, allowed: bool
) -> None:
    app = await token(repository, scope, patient="p")
    body = observation(f"{category}-{patient}", patient, category)
    writing = repository.update(app, "Observation", str(body["id"]), encode(body))
    if allowed:
        await writing
    else:
        with pytest.raises((Forbidden, NotFound)):
            await writing


async def test_a_write_takes_nothing_into_reach(repository: Repository) -> None:
    app = await token(repository, "user/Observation.u?category=vital-signs")
    body = encode(observation("laboratory-p", "p", "vital-signs"))
    with pytest.raises(NotFound):
        await repository.update(app, "Observation", "laboratory-p", body)


async def test_a_scope_never_widens_what_its_user_may(repository: Repository) -> None:
    await put(repository, {"resourceType": "Patient", "id": "stranger"})
    app = await token(repository, "user/*.cruds system/*.cruds patient/*.cruds", patient="stranger")
    assert "stranger" not in await found(repository, app, "Patient")


async def test_a_token_ends_with_its_family_and_with_its_application(
    repository: Repository,
) -> None:
    app = await token(repository, "user/Observation.rs", client="ending")
    async with repository.database.connection() as connection:
        facts = await introspect(connection, app)
        assert facts is not None
        assert (facts.client, facts.scope) == ("ending", ("user/Observation.rs",))
        await revoke_client(connection, "ending", reference="Practitioner/doc")
        assert await introspect(connection, app) is None
        await revoke_family(connection, uuid.uuid4())
    with pytest.raises(HygieError, match="revoked"):
        await repository.search(app, "Observation", [])


@pytest.mark.parametrize(
    "scope",
    [
        "user/Observation.rs?date=2026",
        "user/Observation.rs?nothing=x",
        "user/*.rs?category=x",
        "user/Nothing.rs",
    ],
)
def test_a_constraint_that_cannot_be_held_is_refused(scope: str) -> None:
    with pytest.raises(InvalidScope):
        limit_of("app", [scope], patient=None, constraint=constraint)
