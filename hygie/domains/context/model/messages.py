"""The messages of the hub, as FHIRcast 3.0.0 writes them (sections 2.4 to 2.9, 3.2)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hygie.domains.context.model.events import (
    EVENTS,
    HEARTBEAT,
    HIBERNATE,
    LOGOUT,
    SYNC_ERROR,
    TYPES,
    Event,
    canonical,
)
from hygie.kernel.errors import InvalidRequest

Json = dict[str, Any]
VERSION = "3.0.0"
_SYSTEM = "https://fhircast.hl7.org/events/syncerror"
_CODES = "http://hl7.org/fhir/uv/fhircast/CodeSystem/fhircast"
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_FRACTION = re.compile(r"\.(\d+)")


def configuration() -> Json:
    """Return what the hub says of itself (section 2.7, "Wellknown Endpoint")."""
    return {
        "eventsSupported": list(EVENTS),
        "websocketSupport": True,
        "getCurrentSupport": True,
        "fhircastVersion": VERSION,
        "fhirVersion": "R4",
        "capabilities": {
            "supportsGetCurrentContext": True,
            "supportsNonCurrentContextUpdates": False,
        },
    }


def confirmation(topic: str, events: Iterable[str], lease: float) -> Json:
    """Return the confirmation of a subscription (section 2.4)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.events": ",".join(events),
        "hub.lease_seconds": max(0, int(lease)),
    }


def denial(topic: str, events: Iterable[str], reason: str) -> Json:
    """Return the end of a subscription (section 2.4, "Subscription Denial")."""
    return {
        "hub.mode": "denied",
        "hub.topic": topic,
        "hub.events": ",".join(events),
        "hub.reason": reason,
    }


def notification(event: Event, topic: str, context: list[Json]) -> Json:
    """Return an event as its followers receive it (section 2.5)."""
    return {
        "timestamp": instant(event.at),
        "id": event.id,
        "event": {"hub.topic": topic, "hub.event": event.name, "context": context},
    }


def heartbeat(topic: str, at: datetime, period: timedelta) -> Json:
    """Return a sign of life (FHIRcast 2.0, "heartbeat")."""
    beat = Event(f"heartbeat-{secrets.token_hex(8)}", HEARTBEAT, at, {})
    return notification(beat, topic, [{"key": "period", "decimal": int(period.total_seconds())}])


def current(event: Event | None, context: list[Json]) -> Json:
    """Return the current context (section 2.9), an empty one for none."""
    if event is None:
        return {"context.type": "", "context.versionId": "", "context": []}
    return {"context.type": event.focus, "context.versionId": event.id, "context": context}


def infrastructure(event: Event) -> list[Json]:
    """Return the context of an event that is about the session itself (section 3.2)."""
    if event.name == SYNC_ERROR:
        return [{"key": "operationoutcome", "resource": _outcome(event.subjects)}]
    if event.name in (LOGOUT, HIBERNATE):
        word = "logout" if event.name == LOGOUT else "hibernate"
        coding = {"system": f"{_CODES}-{word}-codesystem", "code": "user-initiated"}
        parameter = [{"name": "code", "valueCoding": coding}]
        told = {"resourceType": "Parameters", "parameter": parameter}
        return [{"key": "parameters", "resource": told}]
    return []


def _outcome(about: Mapping[str, str]) -> Json:
    codings = [
        {"system": f"{_SYSTEM}/eventid", "code": about.get("id", "")},
        {"system": f"{_SYSTEM}/eventname", "code": about.get("event", "")},
        {"system": f"{_SYSTEM}/subscriber", "code": about.get("subscriber", "")},
    ]
    issue = {
        "severity": "warning",
        "code": "processing",
        "diagnostics": about.get("why", ""),
        "details": {"coding": codings},
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def read_request(told: object) -> tuple[str, Event]:
    """Return the topic and the event of a request to change the context (section 2.6).

    Of the resources only the types and ids are kept: what they hold is read from the record.

    Raises:
        InvalidRequest: something is missing or is not written as the standard writes it.
    """
    match told:
        case {
            "timestamp": str(at),
            "id": str(name),
            "event": {"hub.topic": str(topic), "hub.event": str(event), "context": list(context)},
        } if _ID.fullmatch(name):
            known = canonical(event)
            made = Event(name, known, read_instant(at), {})
            subjects = _subjects(made, context)
            return topic, Event(name, known, made.at, subjects)
    raise InvalidRequest("Send timestamp, id and event, with hub.topic, hub.event and context.")


def _subjects(event: Event, context: list[object]) -> dict[str, str]:
    if event.name == SYNC_ERROR:
        return _error(context)
    if not event.focus:
        return {}
    found: dict[str, str] = {}
    for one in context:
        match one:
            case {"key": str(key), "resource": {"resourceType": str(rt), "id": str(rid)}}:
                if TYPES.get(key) == rt and key not in found:
                    found[key] = rid
    needed = next(key for key, rt in TYPES.items() if rt == event.focus)
    if needed not in found or "patient" not in found:
        raise InvalidRequest(f"The context of {event.name} has {needed} and patient, with ids.")
    return {key: found[key] for key in dict.fromkeys((needed, "patient"))}


def _error(context: list[object]) -> dict[str, str]:
    """Return what a SyncError is about: identifiers and names, no free text of the sender."""
    match context:
        case [{"resource": {"issue": [{"details": {"coding": list(codings)}}, *_]}}, *_]:
            told = {
                str(one.get("system", "")).removeprefix(f"{_SYSTEM}/"): str(one.get("code", ""))
                for one in codings
                if isinstance(one, dict)
            }
            about, name = told.get("eventid", ""), told.get("eventname", "")
            if _ID.fullmatch(about) and name:
                return {"id": about, "event": canonical(name)}
    raise InvalidRequest("A SyncError says eventid and eventname in the codings of its outcome.")


def read_answer(told: object) -> tuple[str, int]:
    """Return the id and the status of a follower's answer (section 2.5).

    Raises:
        InvalidRequest: it has none.
    """
    match told:
        case {"id": str(name), "status": (str() | int()) as status}:
            number = str(status)
            if number.isdecimal() and len(number) == 3:  # noqa: PLR2004 - RFC 9110, section 15
                return name, int(number)
    raise InvalidRequest("Answer with id and status.")


def instant(at: datetime) -> str:
    """Return a time as FHIR writes it, in UTC, to the millisecond.

    >>> instant(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    '2026-01-02T03:04:05.678Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_instant(text: str) -> datetime:
    """Return a time; one without a zone is in UTC, as the examples of the standard are.

    >>> read_instant("2018-01-08T01:37:05.14").isoformat()
    '2018-01-08T01:37:05.140000+00:00'

    Raises:
        InvalidRequest: it is none.
    """
    whole = _FRACTION.sub(lambda part: f".{part[1][:6]:0<6}", text[:40])
    try:
        at = datetime.fromisoformat(whole)
    except ValueError as wrong:
        raise InvalidRequest("Write the timestamp as 2026-01-02T03:04:05.678Z.") from wrong
    return at if at.tzinfo else at.replace(tzinfo=UTC)
