"""The queue: who may work it, the order, the states, what is told to whom."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from hygie.domains.oversight.model.states import NEXT, Origin, State, check_change
from hygie.domains.oversight.service import daily, queue, reporting
from hygie.domains.oversight.service.settling import settle
from hygie.domains.oversight.tests.conftest import AT, DAY, REVIEWER, Ward
from hygie.kernel.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Kind


@pytest.fixture
async def listed(ward: Ward) -> int:
    """Give the number of an item about Anna, who opened her neighbour's record."""
    await ward.professional("anna", line="4 rue des Lilas")
    await ward.patient("zoe", line="12 rue des Lilas")
    await ward.look("anna", "zoe")
    await ward.score()
    found = await queue.read_queue(ward.repository, REVIEWER)
    return found.waiting[0].id


async def _notices(ward: Ward) -> list[dict[str, object]]:
    async with ward.repository.database.connection() as connection:
        rows = await connection.fetch("SELECT payload FROM job WHERE kind = 'notice' ORDER BY id")
    return [msgspec.json.decode(row["payload"]) for row in rows]


async def test_an_item_names_the_patient_by_initials_and_number_only(
    ward: Ward, listed: int
) -> None:
    item = await queue.read_item(ward.repository, REVIEWER, listed)
    assert (item.initials, item.pat) == ("Z.M.", await ward.number("Patient/zoe"))
    assert item.agent == "Practitioner/anna"
    assert item.types == ("Observation",)
    assert item.rule == "care-team"


@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.PROFESSIONAL, Kind.PATIENT])
async def test_without_the_right_nobody_reads_the_queue(ward: Ward, kind: Kind) -> None:
    with pytest.raises(Forbidden):
        await queue.read_queue(ward.repository, Caller(kind, 0, "account/8"))


async def test_reading_the_queue_leaves_a_trace_about_each_patient(ward: Ward, listed: int) -> None:
    await queue.read_item(ward.repository, REVIEWER, listed)
    async with ward.log.connection() as connection:
        rows = await connection.fetch("SELECT pat, rule FROM trace WHERE agent = 'account/7'")
    patient = await ward.number("Patient/zoe")
    assert {(row["pat"], row["rule"]) for row in rows} == {(patient, "access-log")}
    assert len(rows) == 2


async def test_an_abnormal_access_is_told_to_the_patient_without_health_content(
    ward: Ward, listed: int
) -> None:
    await queue.take(ward.repository, REVIEWER, listed, at=AT)
    decision = State.ABNORMAL
    note = "Aucun lien de soin."
    await queue.decide(ward.repository, REVIEWER, listed, decision, note=note, at=AT)
    item = await queue.read_item(ward.repository, REVIEWER, listed)
    assert (item.state, item.note) == (State.ABNORMAL, note)
    patient = await ward.number("Patient/zoe")
    told = {"what": "abnormal-access", "party": patient, "about": patient, "item": listed}
    assert await _notices(ward) == [{**told, "event": item.event}]
    await queue.close(ward.repository, REVIEWER, listed, at=AT)


async def test_the_professional_is_asked_and_answers_once(ward: Ward, listed: int) -> None:
    anna = await ward.doctor("anna")
    await queue.take(ward.repository, REVIEWER, listed, at=AT)
    await queue.ask(ward.repository, REVIEWER, listed, question="Pourquoi ce dossier ?")
    (question,) = await reporting.questions(ward.repository, anna)
    assert question.asked == "Pourquoi ce dossier ?"
    words = "Appelée par le service."
    await reporting.answer(ward.repository, anna, listed, words=words, at=AT)
    item = await queue.read_item(ward.repository, REVIEWER, listed)
    assert (item.state, item.answer) == (State.IN_REVIEW, words)
    assert (await _notices(ward))[0]["party"] == anna.party
    with pytest.raises(NotFound):
        await reporting.answer(ward.repository, anna, listed, words=words, at=AT)


async def test_nobody_else_answers_for_the_professional(ward: Ward, listed: int) -> None:
    await ward.professional("luc")
    await queue.take(ward.repository, REVIEWER, listed, at=AT)
    await queue.ask(ward.repository, REVIEWER, listed, question="Pourquoi ce dossier ?")
    luc = await ward.doctor("luc")
    assert await reporting.questions(ward.repository, luc) == ()
    with pytest.raises(NotFound):
        await reporting.answer(ward.repository, luc, listed, words="Moi.", at=AT)


async def test_an_item_is_decided_by_who_took_it_only(ward: Ward, listed: int) -> None:
    await queue.take(ward.repository, REVIEWER, listed, at=AT)
    other = replace(REVIEWER, reference="account/9")
    with pytest.raises(Forbidden):
        await queue.decide(ward.repository, other, listed, State.JUSTIFIED, note="Justifié.", at=AT)
    await queue.give_back(ward.repository, REVIEWER, listed)
    await queue.take(ward.repository, other, listed, at=AT)


