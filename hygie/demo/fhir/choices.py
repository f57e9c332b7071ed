"""What a person decided about the record, as the consent domain writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from hygie.demo.fhir.parts import PARIS, Chart
from hygie.domains.consent.fhir import writing
from hygie.domains.consent.model.choices import Choice, Party, Span, Standing
from hygie.domains.consent.model.constants import opening_mode
from hygie.domains.consent.model.emergency import Declaration

NOON, NIGHT = time(12), time(3, 10)


@dataclass(frozen=True, slots=True)
class Access:
    """Why somebody else may read a record: a helper whom the patient chose, or a parent.

    ``reader`` is their own Patient reference; the end is not included. A parent's access rests on
    parental authority (Code civil, article 371-1) and ends at majority.
    """

    reader: str
    name: str
    standing: Standing
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Chosen:
    """One decision: which, since when and, for some, about whom and until when (not included).

    ``emergency`` is the reason of a break-glass that is over, declared by ``who``.
    """

    choice: Choice
    day: date
    permit: bool = False
    who: Party | None = None
    until: date | None = None
    standing: Standing | None = None
    emergency: str = ""


def write_access(chart: Chart, patient: str, access: Access) -> None:
    """Write the Consent by which somebody else reads a record for a time."""
    by = access.reader if access.standing is Standing.PARENT else patient
    statement = writing.Statement(_id(patient), by, _at(access.start))
    span = Span(_midnight(access.start), _midnight(access.end))
    body = writing.delegate(statement, Party(access.reader, access.name), access.standing, span)
    chart.add("Consent", body)


def write_choices(chart: Chart, patient: str, choices: Sequence[Chosen]) -> None:
    """Write one resource for each decision, in their order."""
    for one in choices:
        if one.emergency:
            _write_emergency(chart, patient, one)
        else:
            _write_consent(chart, patient, one)


def _write_consent(chart: Chart, patient: str, one: Chosen) -> None:
    statement = writing.Statement(_id(patient), patient, _at(one.day))
    if one.choice is Choice.OPENING:
        chart.add("Consent", writing.opening(statement, opening_mode(one.day)))
        return
    span = Span(_at(one.day), _midnight(one.until) if one.until else None)
    if one.standing is not None and one.who is not None:
        chart.add("Consent", writing.delegate(statement, one.who, one.standing, span))
        return
    body = writing.consent(statement, one.choice, permit=one.permit, span=span, actor=one.who)
    chart.add("Consent", body)


def _write_emergency(chart: Chart, patient: str, one: Chosen) -> None:
    if one.who is None:
        raise ValueError("an emergency is declared by somebody")
    declaration = Declaration(one.emergency, "Service des urgences")
    at = datetime.combine(one.day, NIGHT, PARIS)
    chart.add(
        "Task",
        writing.emergency(_id(patient), one.who, declaration, at=at, centre_15=False),
    )


def _id(reference: str) -> str:
    return reference.partition("/")[2]


def _at(day: date) -> datetime:
    return datetime.combine(day, NOON, PARIS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)
