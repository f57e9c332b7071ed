"""Decisions of a person, written through the store under the whole law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hygie.domains.consent.fhir.codes import CHOICE as CHOICE_SYSTEM
from hygie.domains.consent.fhir.writing import Statement, care_team, consent, delegate, participant
from hygie.domains.consent.model.choices import (
    Choice,
    Choices,
    FirstVisit,
    Naming,
    Party,
    Span,
    Standing,
)
from hygie.domains.consent.model.constants import birthday
from hygie.domains.consent.model.emergency import Declaration
from hygie.domains.consent.model.states import RecordState
from hygie.domains.consent.service import choices, decisions, emergencies
from hygie.domains.consent.tests.conftest import Desk
from hygie.kernel.errors import Conflict, Forbidden, HygieError, InvalidRequest, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller

NOW = datetime.now(UTC).replace(microsecond=0)


async def told(desk: Desk, person: Caller, *, at: datetime = NOW) -> Choices:
    rid = person.reference.partition("/")[2]
    return await choices.read_choices(desk.repository, person, rid, at=at)


async def sees(desk: Desk, caller: Caller, rid: str) -> bool:
    try:
        await desk.repository.read(caller, "Patient", rid)
    except NotFound:
        return False
    return True


def party(caller: Caller) -> Party:
    return Party(caller.reference, "")


async def test_the_first_visit_lets_the_care_team_read(desk: Desk) -> None:
    anne, doctor = await desk.new_person("anne"), await desk.new_professional("petit")
    await decisions.add_member(desk.repository, anne, "anne", who=party(doctor), at=NOW)
    assert not await sees(desk, doctor, "anne")
    answer = FirstVisit(care_team=True, emergencies=False)
    await decisions.first_visit_choice(desk.repository, anne, "anne", answer=answer, at=NOW)
    assert await sees(desk, doctor, "anne")
    now = await told(desk, anne)
    assert now.answered
    assert now.care_team_agreed == NOW
    assert not now.emergency_allowed
    assert not now.centre_15_allowed
    assert [(one.who.name, one.since_event) for one in now.members] == [("Dr Petit", "designation")]


async def test_a_no_at_the_first_visit_is_an_answer(desk: Desk) -> None:
    person = await desk.new_person("noel")
    answer = FirstVisit(care_team=False, emergencies=True)
    await decisions.first_visit_choice(desk.repository, person, "noel", answer=answer, at=NOW)
    now = await told(desk, person)
    assert now.answered
    assert now.care_team_agreed is None
    assert now.emergency_allowed


async def test_withdrawing_closes_the_record_to_the_team_at_once(desk: Desk) -> None:
    bob, doctor = await desk.new_person("bob"), await desk.new_professional("roux")
    await decisions.add_member(desk.repository, bob, "bob", who=party(doctor), at=NOW)
    await decisions.consent_to_team(desk.repository, bob, "bob", at=NOW)
    assert await sees(desk, doctor, "bob")
    await decisions.withdraw_from_team(desk.repository, bob, "bob", at=NOW)
    assert not await sees(desk, doctor, "bob")


async def test_a_membership_ends_by_the_persons_choice(desk: Desk) -> None:
    cleo, doctor = await desk.new_person("cleo"), await desk.new_professional("duo")
    await decisions.consent_to_team(desk.repository, cleo, "cleo", at=NOW)
    await decisions.add_member(desk.repository, cleo, "cleo", who=party(doctor), at=NOW)
    (member,) = (await told(desk, cleo)).members
    await decisions.end_membership(desk.repository, cleo, "cleo", key=member.key, at=NOW)
    assert not await sees(desk, doctor, "cleo")
    now = await told(desk, cleo, at=NOW + timedelta(seconds=2))
    assert now.members == ()
    assert [one.until_event for one in now.former_members] == ["withdrawal"]


async def test_an_access_outside_the_team_lasts_a_day_unless_the_person_says_more(
    desk: Desk,
) -> None:
    dora, doctor = await desk.new_person("dora"), await desk.new_professional("autre")
    key = await decisions.give_access(desk.repository, dora, "dora", who=party(doctor), at=NOW)
    (given,) = (await told(desk, dora)).accesses
    assert given.key == key
    assert given.span.ends == NOW + timedelta(days=1)
    assert await sees(desk, doctor, "dora")
    await decisions.end_access(desk.repository, dora, "dora", key=key, at=NOW)
    assert not await sees(desk, doctor, "dora")
    assert (await told(desk, dora)).accesses == ()


async def test_an_access_outside_the_team_has_an_end_within_a_year(desk: Desk) -> None:
    person = await desk.new_person("dina")
    doctor = Party("Practitioner/autre", "")
    until = NOW + timedelta(days=366)
    with pytest.raises(InvalidRequest, match="within 365 days"):
        await decisions.give_access(
            desk.repository, person, "dina", who=doctor, until=until, at=NOW
        )


async def test_a_blocked_professional_reads_nothing_until_unblocked(desk: Desk) -> None:
    eve, doctor = await desk.new_person("eve"), await desk.new_professional("bloque")
    await decisions.consent_to_team(desk.repository, eve, "eve", at=NOW)
    await decisions.add_member(desk.repository, eve, "eve", who=party(doctor), at=NOW)
    key = await decisions.block(desk.repository, eve, "eve", who=party(doctor), at=NOW)
    assert not await sees(desk, doctor, "eve")
    again = await decisions.block(desk.repository, eve, "eve", who=party(doctor), at=NOW)
    assert again == key
    await decisions.unblock(desk.repository, eve, "eve", key=key, at=NOW)
    assert await sees(desk, doctor, "eve")


async def test_a_helper_reads_and_a_representative_decides_too(desk: Desk) -> None:
    fay, helper = await desk.new_person("fay"), await desk.new_person("helen")
    deputy = await desk.new_person("denis")
    for who, standing in ((helper, Standing.HELPER), (deputy, Standing.MANDATE)):
        naming = Naming(party(who), standing, NOW + timedelta(days=30))
        await decisions.name_helper(desk.repository, fay, "fay", naming=naming, at=NOW)
    assert await sees(desk, helper, "fay")
    with pytest.raises(HygieError):
        await decisions.consent_to_team(desk.repository, helper, "fay", at=NOW)
    await decisions.consent_to_team(desk.repository, deputy, "fay", at=NOW)
    now = await told(desk, fay)
    assert now.care_team_agreed is not None
    assert {one.standing: one.manages for one in now.delegates} == {
        Standing.HELPER: False,
        Standing.MANDATE: True,
    }


async def test_an_ended_helper_reads_nothing(desk: Desk) -> None:
    gus, helper = await desk.new_person("gus"), await desk.new_person("hugo")
    naming = Naming(party(helper), Standing.HELPER)
    key = await decisions.name_helper(desk.repository, gus, "gus", naming=naming, at=NOW)
    assert await sees(desk, helper, "gus")
    await decisions.end_helper(desk.repository, gus, "gus", key=key, at=NOW)
    assert not await sees(desk, helper, "gus")


async def test_a_representative_gives_themself_nothing(desk: Desk) -> None:
    iris, deputy = await desk.new_person("iris"), await desk.new_person("jean")
    naming = Naming(party(deputy), Standing.MANDATE, NOW + timedelta(days=3))
    await decisions.name_helper(desk.repository, iris, "iris", naming=naming, at=NOW)
    longer = Naming(party(deputy), Standing.HELPER)
    with pytest.raises(Forbidden, match="Nobody gives themself rights"):
        await decisions.name_helper(desk.repository, deputy, "iris", naming=longer, at=NOW)
    other = Naming(Party("Patient/anne", ""), Standing.MANDATE)
    with pytest.raises(Forbidden, match="Only the person names who decides"):
        await decisions.name_helper(desk.repository, deputy, "iris", naming=other, at=NOW)


async def test_a_representative_may_resign(desk: Desk) -> None:
    kim, deputy = await desk.new_person("kim"), await desk.new_person("leo")
    naming = Naming(party(deputy), Standing.MANDATE)
    key = await decisions.name_helper(desk.repository, kim, "kim", naming=naming, at=NOW)
    await decisions.end_helper(desk.repository, deputy, "kim", key=key, at=NOW)
    assert not await sees(desk, deputy, "kim")


async def test_a_closed_record_is_read_by_the_person_alone_and_reopens(desk: Desk) -> None:
    mia, doctor = await desk.new_person("mia"), await desk.new_professional("mercier")
    await decisions.consent_to_team(desk.repository, mia, "mia", at=NOW)
    await decisions.add_member(desk.repository, mia, "mia", who=party(doctor), at=NOW)
    await decisions.close(desk.repository, mia, "mia", at=NOW)
    assert not await sees(desk, doctor, "mia")
    assert await sees(desk, mia, "mia")
    now = await told(desk, mia)
    assert now.state is RecordState.CLOSED
    assert now.destroyed_after is not None
    assert now.destroyed_after.year == NOW.year + 10
    with pytest.raises(Conflict):
        await decisions.close(desk.repository, mia, "mia", at=NOW)
    await decisions.reopen(desk.repository, mia, "mia", at=NOW)
    assert await sees(desk, doctor, "mia")
    assert (await told(desk, mia)).state is RecordState.REOPENED


async def test_a_person_opposes_the_record_and_accepts_it_later(desk: Desk) -> None:
    nina = await desk.new_person("nina")
    await decisions.record_notice(desk.repository, SYSTEM, "nina", at=NOW)
    assert (await told(desk, nina)).state is RecordState.PENDING
    assert (await told(desk, nina, at=NOW + timedelta(days=42))).state is RecordState.OPENED
    await decisions.oppose(desk.repository, nina, "nina", at=NOW)
    assert (await told(desk, nina)).state is RecordState.OPPOSED
    await decisions.accept(desk.repository, nina, "nina", at=NOW)
    assert (await told(desk, nina)).state is not RecordState.OPPOSED


async def test_switches_go_and_come_back(desk: Desk) -> None:
    olga = await desk.new_person("olga")
    for decide in (
        decisions.refuse_emergency,
        decisions.refuse_centre_15,
        decisions.refuse_research,
    ):
        await decide(desk.repository, olga, "olga", refused=True, at=NOW)
    await decisions.restrict(desk.repository, olga, "olga", restricted=True, at=NOW)
    now = await told(desk, olga)
    assert (now.emergency_allowed, now.centre_15_allowed, now.research_allowed) == (False,) * 3
    assert now.restricted
    await decisions.refuse_research(desk.repository, olga, "olga", refused=False, at=NOW)
    assert (await told(desk, olga)).research_allowed


async def test_a_choice_written_twice_is_withdrawn_as_one(desk: Desk) -> None:
    person = await desk.new_person("ruth")
    said = Statement("ruth", "Patient/ruth", NOW)
    for rid in ("ruth-1", "ruth-2"):
        await desk.write({**consent(said, Choice.RESEARCH, permit=False), "id": rid})
    await desk.write({**consent(said, Choice.RESEARCH, permit=True), "id": "ruth-3"})
    assert not (await told(desk, person)).research_allowed
    await decisions.refuse_research(desk.repository, person, "ruth", refused=False, at=NOW)
    assert (await told(desk, person)).research_allowed


@pytest.mark.parametrize(("years", "days", "alone"), [(16, -1, True), (16, 1, False)])
async def test_a_child_decides_alone_from_sixteen(
    desk: Desk, years: int, days: int, alone: bool
) -> None:
    rid = f"young{days + 1}"
    turned = NOW.date() + timedelta(days=days)
    person = await desk.new_person(rid, birth=birthday(turned, -years).isoformat())
    mother = await desk.new_person(f"{rid}-mother")
    said = Statement(rid, mother.reference, NOW)
    parent = delegate(said, party(mother), Standing.PARENT, Span(NOW - timedelta(days=9), None))
    await desk.write({**parent, "id": f"{rid}-parent"})
    await decisions.consent_to_team(desk.repository, mother, rid, at=NOW)
    if alone:
        await decisions.withdraw_from_team(desk.repository, person, rid, at=NOW)
    else:
        with pytest.raises(Forbidden, match="Your parents decide"):
            await decisions.withdraw_from_team(desk.repository, person, rid, at=NOW)


async def test_other_consents_are_no_choices_about_the_record(desk: Desk) -> None:
    person = await desk.new_person("tina")
    actor = [{"role": {"text": "x"}, "reference": {"reference": "Patient/anne"}}]
    study = {
        "resourceType": "Consent",
        "scope": {"text": "research"},
        "category": [{"text": "study"}],
        "patient": {"reference": "Patient/tina"},
        "policyRule": {"text": "x"},
        "provision": {"type": "permit", "actor": actor},
    }
    await desk.write({**study, "id": "tina-1", "status": "active"})
    unknown = {"coding": [{"system": CHOICE_SYSTEM, "code": "burn"}]}
    await desk.write({**study, "id": "tina-2", "status": "inactive", "category": [unknown]})
    now = await told(desk, person)
    assert now.delegates == ()
    assert not now.answered


async def test_an_emergency_makes_nobody_a_member(desk: Desk) -> None:
    await desk.new_person("sam")
    doctor = await desk.new_professional("garde")
    why = Declaration("Patient inconscient", "Urgences")
    await emergencies.break_glass(desk.repository, doctor, "sam", declaration=why, at=NOW)
    team = care_team(Statement("sam", "Patient/sam", NOW))
    team["participant"] = [participant(party(doctor), Span(NOW, None), "designation")]
    with pytest.raises(Forbidden, match="One joins a care team by the person's choice"):
        await desk.repository.create(doctor, "CareTeam", msgspec.json.encode(team))


async def test_choices_of_a_person_are_no_business_of_others(desk: Desk) -> None:
    await desk.new_person("paul")
    stranger, doctor = await desk.new_person("quinn"), await desk.new_professional("petit")
    with pytest.raises(NotFound):
        await choices.read_choices(desk.repository, stranger, "paul", at=NOW)
    with pytest.raises(Forbidden, match="ask the person"):
        await choices.read_choices(desk.repository, doctor, "paul", at=NOW)