async def test_nobody_reviews_an_access_of_their_own(ward: Ward, listed: int) -> None:
    anna = replace(await ward.doctor("anna"), rights=REVIEWER.rights)
    with pytest.raises(Forbidden):
        await queue.take(ward.repository, anna, listed, at=AT)


async def test_a_decision_needs_a_reason_and_a_review_under_way(ward: Ward, listed: int) -> None:
    with pytest.raises(Conflict):
        await queue.decide(
            ward.repository, REVIEWER, listed, State.JUSTIFIED, note="Justifié.", at=AT
        )
    await queue.take(ward.repository, REVIEWER, listed, at=AT)
    with pytest.raises(InvalidRequest):
        await queue.decide(ward.repository, REVIEWER, listed, State.JUSTIFIED, note=" ", at=AT)


async def test_what_a_patient_reports_comes_first(ward: Ward, listed: int) -> None:
    await ward.professional("luc")
    event = await ward.look("luc", "zoe", hour=15)
    zoe = await ward.person("zoe")
    words = "Je ne connais pas cette personne."
    await reporting.report_access(ward.repository, zoe, event, words=words, at=AT)
    first, second = (await queue.read_queue(ward.repository, REVIEWER)).waiting
    assert (first.origin, first.words, first.event) == (Origin.REPORTED, words, event)
    assert second.id == listed
    assert (await reporting.read_access(ward.repository, zoe, event)).state == State.PROPOSED
    with pytest.raises(Conflict):
        await reporting.report_access(ward.repository, zoe, event, words=words, at=AT)


async def test_nobody_reports_an_access_to_a_record_they_do_not_see(ward: Ward) -> None:
    await ward.professional("anna")
    await ward.patient("zoe")
    await ward.patient("tom")
    event = await ward.look("anna", "zoe")
    for stranger in (await ward.person("tom"), await ward.doctor("anna"), REVIEWER):
        with pytest.raises((NotFound, Forbidden)):
            await reporting.report_access(
                ward.repository, stranger, event, words="Pourquoi ?", at=AT
            )


async def test_a_protected_record_weighs_more(ward: Ward, listed: int) -> None:
    await reporting.protect(ward.repository, REVIEWER, listed, reason="Personne connue")
    await ward.professional("luc")
    await ward.look("luc", "zoe", day=DAY.replace(day=19))
    found = await ward.score(DAY.replace(day=19))
    luc, zoe = await ward.number("Practitioner/luc"), await ward.number("Patient/zoe")
    assert found[luc, zoe][1] == ["protected"]


async def test_a_declared_emergency_waits_for_its_second_review(ward: Ward) -> None:
    await ward.professional("anna")
    await ward.patient("zoe")
    code = {"system": "https://hygie.example.org/fhir/CodeSystem/emergency-access"}
    await ward.write(
        {
            "resourceType": "Task",
            "id": "urgent",
            "status": "in-progress",
            "intent": "order",
            "code": {"coding": [{**code, "code": "break-glass"}]},
            "for": {"reference": "Patient/zoe"},
            "requester": {"reference": "Practitioner/anna"},
            "authoredOn": "2026-11-18T10:00:00Z",
            "executionPeriod": {"start": "2026-11-18T10:00:00Z", "end": "2026-11-18T14:00:00Z"},
            "reasonCode": {"text": "Patiente inconsciente"},
            "location": {"display": "Urgences"},
        }
    )
    assert await daily.gather_emergencies(ward.repository, at=AT) == 1
    assert await daily.gather_emergencies(ward.repository, at=AT) == 0
    (item,) = (await queue.read_queue(ward.repository, REVIEWER)).waiting
    assert (item.origin, item.declared, item.initials) == (
        Origin.EMERGENCY,
        "Task/urgent",
        "Z.M.",
    )
    stored = await ward.repository.read(REVIEWER, "Task", "urgent")
    assert b"inconsciente" in (stored.body or b"")
    await queue.take(ward.repository, REVIEWER, item.id, at=AT)
    await queue.decide(ward.repository, REVIEWER, item.id, State.JUSTIFIED, note="Oui.", at=AT)
    assert await settle(ward.repository, at=AT) == 1
    assert await settle(ward.repository, at=AT) == 0
    stored = await ward.repository.read(REVIEWER, "Task", "urgent")
    assert b"emergency-review" in (stored.body or b"")
    closed = await queue.read_item(ward.repository, REVIEWER, item.id)
    assert (closed.state, closed.decision) == (State.CLOSED, State.JUSTIFIED)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_a_state_changes_as_the_table_allows_and_not_otherwise(before: State, after: State) -> None:
    if after in NEXT[before]:
        check_change(before, after)
    else:
        with pytest.raises(Conflict):
            check_change(before, after)
