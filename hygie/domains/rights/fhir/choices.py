"""Restriction and objection as Consents (FHIR R4, consent.html), in the shapes of the consents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Json = dict[str, Any]
CHOICES = "https://hygie.example.org/fhir/CodeSystem/choice"
TERMS = "http://terminology.hl7.org/CodeSystem"
RESTRICTION, RESEARCH = "restriction", "research"


def consent_of(choice: str, *, patient: str, by: str, at: datetime, active: bool) -> Json:
    """Return the Consent that states a restriction, or an objection to secondary use.

    ``active`` False withdraws it: the Consent stays, and holds no more.
    """
    return {
        "resourceType": "Consent",
        "status": "active" if active else "inactive",
        "scope": {"coding": [{"system": f"{TERMS}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": CHOICES, "code": choice}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": by}],
        "policyRule": {"coding": [{"system": f"{TERMS}/v3-ActCode", "code": "OPTOUT"}]},
        "provision": {"type": "deny", "period": {"start": at.isoformat(timespec="seconds")}},
    }


def choice_of(consent: Json) -> str:
    """Return the choice that a Consent states, empty where it states none of these."""
    codes = (
        coding.get("code", "")
        for category in consent.get("category", ())
        for coding in category.get("coding", ())
        if coding.get("system") == CHOICES
    )
    return next(iter(codes), "")
