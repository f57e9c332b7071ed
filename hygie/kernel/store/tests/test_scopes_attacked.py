"""What an application may try beyond its scopes: by guesses, by shared resources, by scopes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from hygie.kernel.errors import (
    Forbidden,
    HygieError,
    InvalidRequest,
    NotFound,
    Unauthenticated,
)
from hygie.kernel.security.caller import SYSTEM, Bearer
from hygie.kernel.security.limits import Limit, limit_of
from hygie.kernel.security.scopes import InvalidScope
from hygie.kernel.security.tokens import issue
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.scoping import constraint
from hygie.kernel.store.tests.conftest import encode, professional_caller, put
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

TEAM: dict[str, object] = {
    "resourceType": "CareTeam",
    "subject": {"reference": "Patient/p"},
    "participant": [{"member": {"reference": "Practitioner/other"}}],
}
Attack = Callable[[Repository, Bearer, str], Awaitable[object]]


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
        for place in ("kept", "gone"):
            await put(opened, observation(f"{place}-{rid}", rid))
        await opened.delete(SYSTEM, "Observation", f"gone-{rid}")
    await put(opened, visit("shared", "q", "p"))
    yield opened
    await opened.database.close()


def observation(rid: str, patient: str) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "code": {"text": "measure"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def visit(rid: str, *patients: str) -> dict[str, object]:
    """Return an appointment of several patients, the first one named first."""
    people = [{"actor": {"reference": f"Patient/{one}"}, "status": "accepted"} for one in patients]
    return {"resourceType": "Appointment", "id": rid, "status": "booked", "participant": people}


async def app(repository: Repository, scope: str, *, patient: str = "p") -> Bearer:
    launched = await repository.party_number(f"Patient/{patient}")
    return await holding(
        repository, limit_of("app", scope.split(), patient=launched, constraint=constraint)
    )


async def holding(repository: Repository, limit: Limit) -> Bearer:
    caller = replace(await professional_caller(repository, "doc"), limit=limit)
    async with repository.database.connection() as connection:
        token = await issue(connection, caller, at=datetime.now(UTC), valid=timedelta(minutes=5))
    return Bearer.from_token(token)


async def refusal(asked: Awaitable[object]) -> HygieError:
    with pytest.raises(HygieError) as refused:
        await asked
    return refused.value


async def _put(repository: Repository, who: Bearer, rid: str) -> object:
    return await repository.update(who, "Observation", rid, encode(observation(rid, "p")))


async def _put_version(repository: Repository, who: Bearer, rid: str) -> object:
    body = encode(observation(rid, "p"))
    return await repository.update(who, "Observation", rid, body, if_match=7)


async def _delete(repository: Repository, who: Bearer, rid: str) -> object:
    return await repository.delete(who, "Observation", rid)


async def _delete_version(repository: Repository, who: Bearer, rid: str) -> object:
    return await repository.delete(who, "Observation", rid, if_match=7)


@pytest.mark.parametrize("rid", ["kept-q", "gone-q"])
@pytest.mark.parametrize("attack", [_put, _put_version, _delete, _delete_version])
async def test_a_write_tells_nothing_of_whoever_is_outside_the_launch(
    repository: Repository, attack: Attack, rid: str
) -> None:
    bound = await app(repository, "patient/Observation.cruds")
    hidden = await refusal(attack(repository, bound, rid))
    absent = await refusal(attack(repository, bound, "nobody-knows"))
    assert (type(hidden), str(hidden)) == (
        type(absent),
        str(absent).replace("nobody-knows", rid),
    )


@pytest.mark.parametrize("rid", ["kept-p", "gone-p", "absent"])
@pytest.mark.parametrize("attack", [_put_version, _delete, _delete_version])
async def test_a_write_without_scope_is_refused_whatever_stands_there(
    repository: Repository, attack: Attack, rid: str
) -> None:
    reader = await app(repository, "patient/Observation.rs")
    refused = await refusal(attack(repository, reader, rid))
    assert isinstance(refused, Forbidden)
    assert "user/Observation" in str(refused)


async def test_what_is_also_somebody_else_s_is_read_and_not_changed(
    repository: Repository,
) -> None:
    bound = await app(repository, "patient/Appointment.cruds")
    assert (await repository.read(bound, "Appointment", "shared")).rid == "shared"
    taken = repository.update(bound, "Appointment", "shared", encode(visit("shared", "p")))
    assert isinstance(await refusal(taken), Forbidden)
    assert isinstance(await refusal(repository.delete(bound, "Appointment", "shared")), Forbidden)
    new = await refusal(repository.create(bound, "Appointment", encode(visit("n", "p", "q"))))
    assert isinstance(new, Forbidden)


async def test_what_was_deleted_comes_back_within_the_scope_alone(repository: Repository) -> None:
    await put(repository, observation("back", "p"))
    await repository.delete(SYSTEM, "Observation", "back")
    constrained = await app(repository, "patient/Observation.cruds?status=final")
    assert isinstance(await refusal(_put(repository, constrained, "back")), NotFound)
    await _put(repository, await app(repository, "patient/Observation.cruds"), "back")


async def test_who_may_open_a_record_is_changed_under_a_scope_of_that_name_alone(
    database: ScratchDatabase, repository: Repository
) -> None:
    willing = await open_repository(database.settings, law=replace(LAW, guard=_let))
    team = {**TEAM, "id": "team-p", "participant": [{"member": {"reference": "Practitioner/x"}}]}
    try:
        everything = await app(willing, "patient/*.cruds")
        refused = await refusal(willing.create(everything, "CareTeam", encode(TEAM)))
        assert "patient/CareTeam.c" in str(refused)
        refused = await refusal(willing.update(everything, "CareTeam", "team-p", encode(team)))
        assert "patient/CareTeam.u" in str(refused)
        refused = await refusal(willing.delete(everything, "CareTeam", "team-p"))
        assert "patient/CareTeam.d" in str(refused)
        nobody = {key: value for key, value in TEAM.items() if key != "participant"}
        await willing.create(everything, "CareTeam", encode(nobody))
        named = await app(willing, "patient/*.rs patient/CareTeam.c")
        await willing.create(named, "CareTeam", encode(TEAM))
    finally:
        await willing.database.close()


def _let(*_: object) -> None:
    """Let everybody change who may open a record: the scope alone is tried."""


async def test_a_scope_that_leaves_too_many_choices_is_refused_at_once() -> None:
    listed = ",".join(map(str, range(200)))
    scope = f"user/Observation.rs?category={listed}&code={listed}&status={listed}&method={listed}"
    with pytest.raises(InvalidScope, match="combinations"):
        limit_of("app", [scope], patient=None, constraint=constraint)


async def test_a_paging_link_of_the_person_serves_no_application(repository: Repository) -> None:
    doctor = await professional_caller(repository, "doc")
    page = await repository.search(doctor, "Patient", [("_count", "1")])
    assert page.next is not None
    pairs = parse_qsl(page.next)
    assert (await repository.search(doctor, "Patient", pairs)).entries
    bound = await app(repository, "patient/*.cruds")
    assert isinstance(await refusal(repository.search(bound, "Patient", pairs)), InvalidRequest)


async def test_a_token_of_unknown_words_fails_alone_in_its_group(repository: Repository) -> None:
    broken = await holding(repository, Limit("app", ("user/Observation.rs?vanished=x",)))
    sound = await app(repository, "patient/Observation.rs")
    reads = [repository.read(who, "Observation", "kept-p") for who in (broken, sound)]
    refused, read = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(refused, Unauthenticated)
    assert not isinstance(read, BaseException)
