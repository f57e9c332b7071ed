"""What those who act for somebody get: never what is hidden from them, nor a sign of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hygie.domains.rights.fhir.choices import RESEARCH, RESTRICTION
from hygie.domains.rights.service.choices import (
    choose,
    objections,
    record_release,
    releases,
    standing,
)
from hygie.domains.rights.service.erasure import plan_erasure
from hygie.domains.rights.service.rectification import ask, to_answer
from hygie.domains.rights.tests.conftest import AT, copied, lines, person, put
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository
from hygie.testing.factories import condition, encounter, patient
from hygie.testing.stories import LUCIE, NORA

NOW = datetime.now(UTC) - timedelta(seconds=5)
CHILD, MOTHER = "child-zoe", "mother-anne"
SECRET = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}
TERMS = "http://terminology.hl7.org/CodeSystem"


def speaks_for(who: str, whom: str, standing_code: str) -> dict[str, Any]:
    base = "https://hygie.example.org/fhir/CodeSystem"
    return {
        "resourceType": "Consent",
        "id": f"{standing_code}-{who}-{whom}",
        "status": "active",
        "scope": {"coding": [{"system": f"{TERMS}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": f"{base}/choice", "code": "representative"}]}],
        "patient": {"reference": f"Patient/{whom}"},
        "policyRule": {"coding": [{"system": f"{TERMS}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": {
                        "coding": [{"system": f"{base}/representative", "code": standing_code}]
                    },
                    "reference": {"reference": f"Patient/{who}"},
                }
            ],
        },
    }


@pytest.fixture(scope="module", autouse=True)
async def family(repository: Repository) -> Caller:
    """Tell of Zoé, 15, her mother, and a visit that Zoé keeps to herself."""
    await put(repository, patient("Roy", "Zoé", id=CHILD, birthDate="2011-03-01", ins=""))
    await put(repository, patient("Roy", "Anne", id=MOTHER, birthDate="1980-03-01", ins=""))
    await put(repository, speaks_for(MOTHER, CHILD, "parent"))
    me = f"Patient/{CHILD}"
    await put(repository, condition(me, "Asthme"))
    secret = encounter(me, "Consultation confidentielle", "2026-05-01T10:00:00+02:00", "Secret")
    await put(repository, secret | {"meta": {"security": [SECRET]}})
    return await person(repository, MOTHER)


async def test_the_secret_visit_of_a_minor_is_nowhere_in_the_copy_of_a_parent(
    repository: Repository, family: Caller
) -> None:
    archive = await copied(repository, family, CHILD)
    assert len(lines(archive, "fhir/Condition.ndjson")) == 1
    for name in archive.namelist():
        content = archive.read(name)
        assert b"confidentielle" not in content, name
        assert "Encounter" not in name
    mine = await copied(repository, await person(repository, CHILD), CHILD)
    assert len(lines(mine, "fhir/Encounter.ndjson")) == 1


async def test_a_parent_gets_no_traces_of_accesses(repository: Repository, family: Caller) -> None:
    archive = await copied(repository, family, CHILD)
    assert not [name for name in archive.namelist() if name.startswith("traces/")]


async def test_a_plan_of_erasure_says_the_same_with_or_without_the_secret(
    repository: Repository, family: Caller
) -> None:
    before = await plan_erasure(repository, family, CHILD, at=AT)
    more = encounter(f"Patient/{CHILD}", "Autre secret", "2026-11-01T10:00:00+01:00", "Secret")
    await put(repository, more | {"meta": {"security": [SECRET]}})
    assert await plan_erasure(repository, family, CHILD, at=AT) == before


async def test_at_eighteen_a_parent_asks_no_more(repository: Repository) -> None:
    grown = "grown-up"
    await put(repository, patient("Roy", "Max", id=grown, birthDate="2000-01-01", ins=""))
    await put(repository, speaks_for(MOTHER, grown, "parent"))
    with pytest.raises((Forbidden, NotFound)):
        await copied(repository, await person(repository, MOTHER), grown)


async def test_a_representative_with_a_mandate_may_ask(repository: Repository) -> None:
    old = "old-uncle"
    await put(repository, patient("Roy", "Paul", id=old, birthDate="1940-01-01", ins=""))
    await put(repository, speaks_for(MOTHER, old, "mandate"))
    archive = await copied(repository, await person(repository, MOTHER), old)
    assert len(lines(archive, "fhir/Patient.ndjson")) == 1


async def test_who_objects_is_left_out_of_the_next_release_and_learns_of_past_ones(
    repository: Repository,
) -> None:
    me = await person(repository, NORA)
    past = await record_release(repository, name="cohorte-2026", purpose="diabète", recipient="CHU")
    await choose(repository, me, NORA, choice=RESEARCH, on=True, at=NOW)
    assert f"Patient/{NORA}" in [one async for one in objections(repository)]
    following = await record_release(
        repository, name="cohorte-2027", purpose="diabète", recipient="CHU"
    )
    assert following.objectors == past.objectors + 1
    assert [one.name for one in await releases(repository)][:2] == ["cohorte-2027", "cohorte-2026"]
    await choose(repository, me, NORA, choice=RESEARCH, on=False, at=NOW)
    assert f"Patient/{NORA}" not in [one async for one in objections(repository)]


async def test_a_restriction_holds_until_it_is_lifted(repository: Repository) -> None:
    me = await person(repository, NORA)
    await choose(repository, me, NORA, choice=RESTRICTION, on=True, at=NOW)
    assert (await standing(repository, me, NORA)).restricted is not None
    await choose(repository, me, NORA, choice=RESTRICTION, on=True, at=NOW)
    await choose(repository, me, NORA, choice=RESTRICTION, on=False, at=NOW)
    assert (await standing(repository, me, NORA)).restricted is None


async def test_a_helper_who_reads_chooses_and_asks_nothing(repository: Repository) -> None:
    helper = await person(repository, LUCIE)
    with pytest.raises(Forbidden):
        await choose(repository, helper, NORA, choice=RESTRICTION, on=True, at=NOW)
    with pytest.raises(Forbidden):
        await ask(repository, helper, NORA, focus="Condition/diabetes", wish="Faux", at=AT)


async def test_nobody_outside_the_team_sees_a_request(repository: Repository) -> None:
    me = await person(repository, NORA)
    await ask(repository, me, NORA, focus="Condition/diabetes", wish="Faux", at=AT)
    number = await repository.party_number("Practitioner/stranger")
    stranger = Caller(Kind.PROFESSIONAL, number, "Practitioner/stranger")
    assert await to_answer(repository, stranger) == []
