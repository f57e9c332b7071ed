"""Who may change which facts, at the boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hygie.domains.consent.policy.guard import ChoiceGuard
from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.search.dates import FIRST, LAST
from hygie.kernel.security.caller import SYSTEM, Caller, Kind, job
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, Practice, Stated

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ANNE, HELEN = ("Patient", "anne"), ("Patient", "helen")
PETIT, ROUX = ("Practitioner", "petit"), ("Practitioner", "roux")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Stopped:
    """A clock that stands still."""

    def now(self) -> datetime:
        return NOW


GUARD = ChoiceGuard(Stopped())
SELF = Caller(Kind.PATIENT, 1, "Patient/anne", purpose="PATRQT")
DEPUTY = Caller(Kind.PATIENT, 2, "Patient/helen", purpose="PATRQT")
DOCTOR = Caller(Kind.PROFESSIONAL, 3, "Practitioner/petit", roles=frozenset({"10"}))
REGULATOR = Caller(Kind.PROFESSIONAL, 3, "Practitioner/petit", roles=frozenset({"samu-regulator"}))
PHARMACIST = Caller(Kind.PROFESSIONAL, 3, "Practitioner/petit", roles=frozenset({"21"}))


def fact(
    kind: Relation,
    member: tuple[str, str] | None,
    starts: datetime = NOW,
    ends: datetime = LAST,
) -> Fact:
    return Fact(ANNE, member, kind, starts, ends)


def permits(
    caller: Caller, rt: str, *, before: frozenset[Stated] | None = None, after: Stated | None = None
) -> bool:
    new = frozenset({after}) if after else frozenset[Stated]()
    try:
        GUARD(caller, rt, before or frozenset(), new)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("kind", list(Relation))
def test_the_operator_states_everything(kind: Relation) -> None:
    assert permits(SYSTEM, "Consent", after=fact(kind, PETIT))


PERSON = {
    *("CARE_TEAM", "HELPER", "HELPER_ADMINISTRATIVE", "CONSENTED", "BLOCKED", "TEAM_CONSENT"),
    *("CLOSED", "OPPOSED", "REFUSES_EMERGENCY", "REFUSES_CENTRE_15", "RESTRICTED"),
    "REFUSES_RESEARCH",
}


@pytest.mark.parametrize("kind", list(Relation))
def test_the_person_and_a_representative_state_choices_and_nothing_else(kind: Relation) -> None:
    stated = fact(kind, PETIT)
    assert permits(SELF, "Consent", after=stated) == (kind.name in PERSON | {"MANAGES"})
    short = fact(kind, PETIT, ends=NOW + DAY)
    assert permits(DEPUTY, "Consent", after=short) == (kind.name in PERSON)
    assert permits(SELF, "Consent", before=frozenset({stated})) == (
        kind.name in PERSON | {"MANAGES"}
    )


@pytest.mark.parametrize(("days", "allowed"), [(365, True), (366, False)])
def test_a_representative_names_a_helper_for_a_year_at_most(days: int, *, allowed: bool) -> None:
    stated = fact(Relation.HELPER, HELEN, ends=NOW + days * DAY)
    other = Caller(Kind.PATIENT, 9, "Patient/other", purpose="PATRQT")
    assert permits(other, "Consent", after=stated) == allowed
    assert permits(SELF, "Consent", after=fact(Relation.HELPER, HELEN))


@pytest.mark.parametrize("kind", list(Relation))
def test_a_professional_states_no_choice_of_the_person(kind: Relation) -> None:
    allowed = permits(DOCTOR, "Consent", after=fact(kind, ROUX))
    assert not allowed


@pytest.mark.parametrize(
    ("ends", "allowed"), [(NOW + DAY, True), (NOW + 2 * DAY, True), (NOW + 3 * DAY, False)]
)
def test_a_representative_shortens_their_own_mandate_and_never_prolongs_it(
    ends: datetime, allowed: bool
) -> None:
    former = fact(Relation.MANAGES, HELEN, NOW - DAY, NOW + 2 * DAY)
    now = fact(Relation.MANAGES, HELEN, NOW - DAY, ends)
    assert permits(DEPUTY, "Consent", before=frozenset({former}), after=now) == allowed


@pytest.mark.parametrize(
    ("length", "allowed"),
    [(HOUR, True), (4 * HOUR, True), (4 * HOUR + timedelta(seconds=1), False)],
)
def test_an_emergency_lasts_four_hours_at_most(length: timedelta, allowed: bool) -> None:
    stated = fact(Relation.EMERGENCY, PETIT, NOW, NOW + length)
    assert permits(DOCTOR, "Task", after=stated) == allowed


@pytest.mark.parametrize(
    ("starts", "allowed"),
    [
        (NOW - 5 * timedelta(minutes=1), True),
        (NOW - 6 * timedelta(minutes=1), False),
        (NOW + 6 * timedelta(minutes=1), False),
    ],
)
def test_an_emergency_starts_when_it_is_declared(starts: datetime, allowed: bool) -> None:
    stated = fact(Relation.EMERGENCY, PETIT, starts, starts + HOUR)
    assert permits(DOCTOR, "Task", after=stated) == allowed


@pytest.mark.parametrize(
    ("caller", "kind", "allowed"),
    [
        (DOCTOR, Relation.EMERGENCY, True),
        (DOCTOR, Relation.CENTRE_15, False),
        (REGULATOR, Relation.CENTRE_15, True),
        (PHARMACIST, Relation.EMERGENCY, False),
        (SELF, Relation.EMERGENCY, False),
        (job("notices"), Relation.EMERGENCY, False),
    ],
)
def test_professions_decide_who_declares(caller: Caller, kind: Relation, allowed: bool) -> None:
    assert permits(caller, "Task", after=fact(kind, PETIT, NOW, NOW + HOUR)) == allowed


def test_an_emergency_is_declared_for_oneself_and_by_a_task() -> None:
    mine = fact(Relation.EMERGENCY, PETIT, NOW, NOW + HOUR)
    other = fact(Relation.EMERGENCY, ROUX, NOW, NOW + HOUR)
    assert permits(DOCTOR, "Task", after=mine)
    assert not permits(DOCTOR, "Consent", after=mine)
    assert not permits(DOCTOR, "Task", after=other)
    assert not permits(DOCTOR, "Task", before=frozenset({other}))


def test_an_emergency_is_shortened_and_never_prolonged() -> None:
    running = fact(Relation.EMERGENCY, PETIT, NOW, NOW + 2 * HOUR)
    before = frozenset[Stated]({running})
    shorter = fact(Relation.EMERGENCY, PETIT, NOW, NOW + HOUR)
    longer = fact(Relation.EMERGENCY, PETIT, NOW, NOW + 3 * HOUR)
    assert permits(DOCTOR, "Task", before=before, after=shorter)
    assert not permits(DOCTOR, "Task", before=before, after=longer)


@pytest.mark.parametrize(
    ("former", "ends", "allowed"),
    [
        (None, NOW + DAY, False),
        ((NOW - DAY, NOW), NOW + DAY, False),
        ((NOW - DAY, NOW + HOUR), NOW + 179 * DAY, True),
        ((NOW - DAY, NOW + HOUR), NOW + 179 * DAY + HOUR, False),
        ((NOW - DAY, NOW + HOUR), LAST, False),
        ((NOW - DAY, LAST), NOW, True),
    ],
)
def test_a_professional_prolongs_a_running_membership_and_starts_none(
    former: tuple[datetime, datetime] | None, ends: datetime, allowed: bool
) -> None:
    before = frozenset({fact(Relation.CARE_TEAM, PETIT, *former)} if former else ())
    after = fact(Relation.CARE_TEAM, PETIT, NOW - DAY, ends)
    assert permits(DOCTOR, "CareTeam", before=before, after=after) == allowed


def test_a_professional_does_not_prolong_again_and_again() -> None:
    """Neither by another period of the same length, nor by moving the start first."""
    old = fact(Relation.CARE_TEAM, PETIT, NOW - 170 * DAY, NOW + 10 * DAY)
    before = frozenset[Stated]({old})
    assert not permits(
        DOCTOR,
        "CareTeam",
        before=before,
        after=fact(Relation.CARE_TEAM, PETIT, NOW - 170 * DAY, NOW + 11 * DAY),
    )
    for ends in (NOW + 10 * DAY, NOW + 180 * DAY):
        moved = fact(Relation.CARE_TEAM, PETIT, NOW - DAY, ends)
        assert not permits(DOCTOR, "CareTeam", before=before, after=moved)
    assert permits(SELF, "CareTeam", before=before, after=fact(Relation.CARE_TEAM, PETIT))


def test_a_professional_touches_no_membership_of_others() -> None:
    other = fact(Relation.CARE_TEAM, ROUX)
    assert not permits(DOCTOR, "CareTeam", before=frozenset({other}))
    assert not permits(DOCTOR, "CareTeam", after=other)


def test_a_principal_says_who_acts_under_them_and_the_delegate_may_stop() -> None:
    under_me = Fact(PETIT, ROUX, Relation.ACTS_UNDER, NOW, NOW + DAY)
    i_under = Fact(ROUX, PETIT, Relation.ACTS_UNDER, NOW, NOW + DAY)
    assert permits(DOCTOR, "PractitionerRole", after=under_me)
    assert permits(DOCTOR, "PractitionerRole", before=frozenset({i_under}))
    assert not permits(DOCTOR, "PractitionerRole", after=i_under)


def test_only_the_operator_writes_roles() -> None:
    role = Practice(PETIT, "10", None, FIRST, LAST)
    assert permits(SYSTEM, "PractitionerRole", after=role)
    assert not permits(DOCTOR, "PractitionerRole", after=role)
    assert not permits(job("membership"), "PractitionerRole", after=role)


@pytest.mark.parametrize("kind", list(Relation))
def test_the_professionals_job_states_roles_and_nothing_that_opens_a_record(
    kind: Relation,
) -> None:
    role = Practice(PETIT, "10", None, FIRST, LAST)
    proving = job("professionals")
    assert permits(proving, "PractitionerRole", after=role)
    assert permits(proving, "PractitionerRole", before=frozenset({role}))
    assert not permits(proving, "PractitionerRole", after=fact(kind, PETIT))
    regulator = Practice(PETIT, "samu-regulator", None, FIRST, LAST)
    assert not permits(proving, "PractitionerRole", after=regulator)
    both = frozenset[Stated]({role, fact(kind, PETIT)})
    assert not permits(proving, "PractitionerRole", before=both)


@pytest.mark.parametrize("kind", list(Relation))
def test_the_membership_job_states_memberships_alone(kind: Relation) -> None:
    stated = fact(kind, PETIT)
    assert permits(job("membership"), "CareTeam", after=stated) == (kind is Relation.CARE_TEAM)
    assert not permits(job("notices"), "CareTeam", after=stated)


@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.RESEARCHER])
def test_administrators_and_researchers_open_nothing(kind: Kind) -> None:
    somebody = Caller(kind, 0, "account/1")
    assert not permits(somebody, "Consent", after=fact(Relation.HELPER, HELEN))
