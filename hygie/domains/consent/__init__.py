"""Consent and care teams: who a person's record is open to, by whose choice and until when.

Resources: Consent, CareTeam, Task (declared emergencies), and what Patient, Practitioner and
PractitionerRole say of minors, treating physicians, roles and delegations. Standards: FHIR R4
consent.html, careteam.html, task.html; the national rules of the shared record (order of 26 October
2023, Conseil d'État of 15 October 2025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.consent import jobs
from hygie.domains.consent.fhir import (
    care_team_facts,
    consent_facts,
    emergency_facts,
    patient_facts,
    practitioner_facts,
    role_facts,
)
from hygie.domains.consent.policy.guard import ChoiceGuard
from hygie.domains.consent.policy.matrix import Matrix
from hygie.domains.consent.policy.rules import READ, RELABEL, RELABELS, WRITE
from hygie.kernel.clock import SystemClock
from hygie.kernel.security.policies import Policies
from hygie.kernel.store.facts import Projection

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform

PROJECTIONS: dict[str, Projection] = {
    "CareTeam": care_team_facts,
    "Consent": consent_facts,
    "Patient": patient_facts,
    "Practitioner": practitioner_facts,
    "PractitionerRole": role_facts,
    "Task": emergency_facts,
}
"""What resources of a type say about who may open a record."""


def register(platform: Platform) -> None:
    """Register the rules, the facts they read, and who may change these."""
    platform.set_rules(
        Policies(READ, WRITE, RELABEL, RELABELS, Matrix()), ChoiceGuard(SystemClock())
    )
    for rt, projection in PROJECTIONS.items():
        platform.add_projection(rt, projection)
    jobs.register(platform)
