"""The shapes of FHIRcast 3.0.0: required members, their types, what the examples write."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from hygie.domains.context.fhir import is_about, shown
from hygie.domains.context.model import messages
from hygie.domains.context.model.events import EVENTS, Event, granted
from hygie.kernel.errors import Forbidden, InvalidRequest
from hygie.testing.followers import Desk

AT = datetime(2026, 1, 8, 1, 37, 5, 140_000, UTC)
TOPIC = "fdb2f928-topic"


def request(name: str, *context: Any) -> dict[str, Any]:
    """Return a request as the examples write one: a time without a zone, two decimals."""
    event = {"hub.topic": TOPIC, "hub.event": name, "context": list(context)}
    return {"timestamp": "2026-01-08T01:37:05.14", "id": "q9v3jubddqt63n1", "event": event}


def resource(key: str, rt: str, rid: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "resource": {"resourceType": rt, "id": rid, **more}}


@pytest.mark.parametrize(
    ("told", "members"),
    [
        (
            messages.confirmation(TOPIC, ["Patient-open", "Patient-close"], 7200.9),
            {
                "hub.mode": "subscribe",
                "hub.topic": TOPIC,
                "hub.events": "Patient-open,Patient-close",
                "hub.lease_seconds": 7200,
            },
        ),
        (
            messages.denial(TOPIC, ["Patient-open"], "session stopped"),
            {
                "hub.mode": "denied",
                "hub.topic": TOPIC,
                "hub.events": "Patient-open",
                "hub.reason": "session stopped",
            },
        ),
        (
            messages.notification(Event("q9", "Patient-open", AT, {}), TOPIC, []),
            {
                "timestamp": "2026-01-08T01:37:05.140Z",
                "id": "q9",
                "event": {"hub.topic": TOPIC, "hub.event": "Patient-open", "context": []},
            },
        ),
        (
            messages.current(None, []),
            {"context.type": "", "context.versionId": "", "context": []},
        ),
    ],
)
def test_a_message_has_the_members_of_the_standard(told: object, members: object) -> None:
    assert told == members


@pytest.mark.parametrize(
    ("name", "key", "rt"),
    [
        ("Patient-open", "patient", "Patient"),
        ("Encounter-close", "encounter", "Encounter"),
        ("DiagnosticReport-open", "report", "DiagnosticReport"),
        ("ImagingStudy-open", "study", "ImagingStudy"),
    ],
)
def test_a_request_is_read_by_its_keys(name: str, key: str, rt: str) -> None:
    patient = resource("patient", "Patient", "ewUbXT", name=[{"family": "Ignored"}])
    extra = resource("organization", "Organization", "elsewhere")
    told = request(name, resource(key, rt, "x1"), *([patient] if key != "patient" else []), extra)
    topic, event = messages.read_request(told)
    assert (topic, event.name, event.at) == (TOPIC, name, AT)
    assert event.subjects == (
        {"patient": "x1"} if key == "patient" else {key: "x1", "patient": "ewUbXT"}
    )


def test_a_context_without_its_resource_is_refused() -> None:
    wrong = resource("patient", "Encounter", "x1")
    for told in (request("Patient-open"), request("Patient-open", wrong)):
        with pytest.raises(InvalidRequest):
            messages.read_request(told)


def test_infrastructure_events_are_written_in_any_case() -> None:
    parameters = {"key": "parameters", "resource": {"resourceType": "Parameters", "parameter": []}}
    for name in ("userLogout", "UserHibernate", "userhibernate"):
        _, event = messages.read_request(request(name, parameters))
        assert event.name.casefold() == name.casefold()
        assert event.subjects == {}


def test_the_answer_of_a_follower_has_a_status_as_text_or_number() -> None:
    assert messages.read_answer({"id": "a", "status": "202"}) == ("a", 202)
    assert messages.read_answer({"id": "a", "status": 409}) == ("a", 409)
    refused: list[object] = [
        {},
        {"id": "a"},
        {"id": "a", "status": "no"},
        [],
        {"id": 1, "status": 200},
    ]
    for wrong in refused:
        with pytest.raises(InvalidRequest):
            messages.read_answer(wrong)


def test_a_sync_error_tells_event_and_subscriber_as_a_warning() -> None:
    about = {"id": "q9", "event": "Patient-open", "subscriber": "Acme", "why": "Acme is gone"}
    told = messages.infrastructure(Event("e", "SyncError", AT, about))
    assert told[0]["key"] == "operationoutcome"
    issue = told[0]["resource"]["issue"][0]
    assert (issue["severity"], issue["code"]) == ("warning", "processing")
    systems = [one["system"].rpartition("/")[2] for one in issue["details"]["coding"]]
    assert systems == ["eventid", "eventname", "subscriber"]


def test_events_are_granted_by_scope_and_never_more() -> None:
    scope = ["fhircast/Patient-open.read", "fhircast/Encounter-open.write"]
    assert granted("patient-open,Patient-open,Encounter-open", scope) == ["Patient-open"]
    assert granted("heartbeat,Patient-open", scope) == ["Patient-open", "Heartbeat"]
    for asked, refusal in (("heartbeat", Forbidden), ("", InvalidRequest), ("x", InvalidRequest)):
        with pytest.raises(refusal):
            granted(asked, scope)


def test_what_is_shown_of_a_report_names_its_patient_and_no_result() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "CT"},
        "conclusion": "secret",
        "subject": {"reference": "Patient/a", "display": "Nora"},
        "identifier": [{"value": "7"}],
    }
    told = shown(report, base="https://h/fhir")
    assert set(told) == {"resourceType", "id", "identifier", "status", "code", "subject"}
    assert told["subject"] == {"reference": "Patient/a"}
    assert is_about(report, "a")
    assert not is_about(report, "b")


async def test_the_hub_says_what_it_supports(desk: Desk) -> None:
    place = f"{desk.hub}/.well-known/fhircast-configuration"
    answer = await asyncio.to_thread(requests.get, place, timeout=10)
    told = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert told["eventsSupported"] == list(EVENTS)
    assert told["websocketSupport"] is True
    assert told["fhircastVersion"] == "3.0.0"
    assert told["capabilities"]["supportsGetCurrentContext"] is True
