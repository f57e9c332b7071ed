"""From a row of the access log to the AuditEvent that is served (FHIR R4, auditevent.html)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from hygie.kernel.audit.balp import (
    BY_ROLE,
    DELEGATEE,
    DELEGATOR,
    DISCLOSURE,
    ORGANIZATION,
    PROFILES,
    QUERY,
    REQUEST_ID,
    Coding,
    Pattern,
    pattern_of,
)
from hygie.kernel.audit.leaf import Row
from hygie.kernel.audit.trace import APPLICATION, Flag
from hygie.kernel.errors import NotFound
from hygie.kernel.fhir.names import RESOURCE_TYPES, type_name
from hygie.kernel.security.caller import Kind

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ID = re.compile(r"([0-9a-f]{1,13})-([0-9a-f]{1,15})")
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_PERSON = {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "1", "display": "Person"}
_OBJECT = {"system": f"{_TERMINOLOGY}/audit-entity-type", "code": "2", "display": "System Object"}
_ROLES = f"{_TERMINOLOGY}/object-role"
_OBSERVER = {"display": "Hygie"}
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"
_NETWORK_IP, _NETWORK_URI = "2", "5"
_ERASED = "erased"
_INSIDE = {Kind.SYSTEM: "Hygie command", Kind.JOB: "Hygie job"}
"""What asks from inside for whom; for anybody else it is a page of a portal."""
_MASKED = {
    "extension": [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
            "valueCode": "masked",
        }
    ]
}


def event_id(at: datetime, number: int) -> str:
    """Return the logical id of an AuditEvent: instant in microseconds and row id, in base 16.

    >>> event_id(datetime(2026, 1, 2, tzinfo=UTC), 42)
    '6475c63f7a000-2a'
    """
    return f"{(at - _EPOCH) // _MICROSECOND:x}-{number:x}"


def place_of(event_id: str) -> tuple[datetime, int]:
    """Return the instant and the row id that an AuditEvent's id stands for.

    Raises:
        NotFound: it is not the id of an AuditEvent.
    """
    found = _ID.fullmatch(event_id)
    try:
        if found:
            return _EPOCH + int(found[1], 16) * _MICROSECOND, int(found[2], 16)
    except OverflowError:
        pass
    raise NotFound("There is no such AuditEvent.")


def outcome_of(status: int) -> str:
    """Return the code of ``audit-event-outcome`` for an HTTP status.

    >>> [outcome_of(status) for status in (200, 404, 503)]
    ['0', '4', '8']
    """
    client_error, server_error = 400, 500
    if status < client_error:
        return _SUCCESS
    return _MINOR if status < server_error else _SERIOUS


def audit_event(row: Row, *, base: str, in_full: bool) -> bytes:
    """Return the AuditEvent of a row, as JSON.

    ``row`` is one that :mod:`hygie.kernel.audit.provider` selects. ``in_full`` tells also the
    query, which may name other people, and the network address of the caller; where they are
    not told, the event says that they are masked.
    """
    pattern = pattern_of(
        row["interaction"],
        outcome=row["outcome"],
        has_patient=row["patient_uid"] is not None,
        query=row["query"],
    )
    event: Json = {
        "resourceType": "AuditEvent",
        "id": event_id(row["at"], row["id"]),
        "meta": {"versionId": "1", "lastUpdated": _instant(row["at"])},
        "type": _coding(pattern.kind),
        "subtype": _subtypes(row, pattern),
        "action": pattern.action,
        "recorded": _instant(row["at"]),
        "outcome": outcome_of(row["outcome"]),
        "outcomeDesc": _outcome(row, in_full=in_full),
        "purposeOfEvent": [_concept((f"{_TERMINOLOGY}/v3-ActReason", row["purpose"], ""))],
        "agent": _agents(row, pattern, base=base, in_full=in_full),
        "source": {
            "site": urlsplit(base).hostname or base,
            "observer": _OBSERVER,
            "type": [
                {
                    "system": f"{_TERMINOLOGY}/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
        "entity": [*_entities(row, in_full=in_full)],
    }
    profile = _profile(row, pattern)
    if profile:
        event["meta"]["profile"] = [f"{PROFILES}IHE.BasicAudit.{profile}"]
    return msgspec.json.encode(event)


def _outcome(row: Row, *, in_full: bool) -> str:
    late = ", from the spool of an emergency" if row["flags"] & Flag.SPOOLED else ""
    more = f", {row['detail']}" if in_full and row["detail"] else ""
    return f"{row['outcome']} {row['rule']}{more}{late}"


def _profile(row: Row, pattern: Pattern) -> str | None:
    """Return the profile that the event conforms to; BALP tells successes on known things.

    A trace for many people names none of them to a reader who is none of them: neither the
    profile with a patient nor the one without would be true.
    """
    patient = row["patient_uid"] is not None
    of_people = row["pat"] is not None or row["pats"] is not None
    if not pattern.profile or outcome_of(row["outcome"]) != _SUCCESS:
        return None
    if pattern is DISCLOSURE:
        return pattern.profile
    thing = row["query"] if pattern is QUERY else row["uid"]
    if thing is None or (of_people and not patient):
        return None
    return f"Patient{pattern.profile}" if patient else pattern.profile


def _subtypes(row: Row, pattern: Pattern) -> list[Json]:
    """Return the interaction, once, and what the pattern or an emergency adds to it."""
    code = row["interaction"]
    told = {"system": "http://hl7.org/fhir/restful-interaction", "code": code, "display": code}
    added = pattern.subtypes
    if row["flags"] & Flag.EMERGENCY and BY_ROLE not in added:
        added = (*added, BY_ROLE)
    return [*(_coding(one) for one in added), told]


def _agents(row: Row, pattern: Pattern, *, base: str, in_full: bool) -> list[Json]:
    client: Json = {
        "type": _concept(pattern.client),
        "who": {"display": _client(row)},
        "requestor": False,
        "network": _network(row, base=base, in_full=in_full),
    }
    if (row["detail"] or "").startswith(APPLICATION):
        name = row["detail"].removeprefix(APPLICATION)
        client |= {"who": {"identifier": {"value": name}}, "altId": name}
    server = {
        "type": _concept(pattern.server),
        "who": _OBSERVER,
        "requestor": False,
        "network": {"address": base, "type": _NETWORK_URI},
    }
    user = {"type": _concept(pattern.user), "who": _who(row["agent"]), "requestor": True}
    if row["agent_role"]:
        user["role"] = [{"text": row["agent_role"]}]
    agents = [client, server, user]
    if patient := _acted_for(row):
        # R4 has no "on behalf of": the two are told as DICOM and the IHE profiles tell parties.
        user["role"] = [{**_concept(DELEGATEE), "text": f"{row['rule']} for {patient}"}]
        whom = {"type": _concept(DELEGATOR), "who": {"reference": patient}, "requestor": False}
        agents.append(whom)
    if row["structure_uid"]:
        structure = (
            f"{type_name(row['structure_rt'])}/{row['structure_rid'] or row['structure_uid']}"
        )
        who = {"reference": structure}
        agents.append({"type": _concept(ORGANIZATION), "who": who, "requestor": False})
    return agents


def _acted_for(row: Row) -> str:
    """Return whom a person acted for: a patient that the person is not; empty for nobody."""
    person = (row["agent"] or "").startswith(("Patient/", "RelatedPerson/"))
    if not person or not row["patient_uid"] or row["pat"] == row["party"]:
        return ""
    return f"Patient/{row['patient_rid'] or row['patient_uid']}"


def _client(row: Row) -> str:
    """Return what asked: a program over the network, or a part of this platform."""
    if row["agent"] is None:
        return _ERASED
    if row["peer"]:
        return "client application"
    return _INSIDE.get(row["kind"], "Hygie portal")


def _network(row: Row, *, base: str, in_full: bool) -> Json:
    if row["agent"] is None or (row["peer"] and not in_full):
        return {"_address": _MASKED, "type": _NETWORK_IP}
    if row["peer"]:
        return {"address": row["peer"], "type": _NETWORK_IP}
    return {"address": base, "type": _NETWORK_URI}


def _who(agent: str | None) -> Json:
    if agent is None:
        return {"display": _ERASED}
    kind = agent.partition("/")[0]
    if kind in RESOURCE_TYPES:
        return {"reference": agent}
    return {"identifier": {"value": agent}} if "/" in agent else {"display": agent}


def _entities(row: Row, *, in_full: bool) -> list[Json]:
    request = {"system": REQUEST_ID, "code": "XrequestId"}
    entities = [{"what": {"identifier": {"value": str(row["request"])}}, "type": request}]
    if row["patient_uid"]:
        patient = row["patient_rid"] or row["patient_uid"]
        among = {"name": f"one of {len(row['pats'])} patients"} if row["pats"] else {}
        entities.append(
            {
                **among,
                "what": {"reference": f"{type_name(row['patient_rt'])}/{patient}"},
                "type": _PERSON,
                "role": {"system": _ROLES, "code": "1", "display": "Patient"},
            }
        )
    elif row["pats"] is not None:
        people = {"name": f"{len(row['pats'])} patients", "type": _PERSON}
        role = {"system": _ROLES, "code": "1", "display": "Patient"}
        entities.append({**people, "role": role})
    entities += _objects(row)
    if row["query"] is not None:
        role = {"system": _ROLES, "code": "24", "display": "Query"}
        query = {"query": row["query"]} if in_full else {"_query": _MASKED}
        entities.append({"type": _OBJECT, "role": role, **query})
    return entities


def _objects(row: Row) -> list[Json]:
    role = {"system": _ROLES, "code": "4", "display": "Domain Resource"}
    if row["rt"] is None:
        return []
    kind = type_name(row["rt"])
    if row["uid"] is None:
        return [] if row["query"] is not None else [{"name": kind, "type": _OBJECT, "role": role}]
    version = f"/_history/{row['ver']}" if row["ver"] is not None else ""
    reference = f"{kind}/{row['resource_rid'] or row['uid']}{version}"
    return [{"what": {"reference": reference}, "type": _OBJECT, "role": role}]


def _concept(coding: Coding) -> Json:
    return {"coding": [_coding(coding)]}


def _coding(coding: Coding) -> Json:
    system, code, display = coding
    shown = {"display": display} if display else {}
    return {"system": system, "code": code, **shown}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
