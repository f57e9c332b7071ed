"""Break-glass: declared with a reason, for a few hours, for oneself; never silently prolonged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hygie.domains.consent.fhir.codes import EMERGENCY_ACCESS, concept
from hygie.domains.consent.model.emergency import Declaration
from hygie.domains.consent.service import decisions, emergencies
from hygie.domains.consent.service.running import running
from hygie.domains.consent.tests.conftest import Desk
from hygie.kernel.errors import Forbidden, HygieError, NotFound, Unprocessable

NOW = datetime.now(UTC).replace(microsecond=0)
WHY = Declaration("Patient inconscient, allergies inconnues", "Urgences, CHU")


async def sees(desk: Desk, caller: Any, rid: str) -> bool:
    try:
        await desk.repository.read(caller, "Patient", rid)
    except NotFound:
        return False
    return True


async def test_a_physician_opens_a_record_for_four_hours(desk: Desk) -> None:
    await desk.new_person("e-anne")
    doctor = await desk.new_professional("e-petit")
    assert not await sees(desk, doctor, "e-anne")
    opened = await emergencies.break_glass(
        desk.repository, doctor, "e-anne", declaration=WHY, at=NOW
    )
    assert opened.opens
    assert opened.emergency.span.ends == NOW + timedelta(hours=4)
    assert opened.emergency.professional.name == "Dr E-petit"
    assert await sees(desk, doctor, "e-anne")
    (active,) = await running(desk.repository, doctor)
    assert (active.key, active.patient) == (opened.emergency.key, "e-anne")
    assert active.ends == NOW + timedelta(hours=4)
    found = opened.emergency
    assert (found.patient, found.reason, found.place) == ("e-anne", WHY.reason, WHY.place)
    assert not found.reviewed
    assert not found.span.holds(NOW + timedelta(hours=4))


async def test_it_ends_early_when_the_physician_says_so(desk: Desk) -> None:
    await desk.new_person("e-bob")
    doctor = await desk.new_professional("e-roux")
    opened = await emergencies.break_glass(
        desk.repository, doctor, "e-bob", declaration=WHY, at=NOW
    )
    await emergencies.end_break_glass(desk.repository, doctor, opened.emergency.key, at=NOW)
    assert not await sees(desk, doctor, "e-bob")


async def test_a_refusal_of_the_person_keeps_it_shut_and_the_declaration_stays(desk: Desk) -> None:
    person = await desk.new_person("e-cleo")
    doctor = await desk.new_professional("e-duo")
    await decisions.refuse_emergency(desk.repository, person, "e-cleo", refused=True, at=NOW)
    opened = await emergencies.break_glass(
        desk.repository, doctor, "e-cleo", declaration=WHY, at=NOW
    )
    assert not opened.opens
    found = await desk.repository.read(person, "Task", opened.emergency.key)
    assert found.version == 1


async def test_what_opens_nothing_is_not_shown_as_open(desk: Desk) -> None:
    person = await desk.new_person("e-dora")
    doctor = await desk.new_professional("e-mai")
    await emergencies.break_glass(desk.repository, doctor, "e-dora", declaration=WHY, at=NOW)
    assert len(await running(desk.repository, doctor)) == 1
    await decisions.refuse_emergency(desk.repository, person, "e-dora", refused=True, at=NOW)
    assert not await running(desk.repository, doctor)
    await decisions.refuse_emergency(desk.repository, person, "e-dora", refused=False, at=NOW)
    assert len(await running(desk.repository, doctor)) == 1


@pytest.mark.parametrize(("profession", "opens"), [("10", True), ("60", True), ("21", False)])
async def test_some_professions_only_break_the_glass(
    desk: Desk, profession: str, opens: bool
) -> None:
    rid = f"e-p{profession}"
    await desk.new_person(rid)
    who = await desk.new_professional(f"e-w{profession}", profession)
    declared = emergencies.break_glass(desk.repository, who, rid, declaration=WHY, at=NOW)
    if opens:
        assert (await declared).opens
    else:
        with pytest.raises(Forbidden, match="profession does not open"):
            await declared


async def test_centre_15_is_for_regulating_physicians(desk: Desk) -> None:
    await desk.new_person("e-dora")
    doctor = await desk.new_professional("e-autre")
    with pytest.raises(Forbidden, match="regulating physician"):
        await emergencies.break_glass(
            desk.repository, doctor, "e-dora", declaration=WHY, centre_15=True, at=NOW
        )


@pytest.mark.parametrize(
    ("declaration", "why"),
    [
        (Declaration("urgent", "CHU"), "10 to 500 characters"),
        (Declaration("x" * 501, "CHU"), "10 to 500 characters"),
        (Declaration("patient inconscient", " "), "Say where"),
        (Declaration("patient inconscient", "CHU", hours=4.1), "4 hours at most"),
        (Declaration("patient inconscient", "CHU", hours=0), "4 hours at most"),
    ],
)
async def test_a_declaration_says_why_where_and_for_how_long(
    desk: Desk, declaration: Declaration, why: str
) -> None:
    doctor = await desk.new_professional("e-petit")
    with pytest.raises(Unprocessable, match=why):
        await emergencies.break_glass(
            desk.repository, doctor, "e-anne", declaration=declaration, at=NOW
        )


def task(patient: str, requester: str, /, **more: Any) -> dict[str, Any]:
    start, end = (NOW + timedelta(seconds=s) for s in (0, 3600 * 4 - 1))
    return {
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "code": concept(EMERGENCY_ACCESS, "break-glass"),
        "for": {"reference": f"Patient/{patient}"},
        "requester": {"reference": f"Practitioner/{requester}"},
        "executionPeriod": {"start": start.isoformat(), "end": end.isoformat()},
        "reasonCode": {"text": "Patient inconscient"},
        "location": {"display": "CHU"},
        **more,
    }


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"requester": {"reference": "Practitioner/e-petit"}}, Forbidden),
        ({"executionPeriod": {"start": NOW.isoformat()}}, Unprocessable),
        (
            {
                "executionPeriod": {
                    "start": (NOW - timedelta(days=1)).isoformat(),
                    "end": (NOW - timedelta(hours=21)).isoformat(),
                }
            },
            Forbidden,
        ),
        ({"reasonCode": {"text": "?"}}, Unprocessable),
        ({"location": {"identifier": {"value": "1"}}}, Unprocessable),
    ],
)
async def test_a_declaration_by_the_machine_face_obeys_the_same_rules(
    desk: Desk, more: dict[str, Any], refusal: type[HygieError]
) -> None:
    await desk.new_person("e-eve")
    await desk.new_professional("e-petit")
    doctor = await desk.new_professional("e-machine")
    raw = msgspec.json.encode(task("e-eve", "e-machine", **more))
    with pytest.raises(refusal):
        await desk.repository.create(doctor, "Task", raw)


async def test_a_declared_emergency_is_never_prolonged(desk: Desk) -> None:
    await desk.new_person("e-fay")
    doctor = await desk.new_professional("e-long")
    short = Declaration(WHY.reason, WHY.place, hours=1)
    opened = await emergencies.break_glass(
        desk.repository, doctor, "e-fay", declaration=short, at=NOW
    )
    key = opened.emergency.key
    raw = msgspec.json.encode({**task("e-fay", "e-long"), "id": key})
    with pytest.raises(Forbidden, match="never prolonged"):
        await desk.repository.update(doctor, "Task", key, raw)
