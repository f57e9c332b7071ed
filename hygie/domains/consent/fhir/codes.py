"""Code systems and extensions of the choices of a person."""

from __future__ import annotations

from typing import Any, Final

Json = dict[str, Any]

BASE: Final = "https://hygie.example.org/fhir"
CHOICE: Final = f"{BASE}/CodeSystem/choice"
REPRESENTATIVE: Final = f"{BASE}/CodeSystem/representative"
EMERGENCY_ACCESS: Final = f"{BASE}/CodeSystem/emergency-access"
OPENING_MODE: Final = f"{BASE}/CodeSystem/opening-mode"
MEMBERSHIP_EVENT: Final = f"{BASE}/CodeSystem/membership-event"
ROLE: Final = f"{BASE}/CodeSystem/role"
REVIEW: Final = f"{BASE}/CodeSystem/emergency-review"
POLICY: Final = f"{BASE}/policy/choices"

STARTING_EVENT: Final = f"{BASE}/StructureDefinition/membership-starting-event"
ENDING_EVENT: Final = f"{BASE}/StructureDefinition/membership-ending-event"
ACTING_UNDER: Final = f"{BASE}/StructureDefinition/acting-under"

SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
ROLE_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


def concept(system: str, code: str, text: str = "") -> Json:
    """Return a CodeableConcept of one coding."""
    told: Json = {"coding": [{"system": system, "code": code}]}
    return {**told, "text": text} if text else told
