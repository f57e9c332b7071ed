"""Resources as an event shows them: an id and identifiers, so that a tool finds the same one.

Profiles: FHIRcast 3.0.0, Patient, Encounter, DiagnosticReport and ImagingStudy for Open Events.
No name, no birth date: a follower that may read the record reads them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
_KEPT: Mapping[str, tuple[str, ...]] = {
    "Patient": (),
    "Encounter": ("status", "class"),
    "DiagnosticReport": ("status", "code"),
    "ImagingStudy": ("status",),
}
URIS = "urn:ietf:rfc:3986"


def shown(resource: Json, *, base: str) -> Json:
    """Return what an event tells of a resource; its address here is its first identifier.

    >>> shown({"resourceType": "Patient", "id": "a", "birthDate": "1950"}, base="https://h/fhir")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'resourceType': 'Patient', 'id': 'a',
     'identifier': [{'system': 'urn:ietf:rfc:3986', 'value': 'https://h/fhir/Patient/a'}]}
    """
    rt, rid = str(resource["resourceType"]), str(resource["id"])
    address = {"system": URIS, "value": f"{base}/{rt}/{rid}"}
    told: Json = {
        "resourceType": rt,
        "id": rid,
        "identifier": [address, *resource.get("identifier", [])],
    }
    told |= {name: resource[name] for name in _KEPT[rt] if name in resource}
    if rt != "Patient":
        told["subject"] = {"reference": resource.get("subject", {}).get("reference", "")}
    return told


def is_about(resource: Json, patient: str) -> bool:
    """Tell whether a resource is the Patient, or about that patient."""
    if resource.get("resourceType") == "Patient":
        return resource.get("id") == patient
    return bool(resource.get("subject", {}).get("reference") == f"Patient/{patient}")
