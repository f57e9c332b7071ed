"""Named jobs: what they write as themselves, and what people are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hygie.domains.consent.fhir.writing import Statement, consent, instant
from hygie.domains.consent.model.choices import Choice, FirstVisit, Party, Span
from hygie.domains.consent.model.emergency import Declaration
from hygie.domains.consent.service import (
    announcing,
    choices,
    decisions,
    emergencies,
    memberships,
    notices,
    retention,
)
from hygie.domains.consent.service.told import News, home
from hygie.domains.consent.tests.conftest import Desk
from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import SYSTEM, Caller

Json = dict[str, Any]
SOON = timedelta(seconds=5)
HIDDEN = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_PATIENT"}
SECRET = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}


def now() -> datetime:
    return datetime.now(UTC)


async def sees(desk: Desk, caller: Caller, rt: str, rid: str) -> bool:
    try:
        await desk.repository.read(caller, rt, rid)
    except NotFound:
        return False
    return True


async def told(desk: Desk, person: Caller) -> list[Json]:
    """Return the notices of a person, oldest first."""
    async with desk.repository.database.connection() as connection:
        rows = await connection.fetch("SELECT payload FROM job WHERE kind = 'notice' ORDER BY id")
    every = [msgspec.json.decode(row["payload"]) for row in rows]
    return [one for one in every if one["party"] == person.party]


def document(rid: str, patient: str, **more: Any) -> Json:
    return {
        "resourceType": "DocumentReference",
        "id": rid,
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "author": [{"reference": "Practitioner/j-lab"}],
        "content": [{"attachment": {"title": "x"}}],
        **more,
    }


async def test_what_waits_for_an_announcement_is_shown_after_the_delay(desk: Desk) -> None:
    person = await desk.new_person("j-anne")
    await desk.write(document("j-d", "j-anne", meta={"security": [HIDDEN]}))
    assert not await sees(desk, person, "DocumentReference", "j-d")
    await announcing.announce(desk.repository, at=now() + timedelta(days=13, hours=23))
    assert not await sees(desk, person, "DocumentReference", "j-d")
    await announcing.announce(desk.repository, at=now() + timedelta(days=14, minutes=1))
    assert await sees(desk, person, "DocumentReference", "j-d")
    (notice,) = await told(desk, person)
    assert (notice["what"], notice["item"]) == ("announced", "DocumentReference/j-d")


async def test_a_new_document_is_told_once_and_without_its_content(desk: Desk) -> None:
    person = await desk.new_person("j-bob")
    await desk.write(document("j-d1", "j-bob", description="HIV test"))
    await desk.write(document("j-d2", "j-bob", meta={"security": [HIDDEN]}))
    await desk.write(document("j-d3", "j-bob", meta={"security": [SECRET]}))
    for _ in range(2):
        await notices.tell_of_documents(desk.repository, at=now() + SOON)
    found = await told(desk, person)
    assert [(one["what"], one["item"], one["secret"]) for one in found] == [
        ("new-document", "DocumentReference/j-d1", False),
        ("new-document", "DocumentReference/j-d3", True),
    ]
    assert set(found[0]) == {"what", "party", "about", "by", "item", "secret"}
    assert found[0]["by"] == "Practitioner/j-lab"
    assert b"HIV" not in msgspec.json.encode(found)


async def test_a_first_access_is_told_and_a_second_is_not(desk: Desk) -> None:
    person, doctor = await desk.new_person("j-cleo"), await desk.new_professional("j-petit")
    await decisions.give_access(
        desk.repository, person, "j-cleo", who=Party(doctor.reference, ""), at=now()
    )
    assert await sees(desk, doctor, "Patient", "j-cleo")
    await notices.tell_of_accesses(desk.repository, at=now() + SOON)
    assert await sees(desk, doctor, "Patient", "j-cleo")
    await notices.tell_of_accesses(desk.repository, at=now() + SOON)
    found = await told(desk, person)
    assert [(one["what"], one["by"]) for one in found] == [("first-access", doctor.reference)]


async def test_every_emergency_access_is_told(desk: Desk) -> None:
    person, doctor = await desk.new_person("j-dora"), await desk.new_professional("j-roux")
    why = Declaration("Patient inconscient", "Urgences")
    for _ in range(2):
        await emergencies.break_glass(desk.repository, doctor, "j-dora", declaration=why, at=now())
    await notices.tell_of_accesses(desk.repository, at=now() + SOON)
    kinds = [one["what"] for one in await told(desk, person)]
    assert kinds.count("emergency-access") == 2


async def test_a_record_closed_ten_years_ago_is_proposed_and_not_destroyed(desk: Desk) -> None:
    person = await desk.new_person("j-eve")
    when = now() - timedelta(days=3653)
    said = Statement("j-eve", "Patient/j-eve", when)
    await desk.write({**consent(said, Choice.CLOSURE, permit=False), "id": "j-closed"})
    recent = await desk.new_person("j-fay")
    await decisions.close(desk.repository, recent, "j-fay", at=now())
    await retention.propose_destructions(desk.repository, at=now())
    assert [one["what"] for one in await told(desk, person)] == ["retention-over"]
    assert await told(desk, recent) == []
    assert await sees(desk, SYSTEM, "Patient", "j-eve")


async def test_an_ended_membership_is_told(desk: Desk) -> None:
    person = await desk.new_person("j-gus")
    doctor = Party("Practitioner/j-petit", "")
    await decisions.add_member(
        desk.repository, person, "j-gus", who=doctor, until=now() + timedelta(hours=1), at=now()
    )
    await notices.tell_of_ended_memberships(desk.repository, at=now())
    assert await told(desk, person) == []
    await notices.tell_of_ended_memberships(desk.repository, at=now() + timedelta(hours=2))
    assert [one["what"] for one in await told(desk, person)] == ["membership-ended"]


def appointment(patient: str, professional: str, status: str, **more: Any) -> Json:
    starts = now() + timedelta(days=3)
    return {
        "resourceType": "Appointment",
        "id": f"a-{patient}",
        "status": status,
        "start": instant(starts),
        "end": instant(starts + timedelta(hours=1)),
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": f"Practitioner/{professional}"}, "status": "accepted"},
        ],
        **more,
    }


async def team_of(desk: Desk, person: Caller, rid: str) -> list[tuple[str, str | None]]:
    found = await choices.read_choices(desk.repository, person, rid, at=now() + SOON)
    return [(one.who.reference, one.since_event) for one in found.members]


async def test_an_appointment_opens_the_record_once_the_person_agreed(desk: Desk) -> None:
    person, doctor = await desk.new_person("j-hal"), await desk.new_professional("j-duo")
    await desk.write(appointment("j-hal", "j-duo", "booked"))
    assert await memberships.follow_events(desk.repository, at=now() + SOON) >= 1
    assert await team_of(desk, person, "j-hal") == [("Practitioner/j-duo", "appointment")]
    assert not await sees(desk, doctor, "Patient", "j-hal")
    answer = FirstVisit(care_team=True, emergencies=True)
    await decisions.first_visit_choice(desk.repository, person, "j-hal", answer=answer, at=now())
    assert await sees(desk, doctor, "Patient", "j-hal")
    assert await memberships.follow_events(desk.repository, at=now() + SOON) == 0
    await desk.write(appointment("j-hal", "j-duo", "cancelled"))
    assert await memberships.follow_events(desk.repository, at=now() + SOON) == 1
    assert not await sees(desk, doctor, "Patient", "j-hal")


async def test_a_membership_the_person_ended_never_comes_back(desk: Desk) -> None:
    person = await desk.new_person("j-kim")
    await desk.write(appointment("j-kim", "j-duo", "booked"))
    await memberships.follow_events(desk.repository, at=now() + SOON)
    found = await choices.read_choices(desk.repository, person, "j-kim", at=now() + SOON)
    (member,) = found.members
    await decisions.end_membership(
        desk.repository, person, "j-kim", key=member.key, at=now() - SOON
    )
    await desk.write(appointment("j-kim", "j-duo", "arrived"))
    assert await memberships.follow_events(desk.repository, at=now() + SOON) == 0
    assert await team_of(desk, person, "j-kim") == []


async def test_a_stay_that_was_over_long_ago_opens_nothing(desk: Desk) -> None:
    person = await desk.new_person("j-jo")
    await desk.write(
        {
            "resourceType": "Encounter",
            "id": "j-old",
            "status": "finished",
            "class": {"code": "IMP"},
            "subject": {"reference": "Patient/j-jo"},
            "serviceProvider": {"reference": "Organization/j-labo"},
            "period": {"start": "2019-01-01", "end": "2019-01-05"},
        }
    )
    await memberships.follow_events(desk.repository, at=now() + SOON)
    assert await team_of(desk, person, "j-jo") == []


async def test_a_secret_appointment_makes_a_secret_membership(desk: Desk) -> None:
    birth = f"{now().year - 16}-01-01"
    person = await desk.new_person("j-ines", birth=birth)
    parent = await desk.new_person("j-maman")
    said = Statement("j-ines", "Patient/j-maman", now())
    guard = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode"}]}
    guard["coding"][0]["code"] = "GUARD"
    naming = consent(
        said,
        Choice.REPRESENTATIVE,
        permit=True,
        span=Span(now() - timedelta(days=1), None),
        actor=Party("Patient/j-maman", ""),
        role=guard,
    )
    await desk.write({**naming, "id": "j-parent"})
    secret = appointment("j-ines", "j-duo", "booked", meta={"security": [SECRET]})
    await desk.write(secret)
    await memberships.follow_events(desk.repository, at=now() + SOON)
    assert await team_of(desk, person, "j-ines") == [("Practitioner/j-duo", "appointment")]
    assert await team_of(desk, parent, "j-ines") == []


@pytest.mark.parametrize(
    ("resource", "event"),
    [
        (
            {
                "resourceType": "ServiceRequest",
                "intent": "order",
                "performer": [{"reference": "Organization/j-labo"}],
            },
            "order",
        ),
        (
            {
                "resourceType": "ServiceRequest",
                "intent": "order",
                "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}],
                "performer": [{"reference": "Practitioner/j-duo"}],
            },
            "referral",
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "intent": "order",
                "medicationCodeableConcept": {"text": "x"},
                "dispenseRequest": {"performer": {"reference": "Organization/j-labo"}},
            },
            "prescription",
        ),
        (
            {
                "resourceType": "Encounter",
                "status": "in-progress",
                "class": {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                    "code": "IMP",
                },
                "serviceProvider": {"reference": "Organization/j-labo"},
            },
            "admission",
        ),
    ],
)
async def test_orders_prescriptions_and_stays_open_it_too(
    desk: Desk, resource: Json, event: str
) -> None:
    rid = f"j-p-{event}"
    person = await desk.new_person(rid)
    about = {"subject": {"reference": f"Patient/{rid}"}, "id": f"j-r-{event}"}
    await desk.write({"status": "active", **resource, **about})
    await memberships.follow_events(desk.repository, at=now() + SOON)
    found = await team_of(desk, person, rid)
    assert [one for _, one in found] == [event]


def joined(until: datetime, **more: Any) -> Json:
    member = {"member": {"reference": "Practitioner/j-petit"}}
    period = {"start": "2026-11-01", "end": instant(until)}
    return {
        "resourceType": "CareTeam", "id": "j-team-hal", "status": "active",
        "subject": {"reference": "Patient/j-ode"}, "participant": [{**member, "period": period}],
        **more,
    }  # fmt: skip


async def test_the_person_is_told_who_prolonged_their_own_membership(desk: Desk) -> None:
    person = await desk.new_person("j-ode")
    doctor = await desk.new_professional("j-petit")
    end = now().replace(microsecond=0) + timedelta(days=3)
    agreed = Statement("j-ode", "Patient/j-ode", now() - SOON)
    await desk.write({**consent(agreed, Choice.CARE_TEAM, permit=True), "id": "j-ode-agrees"})
    await desk.write(joined(end))
    changes = [
        joined(end, name="Suivi"),
        joined(end + timedelta(days=4), name="Suivi"),
        joined(end),
    ]
    prolonged = ["membership-prolonged"]
    for expected, body in zip(([], prolonged, prolonged), changes, strict=True):
        raw = msgspec.json.encode(body)
        await desk.repository.update(doctor, "CareTeam", "j-team-hal", raw)
        for _ in range(2):
            await notices.tell_of_prolonged_memberships(desk.repository, at=now() + SOON)
        assert [one["what"] for one in await told(desk, person)] == expected
    assert (await told(desk, person))[0]["by"] == doctor.reference
    _, found = await home(desk.repository, person, "j-ode", at=now() + SOON)
    assert [one.who for one in found if one.news is News.PROLONGED] == [doctor.reference]
