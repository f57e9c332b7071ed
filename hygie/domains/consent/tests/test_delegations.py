"""Acting under a professional: within the principal's relations, until a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hygie.domains.consent.model.choices import Party
from hygie.domains.consent.model.delegation import Delegation
from hygie.domains.consent.service import decisions, delegations
from hygie.domains.consent.tests.conftest import Desk
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller

NOW = datetime.now(UTC).replace(microsecond=0)
TOMORROW = NOW + timedelta(days=1)


async def sees(desk: Desk, caller: Caller, rt: str, rid: str) -> bool:
    try:
        await desk.repository.read(caller, rt, rid)
    except NotFound:
        return False
    return True


async def test_a_secretary_reads_under_a_member_until_it_ends(desk: Desk) -> None:
    anne, doctor = await desk.new_person("d-anne"), await desk.new_professional("d-petit")
    await desk.write({"resourceType": "Practitioner", "id": "d-sec"})
    secretary = await desk.professional("d-sec")
    await decisions.add_member(
        desk.repository, anne, "d-anne", who=Party(doctor.reference, ""), at=NOW
    )
    named = Delegation(
        Party(secretary.reference, ""), Party(doctor.reference, ""), "secretary", TOMORROW
    )
    key = await delegations.let_act_under(desk.repository, SYSTEM, delegation=named, at=NOW)
    assert not await sees(desk, secretary, "Patient", "d-anne")
    await decisions.consent_to_team(desk.repository, anne, "d-anne", at=NOW)
    assert await sees(desk, secretary, "Patient", "d-anne")
    await delegations.end_acting_under(desk.repository, SYSTEM, key, at=NOW)
    assert not await sees(desk, secretary, "Patient", "d-anne")


async def test_a_substitute_keeps_their_own_profession(desk: Desk) -> None:
    bob, doctor = await desk.new_person("d-bob"), await desk.new_professional("d-roux")
    substitute = await desk.new_professional("d-sub")
    await decisions.give_access(
        desk.repository, bob, "d-bob", who=Party(doctor.reference, ""), at=NOW
    )
    named = Delegation(Party(substitute.reference, ""), Party(doctor.reference, ""), "", TOMORROW)
    await delegations.let_act_under(desk.repository, SYSTEM, delegation=named, at=NOW)
    assert await sees(desk, substitute, "Patient", "d-bob")


DOCTOR, OTHER = Party("Practitioner/d-petit", ""), Party("Practitioner/d-sub", "")


@pytest.mark.parametrize(
    ("delegation", "why"),
    [
        (Delegation(DOCTOR, DOCTOR, "intern", TOMORROW), "another professional"),
        (Delegation(Party("Patient/d-bob", ""), DOCTOR, "intern", TOMORROW), "another"),
        (Delegation(OTHER, DOCTOR, "10", TOMORROW), "no role of somebody"),
        (Delegation(OTHER, DOCTOR, "samu-regulator", TOMORROW), "no role of somebody"),
        (Delegation(OTHER, DOCTOR, "intern", NOW), "after today"),
    ],
)
async def test_a_delegation_that_is_none_is_refused(
    desk: Desk, delegation: Delegation, why: str
) -> None:
    with pytest.raises(InvalidRequest, match=why):
        await delegations.let_act_under(desk.repository, SYSTEM, delegation=delegation, at=NOW)


async def test_an_ordinary_place_of_practice_is_no_delegation(desk: Desk) -> None:
    await desk.write(
        {
            "resourceType": "PractitionerRole",
            "id": "d-place",
            "practitioner": {"reference": "Practitioner/d-petit"},
        }
    )
    with pytest.raises(NotFound):
        await delegations.end_acting_under(desk.repository, SYSTEM, "d-place", at=NOW)
