from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hygie.testing.profiles.check import faults
from hygie.testing.profiles.definition import Element, Profiles

BALP = Profiles.read(Path(__file__).parents[1] / "definitions/balp")
READ = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
TERMS = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"


def event() -> dict[str, Any]:
    """Return the example of a read of BALP, in short."""

    def agent(system: str, code: str, **more: Any) -> dict[str, Any]:
        kind = {"coding": [{"system": system, "code": code}]}
        return {"type": kind, "who": {"display": code}, "requestor": False, **more}

    return {
        "resourceType": "AuditEvent",
        "type": {"system": f"{TERMS}audit-event-type", "code": "rest"},
        "subtype": [{"system": "http://hl7.org/fhir/restful-interaction", "code": "vread"}],
        "action": "R",
        "recorded": "2026-01-02T03:04:05Z",
        "outcome": "0",
        "agent": [
            agent(DICOM, "110152", network={"address": "192.0.2.7"}),
            agent(DICOM, "110153", network={"address": "server"}),
            agent(f"{TERMS}v3-ParticipationType", "IRCP", requestor=True),
        ],
        "source": {"observer": {"display": "110153"}},
        "entity": [
            {
                "type": {"system": f"{TERMS}audit-entity-type", "code": "2"},
                "role": {"system": f"{TERMS}object-role", "code": "4"},
                "what": {"reference": "Observation/1"},
            },
            {
                "type": {"system": f"{TERMS}audit-entity-type", "code": "1"},
                "role": {"system": f"{TERMS}object-role", "code": "1"},
                "what": {"reference": "https://server.example/fhir/Patient/1"},
            },
        ],
    }


def test_what_conforms_has_no_fault() -> None:
    assert faults(event(), BALP.tree(READ)) == []


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("action",), "C", "AuditEvent.action: is not"),
        (("outcome",), None, "AuditEvent.outcome: 0 where at least 1"),
        (("agent",), [], "AuditEvent.agent: 0 where at least 2"),
        (("agent", 0, "network"), None, "AuditEvent.agent:client.network: 0"),
        (("agent", 0, "type"), {"text": "other"}, "AuditEvent.agent:client: 0"),
        (("agent", 2, "requestor"), False, "AuditEvent.agent:user.requestor: is not"),
        (("agent", 2, "network"), {"address": "x"}, "AuditEvent.agent:user.network: 1 where at"),
        (("subtype", 0, "code"), "create", "AuditEvent.subtype:anyRead: 0 where at least 1"),
        (("entity", 0, "role", "code"), "24", "AuditEvent.entity:data.role: is outside"),
        (("entity", 1, "what", "reference"), "Group/1", "AuditEvent.entity:patient.what: refers"),
    ],
)
def test_what_departs_is_told_with_its_place(
    place: tuple[str | int, ...], value: object, fault: str
) -> None:
    changed = event()
    inside: Any = changed
    for step in place[:-1]:
        inside = inside[step]
    if value is None:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    assert any(one.startswith(fault) for one in faults(changed, BALP.tree(READ)))


def test_two_values_of_a_slice_for_one_are_a_fault() -> None:
    changed = event()
    changed["subtype"] *= 2
    assert faults(changed, BALP.tree(READ)) == [
        "AuditEvent.subtype:anyRead: 2 where at most 1 are allowed"
    ]


def test_a_primitive_that_says_why_it_is_absent_is_present() -> None:
    changed = event()
    del changed["outcome"]
    changed["_outcome"] = {"extension": [{"url": "reason", "valueCode": "masked"}]}
    assert not any("outcome: 0" in one for one in faults(changed, BALP.tree(READ)))


def test_an_invariant_compares_two_places() -> None:
    profile = Element(invariants=(("same", "$this.agent.who = %resource.source.observer"),))
    given = event()
    given["agent"] = given["agent"][1:2]
    assert faults(given, profile) == []
    given["source"]["observer"] = {"display": "other"}
    assert faults(given, profile) == [
        "AuditEvent: breaks same, $this.agent.who = %resource.source.observer"
    ]


def test_a_closed_slicing_holds_nothing_else() -> None:
    profile = Element()
    action = profile.below("entity")
    action.discriminators, action.closed = ("type",), True
    profile.below("entity:patient.type").pattern = {"code": "1"}
    assert faults(event(), profile) == ["AuditEvent.entity: 1 outside every slice"]


def test_what_cannot_be_checked_is_refused() -> None:
    given = {"id": "X.y", "maxLength": 3}
    definition = {"baseDefinition": "http://hl7.org/fhir/StructureDefinition/X",
                  "differential": {"element": [given]}}  # fmt: skip
    with pytest.raises(ValueError, match="maxLength"):
        Profiles({"x": definition}, {}).tree("x")
    with pytest.raises(ValueError, match="is not checked"):
        faults(event(), Element(invariants=(("k", "agent.exists()"),)))


def test_every_profile_of_the_folder_can_be_checked() -> None:
    for url in BALP.profiles:
        assert faults(event(), BALP.tree(url)) or url.endswith(("Read", "Use.Opaque")), url
