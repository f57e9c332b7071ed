"""What Patient, Practitioner and PractitionerRole say: minority, treating physician, roles.

The health directory names a profession twice: on the person (``Practitioner.qualification``) and
on each place of practice (``PractitionerRole.code``). Both state a role; only the latter names a
structure. A substitute, an intern or a secretary carries whom they act under, until a date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.domains.consent.fhir.codes import ACTING_UNDER
from hygie.domains.consent.fhir.elements import Interval, extension, party, period
from hygie.domains.consent.model.constants import majority_of, midnight, own_access_from
from hygie.domains.consent.model.roles import role_of
from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import FIRST, LAST, interval
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, Practice, Stated


def patient_facts(patient: Any, zone: tzinfo) -> list[Fact]:
    """Return whether the person is a minor, too young to decide alone, and who treats them."""
    own = ("Patient", patient.id)
    return [*_ages(own, patient.birthDate, zone), *_treating(own, patient)]


def _ages(own: tuple[str, str], birth: Any, zone: tzinfo) -> Iterator[Fact]:
    if birth is UNSET:
        return
    # Of an incomplete date the first day counts: nobody keeps a right over an adult by a doubt.
    starts = interval(birth, zone)[0]
    born = starts.astimezone(zone).date() if starts > FIRST else date.min
    for kind, age in ((Relation.UNDER_16, own_access_from), (Relation.MINOR, majority_of)):
        yield Fact(own, None, kind, starts, _reached(age, born, zone))


def _reached(age: Callable[[date], date], born: date, zone: tzinfo) -> datetime:
    try:
        return midnight(age(born), zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return LAST


def _treating(own: tuple[str, str], patient: Any) -> Iterator[Fact]:
    named = () if patient.generalPractitioner is UNSET else patient.generalPractitioner
    physicians = {party(one, {"Practitioner"}) for one in named} - {None}
    for physician in physicians:
        yield Fact(own, physician, Relation.TREATING, FIRST, LAST)


def practitioner_facts(practitioner: Any, zone: tzinfo) -> list[Practice]:
    """Return the professions of a person, wherever they practise."""
    if practitioner.active is False or practitioner.qualification is UNSET:
        return []
    member = ("Practitioner", practitioner.id)
    return list(
        {
            Practice(member, role, None, *period(one.period, zone))
            for one in practitioner.qualification
            for role in _roles(one.code)
        }
    )


def role_facts(practice: Any, zone: tzinfo) -> list[Stated]:
    """Return the roles practised in a place, and under whom.

    Raises:
        Unprocessable: a delegation has no end, or names nobody or oneself.
    """
    member = party(practice.practitioner, {"Practitioner"})
    if member is None or practice.active is False:
        return []
    held = period(practice.period, zone)
    structure = party(practice.organization, {"Organization"})
    named = () if practice.code is UNSET else practice.code
    roles = {role for concept in named for role in _roles(concept)}
    facts: list[Stated] = [Practice(member, role, structure, *held) for role in sorted(roles)]
    return [*facts, *_delegation(practice, member, held)]


def _delegation(practice: Any, member: tuple[str, str], held: Interval) -> Iterator[Fact]:
    found = extension(practice, ACTING_UNDER)
    if found is None:
        return
    principal = party(found.valueReference, {"Practitioner"})
    if principal is None or principal == member:
        raise Unprocessable(
            "acting-under names the professional one acts under: another Practitioner of this "
            "server.",
            expression="PractitionerRole.extension",
        )
    if held[1] == LAST:
        raise Unprocessable(
            "One acts under somebody until a date: write PractitionerRole.period.end.",
            expression="PractitionerRole.period",
        )
    yield Fact(principal, member, Relation.ACTS_UNDER, *held)


def _roles(concept: Any) -> set[str]:
    if concept is UNSET or concept.coding is UNSET:
        return set()
    named = (
        role_of(coding.system, coding.code)
        for coding in concept.coding
        if coding.system is not UNSET and coding.code is not UNSET
    )
    return {role for role in named if role is not None}
