"""The facts that resources state about who may open a record."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hygie.domains.consent import PROJECTIONS
from hygie.domains.consent.fhir import writing
from hygie.domains.consent.fhir.codes import REPRESENTATIVE, concept
from hygie.domains.consent.fhir.writing import Statement
from hygie.domains.consent.model.choices import Choice, Party, Span, Standing
from hygie.domains.consent.tests.conftest import G15
from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import FIRST, LAST, PARIS
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, Practice, Stated

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
SAID = Statement("anne", "Patient/anne", AT)
PETIT = Party("Practitioner/petit", "Dr Petit")


def facts(resource: dict[str, Any]) -> list[Stated]:
    rt = resource["resourceType"]
    typed = parse(msgspec.json.encode(resource), expect=rt).resource
    return sorted(PROJECTIONS[rt](typed, PARIS), key=str)


def relations(resource: dict[str, Any]) -> list[str]:
    return sorted(one.kind.name for one in facts(resource) if isinstance(one, Fact))


@pytest.mark.parametrize(
    ("choice", "permit", "stated"),
    [
        (Choice.CARE_TEAM, True, ["TEAM_CONSENT"]),
        (Choice.CARE_TEAM, False, []),
        (Choice.BREAK_GLASS, False, ["REFUSES_EMERGENCY"]),
        (Choice.BREAK_GLASS, True, []),
        (Choice.CENTRE_15, False, ["REFUSES_CENTRE_15"]),
        (Choice.RESEARCH, False, ["REFUSES_RESEARCH"]),
        (Choice.RESTRICTION, False, ["RESTRICTED"]),
        (Choice.CLOSURE, False, ["CLOSED"]),
        (Choice.CLOSURE, True, []),
        (Choice.OPPOSITION, False, ["OPPOSED"]),
        (Choice.OPENING, True, []),
    ],
)
def test_a_choice_of_the_record_states_one_relation(
    choice: Choice, permit: bool, stated: list[str]
) -> None:
    body = writing.consent(SAID, choice, permit=permit)
    assert relations(body) == stated
    assert relations({**body, "status": "inactive"}) == []


@pytest.mark.parametrize(
    ("standing", "stated"),
    [
        (Standing.HELPER, ["HELPER"]),
        (Standing.ADMINISTRATIVE, ["HELPER_ADMINISTRATIVE"]),
        (Standing.MANDATE, ["HELPER", "MANAGES"]),
        (Standing.PARENT, ["PARENT"]),
        (Standing.GUARDIAN, ["GUARDIAN"]),
    ],
)
def test_a_delegate_has_the_scope_of_their_standing(standing: Standing, stated: list[str]) -> None:
    helper = Party("Patient/helen", "Helen")
    span = Span(AT, AT + timedelta(days=10))
    body = writing.delegate(SAID, helper, standing, span)
    assert relations(body) == stated
    assert {(one.starts, one.ends) for one in facts(body) if isinstance(one, Fact)} == {
        (span.starts, span.ends)
    }


def test_nobody_is_their_own_helper() -> None:
    body = writing.delegate(SAID, Party("Patient/anne", ""), Standing.HELPER, Span(AT, None))
    assert facts(body) == []


def test_an_access_and_a_block_name_professionals_or_structures() -> None:
    span = Span(AT, AT + timedelta(days=1))
    access = writing.consent(SAID, Choice.ACCESS, permit=True, span=span, actor=PETIT)
    clinic = Party("Organization/clinic", "")
    block = writing.consent(SAID, Choice.BLOCK, permit=False, actor=clinic)
    assert facts(access) == [
        Fact(
            ("Patient", "anne"), ("Practitioner", "petit"), Relation.CONSENTED, AT, span.ends or AT
        )
    ]
    assert facts(block) == [
        Fact(("Patient", "anne"), ("Organization", "clinic"), Relation.BLOCKED, AT, LAST)
    ]


@pytest.mark.parametrize(
    "body",
    [
        writing.consent(SAID, Choice.ACCESS, permit=True, actor=PETIT),
        writing.consent(
            SAID, Choice.ACCESS, permit=True, span=Span(None, AT + timedelta(days=1)), actor=PETIT
        ),
        writing.consent(
            SAID, Choice.ACCESS, permit=True, span=Span(AT, AT + timedelta(days=366)), actor=PETIT
        ),
        writing.consent(SAID, Choice.BLOCK, permit=False),
        writing.consent(SAID, Choice.BLOCK, permit=False, actor=Party("Patient/bob", "")),
        {
            **writing.consent(SAID, Choice.CLOSURE, permit=False),
            "category": [concept("https://hygie.example.org/fhir/CodeSystem/choice", "burn")],
        },
        writing.consent(
            SAID,
            Choice.HELPER,
            permit=True,
            actor=Party("Patient/helen", ""),
            role=concept(REPRESENTATIVE, "king"),
        ),
    ],
)
def test_a_choice_that_says_nothing_clear_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        facts(body)


def test_a_consent_written_before_the_choices_is_one_of_a_helper_or_of_a_parent() -> None:
    roles = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    helper = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"text": "access"},
        "category": [{"text": "helper"}],
        "patient": {"reference": "Patient/anne"},
        "policyRule": {"text": "mandate"},
        "provision": {
            "type": "permit",
            "actor": [{"role": {"text": "helper"}, "reference": {"reference": "Patient/helen"}}],
        },
    }
    parent = {
        **helper,
        "category": [{"text": "attestation"}],
        "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
        "provision": {
            "type": "permit",
            "actor": [
                {"role": concept(roles, "GUARD"), "reference": {"reference": "Patient/maman"}}
            ],
        },
    }
    assert relations(helper) == ["HELPER"]
    assert relations(parent) == ["PARENT"]
    assert relations({**helper, "category": [{"text": "research"}]}) == []


@pytest.mark.parametrize(
    ("birth", "ends"),
    [
        ("2010-06-15", "2028-06-15"),
        ("2008-02-29", "2026-02-28"),
        ("2010-06", "2028-06-01"),
        ("2010", "2028-01-01"),
    ],
)
def test_minority_lasts_until_the_eighteenth_birthday(birth: str, ends: str) -> None:
    fact, young = facts({"resourceType": "Patient", "id": "lea", "birthDate": birth})
    assert isinstance(young, Fact)
    assert young.kind == Relation.UNDER_16
    sixteen = date.fromisoformat(ends).replace(year=int(ends[:4]) - 2)
    assert young.ends.astimezone(PARIS).date() - sixteen in (timedelta(), timedelta(days=1))
    assert isinstance(fact, Fact)
    assert fact.kind == Relation.MINOR
    assert fact.member is None
    assert fact.ends.astimezone(PARIS).date() == date.fromisoformat(ends)
    assert fact.ends.astimezone(PARIS).hour == 0


def test_the_treating_physician_is_a_practitioner_of_the_patient() -> None:
    named = [{"reference": "Practitioner/petit"}, {"reference": "Organization/clinic"}]
    (fact,) = facts({"resourceType": "Patient", "id": "lea", "generalPractitioner": named})
    expected = Fact(("Patient", "lea"), ("Practitioner", "petit"), Relation.TREATING, FIRST, LAST)
    assert fact == expected


def test_professions_come_from_the_person_and_from_the_place() -> None:
    coding = [{"system": G15, "code": "10"}]
    person = {
        "resourceType": "Practitioner",
        "id": "petit",
        "qualification": [{"code": {"coding": coding}}],
    }
    place = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/petit"},
        "organization": {"reference": "Organization/clinic"},
        "code": [{"coding": [*coding, {"system": "http://other.example", "code": "60"}]}],
    }
    me, clinic = ("Practitioner", "petit"), ("Organization", "clinic")
    assert facts(person) == [Practice(me, "10", None, FIRST, LAST)]
    assert facts(place) == [Practice(me, "10", clinic, FIRST, LAST)]
    assert facts({**place, "active": False}) == []


def test_one_acts_under_another_professional_until_a_date() -> None:
    who, principal = Party("Practitioner/jules", "Jules"), PETIT
    body = writing.delegation(who, principal, "intern", Span(AT, AT + timedelta(days=180)))
    stated = facts(body)
    assert [one.kind for one in stated if isinstance(one, Fact)] == [Relation.ACTS_UNDER]
    assert [one.role for one in stated if isinstance(one, Practice)] == ["intern"]
    with pytest.raises(Unprocessable, match="until a date"):
        facts(writing.delegation(who, principal, "intern", Span(AT, None)))
    with pytest.raises(Unprocessable, match="another Practitioner"):
        facts(writing.delegation(who, who, "intern", Span(AT, AT + timedelta(days=1))))


def team(event: str, days: int) -> dict[str, Any]:
    span = Span(AT, AT + timedelta(days=days))
    joining = writing.participant(PETIT, span, event)
    return {**writing.care_team(SAID), "participant": [joining]}


@pytest.mark.parametrize(
    ("event", "days"), [("prescription", 90), ("referral", 180), ("designation", 9000)]
)
def test_a_membership_lasts_as_long_as_its_event_allows(event: str, days: int) -> None:
    (fact,) = facts(team(event, days))
    assert isinstance(fact, Fact)
    assert fact.ends == AT + timedelta(days=days)


@pytest.mark.parametrize(
    ("event", "days", "why"),
    [
        ("prescription", 91, "ends by"),
        ("teleconsultation", 31, "ends by"),
        ("discharge", 1, "name an event that starts"),
        ("curiosity", 1, "no event of a membership"),
    ],
)
def test_a_membership_longer_than_its_event_is_refused(event: str, days: int, why: str) -> None:
    with pytest.raises(Unprocessable, match=why):
        facts(team(event, days))


def test_the_end_of_time_is_no_accident() -> None:
    late = {"start": "9999-12-30", "end": "9999-12-31"}
    joining = {**team("appointment", 1)["participant"][0], "period": late}
    assert len(facts({**writing.care_team(SAID), "participant": [joining]})) == 1
    assert facts({"resourceType": "Patient", "id": "x", "birthDate": "9999-12-31"})
    assert facts({"resourceType": "Patient", "id": "x", "birthDate": "0001-01-01"})


def test_a_structure_is_a_member_too_and_an_ended_team_opens_nothing() -> None:
    body = {
        **writing.care_team(SAID),
        "participant": [{"member": {"reference": "Organization/clinic"}}],
    }
    assert relations(body) == ["CARE_TEAM"]
    assert relations({**body, "status": "inactive"}) == []
    with pytest.raises(Unprocessable, match="exchange its two dates"):
        facts({**body, "period": {"start": "2020", "end": "2018"}})
