"""What a token proves of a professional is what the store says, from the next request on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hygie.domains.federation.fhir import PROFESSIONS as PROFESSIONS_SYSTEM
from hygie.domains.federation.model.exercises import (
    Exercise,
    Place,
    Professional,
    professional_of,
)
from hygie.domains.federation.service import professionals
from hygie.domains.federation.service.professionals import UpToDate
from hygie.domains.federation.tests.conftest import put
from hygie.kernel.errors import Conflict, Forbidden
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository
from hygie.testing.simulators.pro_sante_connect import professional_claims
from hygie.testing.simulators.serving import PROFESSIONALS

Json = dict[str, Any]
CABINET = Place(finess="410000012", name="Cabinet de la Loire")
HOSPITAL = Place(finess="410000020", name="Hôpital de Blois")
DOCTOR, NURSE = Exercise("10", "SM54", CABINET), Exercise("60", "", HOSPITAL)
IRIS = Professional("810000000017", "10000000017", "FAURE", "Iris", (DOCTOR,), regulates=False)
PERSON: Json = {
    "resourceType": "Practitioner",
    "id": "iris",
    "meta": {"profile": ["https://example.org/profile"]},
    "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "10000000017"}],
    "name": [{"family": "Faure", "given": ["Iris"]}],
}


async def prove(repository: Repository, professional: Professional) -> UpToDate:
    stored = await professionals.find(repository, professional)
    assert stored is not None
    now = datetime.now(UTC)
    return await professionals.bring_up_to_date(repository, stored, professional, at=now)


async def caller(repository: Repository) -> Caller:
    """Return the professional as the gate sees them now."""
    number = await repository.party_number("Practitioner/iris")
    return await repository.authenticate(Caller(Kind.PROFESSIONAL, number, "Practitioner/iris"))


async def roles(repository: Repository) -> list[Json]:
    found = await repository.search(SYSTEM, "PractitionerRole", [("practitioner", "iris")])
    return [msgspec.json.decode(one.stored.body or b"") for one in found.entries]


async def test_roles_structures_and_specialty_come_from_the_token(repository: Repository) -> None:
    await put(repository, PERSON)
    done = await prove(repository, replace(IRIS, exercises=(DOCTOR, NURSE)))
    assert done.reference == "Practitioner/iris"
    asked = await caller(repository)
    assert asked.roles == {"10", "60"}
    assert len(asked.structures) == 2
    specialties = [
        one["specialty"][0]["coding"][0]["code"]
        for one in await roles(repository)
        if "specialty" in one
    ]
    assert specialties == ["SM54"]


async def test_the_same_token_again_writes_nothing(repository: Repository) -> None:
    await put(repository, PERSON)
    assert (await prove(repository, IRIS)).writes == 2
    assert (await prove(repository, IRIS)).writes == 0
    assert len(await roles(repository)) == 1


async def test_a_professional_struck_off_is_nobody_at_the_next_request(
    repository: Repository,
) -> None:
    await put(repository, PERSON)
    await prove(repository, IRIS)
    assert (await caller(repository)).roles == {"10"}
    await prove(repository, replace(IRIS, exercises=()))
    after = await caller(repository)
    assert (after.roles, after.structures) == (frozenset(), frozenset())
    (ended,) = await roles(repository)
    assert ended["active"] is False
    assert "end" in ended["period"]


async def test_a_role_that_ended_begins_again_beside_the_old_one(repository: Repository) -> None:
    await put(repository, PERSON)
    await prove(repository, IRIS)
    await prove(repository, replace(IRIS, exercises=()))
    await prove(repository, IRIS)
    assert (await caller(repository)).roles == {"10"}
    assert sorted(one["active"] for one in await roles(repository)) == [False, True]


async def test_a_change_of_structure_ends_one_role_and_begins_another(
    repository: Repository,
) -> None:
    await put(repository, PERSON)
    await prove(repository, IRIS)
    await prove(repository, replace(IRIS, exercises=(replace(DOCTOR, place=HOSPITAL),)))
    assert len((await caller(repository)).structures) == 1
    assert len(await roles(repository)) == 2


async def test_a_role_of_the_operator_stays_when_the_profession_goes(
    repository: Repository,
) -> None:
    code = [
        {"coding": [{"system": PROFESSIONS_SYSTEM, "code": "10"}]},
        {
            "coding": [
                {
                    "system": "https://hygie.example.org/fhir/CodeSystem/role",
                    "code": "samu-regulator",
                }
            ]
        },
    ]
    own: Json = {
        "resourceType": "PractitionerRole",
        "id": "own",
        "practitioner": {"reference": "Practitioner/iris"},
        "code": code,
    }
    await put(repository, PERSON, own)
    await prove(repository, replace(IRIS, exercises=()))
    assert (await caller(repository)).roles == {"samu-regulator"}
    kept = await prove(repository, IRIS)
    assert [post.exercise.profession for post in kept.regulation] == ["samu-regulator"]


async def test_a_delegation_loses_its_profession_and_stays_the_principals(
    repository: Repository,
) -> None:
    under = "https://hygie.example.org/fhir/StructureDefinition/acting-under"
    delegation: Json = {
        "resourceType": "PractitionerRole",
        "id": "under",
        "extension": [{"url": under, "valueReference": {"reference": "Practitioner/chief"}}],
        "practitioner": {"reference": "Practitioner/iris"},
        "period": {"start": "2026-01-01", "end": "2099-01-01"},
        "code": [{"coding": [{"system": PROFESSIONS_SYSTEM, "code": "10"}]}],
    }
    await put(repository, PERSON, delegation)
    assert (await caller(repository)).roles == {"10"}
    await prove(repository, replace(IRIS, exercises=()))
    after = await caller(repository)
    assert after.roles == frozenset()
    assert len(after.principals) == 1


async def test_profiles_and_names_of_the_directory_are_kept(repository: Repository) -> None:
    await put(repository, PERSON)
    await prove(repository, IRIS)
    stored = await repository.read(SYSTEM, "Practitioner", "iris")
    body = msgspec.json.decode(stored.body or b"")
    assert body["meta"]["profile"] == ["https://example.org/profile"]
    assert body["name"] == PERSON["name"]


async def test_two_people_with_one_number_are_a_conflict(repository: Repository) -> None:
    await put(repository, PERSON, {**PERSON, "id": "other"})
    with pytest.raises(Conflict):
        await professionals.find(repository, IRIS)


async def test_an_unknown_professional_is_found_after_registration(repository: Repository) -> None:
    assert await professionals.find(repository, IRIS) is None
    stored = await professionals.register(repository, IRIS)
    found = await professionals.find(repository, IRIS)
    assert found is not None
    assert found.reference == stored.reference


def test_the_claims_name_each_place_of_each_profession() -> None:
    found = professional_of(professional_claims(PROFESSIONALS[0], frozenset()))
    assert [one.place.finess for one in found.exercises if one.place] == ["410000012", "410000020"]
    assert (found.rpps, found.national_id) == ("10000000017", "810000000017")


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"SubjectNameID": "8100"},
        {"SubjectNameID": "8100", "SubjectRefPro": {"exercices": None}},
        {"SubjectNameID": "", "SubjectRefPro": {"exercices": []}},
    ],
)
def test_a_token_without_professional_data_changes_nothing(claims: Json) -> None:
    with pytest.raises(Forbidden):
        professional_of(claims)


def test_an_empty_list_of_exercises_is_somebody_struck_off() -> None:
    claims = {"SubjectNameID": "8100", "SubjectRefPro": {"exercices": []}}
    assert professional_of(claims).exercises == ()
