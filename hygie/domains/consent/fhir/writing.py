"""Build the resources by which somebody states a choice (FHIR R4 consent, careteam, task)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hygie.domains.consent.fhir.codes import (
    ACTING_UNDER,
    CHOICE,
    EMERGENCY_ACCESS,
    ENDING_EVENT,
    OPENING_MODE,
    POLICY,
    REPRESENTATIVE,
    ROLE,
    SCOPE,
    STARTING_EVENT,
    Json,
    concept,
)
from hygie.domains.consent.model.choices import Choice, Party, Span, Standing
from hygie.domains.consent.model.constants import Opening
from hygie.domains.consent.model.emergency import Declaration

_SECOND = timedelta(seconds=1)


def instant(at: datetime) -> str:
    """Return a FHIR dateTime in UTC, to the second.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def period(span: Span) -> Json:
    """Return a Period; its end, in FHIR, is the last second that is still good."""
    told: Json = {}
    if span.starts is not None:
        told["start"] = instant(span.starts)
    if span.ends is not None:
        told["end"] = instant(span.ends - _SECOND)
    return told


def reference(party: Party) -> Json:
    """Return a Reference with its display."""
    told: Json = {"reference": party.reference}
    return {**told, "display": party.name} if party.name else told


@dataclass(frozen=True, slots=True)
class Statement:
    """Who states something about whose record, and when.

    ``patient`` is the id of the Patient; ``by`` a reference, such as that of a representative.
    """

    patient: str
    by: str
    at: datetime


def consent(
    statement: Statement,
    choice: Choice,
    *,
    permit: bool,
    span: Span | None = None,
    actor: Party | None = None,
    role: Json | None = None,
) -> Json:
    """Return the Consent that states a choice.

    ``actor`` is the person or structure it is about, in the quality of ``role``.
    """
    held = span or Span(statement.at, None)
    provision: Json = {"type": "permit" if permit else "deny"}
    if when := period(held):
        provision["period"] = when
    if actor is not None:
        part = role or concept(CHOICE, choice.value)
        provision["actor"] = [{"role": part, "reference": reference(actor)}]
    return {**_consent(statement, choice), "provision": provision}


def delegate(statement: Statement, who: Party, standing: Standing, span: Span) -> Json:
    """Return the Consent by which somebody reads, or decides, in the person's name."""
    reads = standing in (Standing.HELPER, Standing.ADMINISTRATIVE)
    choice = Choice.HELPER if reads else Choice.REPRESENTATIVE
    role = concept(REPRESENTATIVE, standing.value)
    return consent(statement, choice, permit=True, span=span, actor=who, role=role)


def opening(statement: Statement, mode: Opening) -> Json:
    """Return the Consent that keeps how a record opened and when the notice was given."""
    return {
        **_consent(statement, Choice.OPENING),
        "policyRule": concept(OPENING_MODE, mode.value),
    }


def _consent(statement: Statement, choice: Choice) -> Json:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept(SCOPE, "patient-privacy"),
        "category": [concept(CHOICE, choice.value)],
        "patient": {"reference": f"Patient/{statement.patient}"},
        "dateTime": instant(statement.at),
        "performer": [{"reference": statement.by}],
        "policy": [{"uri": POLICY}],
    }


def ended(consent: Json, at: datetime) -> Json:
    """Return a Consent that holds no more, from now on; its history keeps what it was."""
    provision = dict(consent.get("provision", {}))
    provision["period"] = {**provision.get("period", {}), "end": instant(at)}
    return {**consent, "status": "inactive", "provision": provision}


def care_team(statement: Statement) -> Json:
    """Return an active care team without anybody in it yet."""
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": f"Patient/{statement.patient}"},
    }


def participant(who: Party, span: Span, event: str) -> Json:
    """Return the participant of a CareTeam who joins by a named event."""
    told: Json = {
        "extension": [{"url": STARTING_EVENT, "valueCode": event}],
        "member": reference(who),
    }
    return {**told, "period": period(span)}


def ended_participant(participant: Json, at: datetime, event: str) -> Json:
    """Return the participant whose membership ends now by a named event."""
    kept = [one for one in participant.get("extension", ()) if one.get("url") != ENDING_EVENT]
    start = participant.get("period", {}).get("start")
    end = instant(at - _SECOND)
    when: Json = {"end": end} if start is None else {"start": min(start, end), "end": end}
    return {
        **participant,
        "extension": [*kept, {"url": ENDING_EVENT, "valueCode": event}],
        "period": when,
    }


def emergency(
    patient: str, professional: Party, declaration: Declaration, *, at: datetime, centre_15: bool
) -> Json:
    """Return the Task that declares an emergency, or a call to Centre 15."""
    starts, ends = declaration.period(at)
    code = "centre-15" if centre_15 else "break-glass"
    return {
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "priority": "stat",
        "code": concept(EMERGENCY_ACCESS, code),
        "for": {"reference": f"Patient/{patient}"},
        "authoredOn": instant(at),
        "requester": reference(professional),
        "executionPeriod": period(Span(starts, ends)),
        "reasonCode": {"text": declaration.reason.strip()},
        "input": [{"type": {"text": "place"}, "valueString": declaration.place.strip()}],
    }


def ended_emergency(task: Json, at: datetime) -> Json:
    """Return the Task of an emergency that the professional ends early."""
    held = dict(task.get("executionPeriod", {}))
    held["end"] = max(instant(at - _SECOND), held.get("start", ""))
    return {**task, "status": "completed", "executionPeriod": held}


def delegation(who: Party, principal: Party, role: str, span: Span) -> Json:
    """Return the PractitionerRole of somebody who acts under a professional until a date.

    ``role`` is one of our own codes, such as ``secretary``, ``intern`` or ``student``; empty for a
    substitute, who keeps the profession they have.
    """
    told: Json = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": reference(who),
        "period": period(span),
        "extension": [{"url": ACTING_UNDER, "valueReference": reference(principal)}],
    }
    return {**told, "code": [concept(ROLE, role)]} if role else told
