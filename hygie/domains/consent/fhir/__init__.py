"""Choices, care teams, roles and emergencies as FHIR resources, and the facts they state."""

from __future__ import annotations

from hygie.domains.consent.fhir.consents import consent_facts
from hygie.domains.consent.fhir.emergencies import emergency_facts
from hygie.domains.consent.fhir.people import patient_facts, practitioner_facts, role_facts
from hygie.domains.consent.fhir.teams import care_team_facts

__all__ = [
    "care_team_facts",
    "consent_facts",
    "emergency_facts",
    "patient_facts",
    "practitioner_facts",
    "role_facts",
]
