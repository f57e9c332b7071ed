"""Nobody hides, or shows, somebody else's item through a reference of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from hygie.domains.consent.fhir.codes import CHOICE as CHOICE_SYSTEM
from hygie.domains.consent.tests.conftest import Desk
from hygie.kernel.errors import Forbidden, NotFound, Unprocessable
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.labels import Label

Json = dict[str, Any]
SYSTEM_OF_LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
MASK, SECRET = "MASQUE_PS", "INVISIBLE_REPRESENTANTS_LEGAUX"
ANNOUNCE = "INVISIBLE_PATIENT"
TEAM = {"petit": "10", "roux": "10", "noir": "60"}


def marked(*codes: str) -> Json:
    security = [{"system": SYSTEM_OF_LABELS, "code": code} for code in codes]
    return {"meta": {"security": security}} if codes else {}


@dataclass
class Ward:
    """A patient in the care of two doctors and a nurse, who all read."""

    desk: Desk
    patient: str

    def resource(self, rt: str, author: str, *codes: str, **more: Any) -> Json:
        who = {"reference": f"Practitioner/{author}"}
        signed: Json = {
            "Observation": {"performer": [who], "code": {"text": "x"}, "status": "final",
                            "category": [{"coding": [{"code": "laboratory"}]}]},
            "DiagnosticReport": {"performer": [who], "code": {"text": "x"}, "status": "final"},
            "Encounter": {"participant": [{"individual": who}], "status": "finished",
                          "class": {"code": "AMB"}},
        }[rt]  # fmt: skip
        about = {"subject": {"reference": f"Patient/{self.patient}"}}
        return {"resourceType": rt, **signed, **about, **marked(*codes), **more}

    async def create(self, who: str, rt: str, *codes: str, **more: Any) -> str:
        """Write as its author; return the reference."""
        caller = await self.desk.professional(who)
        raw = msgspec.json.encode(self.resource(rt, who, *codes, **more))
        return (await self.desk.repository.create(caller, rt, raw)).stored.reference

    async def change(self, who: str, reference: str, body: Json) -> None:
        rt, rid = reference.split("/")
        raw = msgspec.json.encode({**body, "id": rid})
        await self.desk.repository.update(await self.desk.professional(who), rt, rid, raw)

    async def is_read_by(self, caller: Caller, reference: str) -> bool:
        try:
            await self.desk.repository.read(caller, *reference.split("/"))
        except NotFound:
            return False
        return True

    async def by(self, who: str, reference: str) -> bool:
        return await self.is_read_by(await self.desk.professional(who), reference)


def team_of(patient: str) -> list[Json]:
    """Return the choice by which the team reads, and the team."""
    agreed = {
        "resourceType": "Consent", "id": f"{patient}-agrees", "status": "active",
        "scope": {"text": "access"}, "policyRule": {"text": "choice"},
        "category": [{"coding": [{"system": CHOICE_SYSTEM, "code": "care-team"}]}],
        "patient": {"reference": f"Patient/{patient}"}, "provision": {"type": "permit"},
    }  # fmt: skip
    members = [
        {"member": {"reference": f"Practitioner/{rid}"}, "period": {"start": "2020"}}
        for rid in TEAM
    ]
    team = {
        "resourceType": "CareTeam", "id": f"{patient}-team", "status": "active",
        "subject": {"reference": f"Patient/{patient}"}, "participant": members,
    }  # fmt: skip
    return [agreed, team]


@pytest.fixture(scope="module")
async def ward(desk: Desk) -> Ward:
    await desk.new_person("lea")
    for rid, profession in TEAM.items():
        await desk.new_professional(rid, profession)
    for body in team_of("lea"):
        await desk.write(body)
    return Ward(desk, "lea")


def to(reference: str) -> Json:
    return {"reference": reference}


async def test_ones_own_item_goes_into_ones_own_hidden_visit(ward: Ward) -> None:
    visit = await ward.create("petit", "Encounter", MASK)
    mine = await ward.create("petit", "Observation", encounter=to(visit))
    assert await ward.by("petit", mine)
    assert not await ward.by("roux", mine)


async def test_nobody_moves_anothers_item_into_a_hidden_visit(ward: Ward) -> None:
    theirs = await ward.create("roux", "Observation")
    visit = await ward.create("petit", "Encounter", MASK)
    moved = ward.resource("Observation", "roux", encounter=to(visit))
    with pytest.raises(Forbidden, match="add MASQUE_PS to"):
        await ward.change("petit", theirs, moved)
    assert await ward.by("noir", theirs)


async def test_a_masked_report_does_not_hide_the_result_of_another(ward: Ward) -> None:
    theirs = await ward.create("roux", "Observation")
    with pytest.raises(Forbidden, match="add MASQUE_PS to Observation"):
        await ward.create("petit", "DiagnosticReport", MASK, result=[to(theirs)])
    report = await ward.create("petit", "DiagnosticReport", result=[to(theirs)])
    petit = await ward.desk.professional("petit")
    with pytest.raises(Forbidden, match="add MASQUE_PS to Observation"):
        await ward.desk.repository.relabel(
            petit, *report.split("/"), add=Label.MASKED_FROM_PROFESSIONALS
        )
    assert await ward.by("noir", theirs)


async def test_a_doctor_makes_a_report_wait_with_the_results_of_another(ward: Ward) -> None:
    """What the writer may do to the item, the reference may do too."""
    theirs, person = await ward.create("roux", "Observation"), await ward.desk.person("lea")
    await ward.create("petit", "DiagnosticReport", ANNOUNCE, result=[to(theirs)])
    assert not await ward.is_read_by(person, theirs)
    other = await ward.create("roux", "Observation")
    with pytest.raises(Forbidden, match="add INVISIBLE_PATIENT to"):
        await ward.create("noir", "DiagnosticReport", ANNOUNCE, result=[to(other)])


async def test_a_hidden_and_an_absent_result_answer_alike(ward: Ward) -> None:
    hidden = await ward.create("roux", "Observation", MASK)
    absent = "Observation/00000000-0000-4000-8000-000000000000"
    said = []
    for reference in (hidden, absent):
        with pytest.raises(Unprocessable) as refused:
            await ward.create("petit", "DiagnosticReport", MASK, result=[to(reference)])
        said.append(str(refused.value).replace(reference, "?"))
    assert said[0] == said[1]


async def test_nobody_shows_what_a_secret_visit_hides_by_taking_it_out(ward: Ward) -> None:
    visit = await ward.create("petit", "Encounter", SECRET)
    item = await ward.create("petit", "Observation", encounter=to(visit))
    bare = ward.resource("Observation", "petit")
    with pytest.raises(Forbidden, match="remove INVISIBLE_REPRESENTANTS_LEGAUX from"):
        await ward.change("noir", item, bare)
    kept = ward.resource("Observation", "petit", encounter=to(visit), note=[{"text": "vu"}])
    await ward.change("noir", item, kept)
    await ward.change("petit", item, bare)


async def test_the_person_masks_a_visit_whoever_wrote_its_items(ward: Ward) -> None:
    visit = await ward.create("petit", "Encounter")
    theirs = await ward.create("roux", "Observation", encounter=to(visit))
    person = await ward.desk.person("lea")
    await ward.desk.repository.relabel(
        person, *visit.split("/"), add=Label.MASKED_FROM_PROFESSIONALS
    )
    assert not await ward.by("noir", theirs)
    assert await ward.by("roux", theirs)


async def test_an_item_of_another_that_was_attached_stays_so(ward: Ward) -> None:
    """The operator may attach; a correction of the report afterwards moves no label."""
    theirs = await ward.create("roux", "Observation")
    report = await ward.create("petit", "DiagnosticReport", MASK)
    rt, rid = report.split("/")
    body = {**ward.resource(rt, "petit", MASK, result=[to(theirs)]), "id": rid}
    await ward.desk.repository.update(SYSTEM, rt, rid, msgspec.json.encode(body))
    assert not await ward.by("noir", theirs)
    await ward.change("petit", report, {**body, "conclusion": "corrigé"})


async def test_a_conditional_update_that_matches_nothing_visible_creates(ward: Ward) -> None:
    """What is hidden answers like what is not there: both create (R4, http.html#cond-update)."""
    mine = {"identifier": [{"system": "urn:x", "value": "hidden"}]}
    await ward.create("roux", "Observation", MASK, **mine)
    petit = await ward.desk.professional("petit")
    for value in ("hidden", "absent"):
        body = ward.resource("Observation", "petit")
        body["identifier"] = [{"system": "urn:x", "value": value}]
        written = await ward.desk.repository.update_where(
            petit,
            "Observation",
            msgspec.json.encode(body),
            criteria=[("identifier", f"urn:x|{value}")],
        )
        assert written.created
        assert written.stored.version == 1


async def test_a_conditional_update_creates_nothing_in_the_record_of_a_stranger(
    ward: Ward,
) -> None:
    await ward.desk.new_person("stranger")
    petit = await ward.desk.professional("petit")
    body = {**ward.resource("Observation", "petit"), "subject": to("Patient/stranger")}
    with pytest.raises(Forbidden):
        await ward.desk.repository.update_where(
            petit, "Observation", msgspec.json.encode(body), criteria=[("identifier", "urn:x|none")]
        )
