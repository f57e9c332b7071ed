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
from hygie.domains.consent.policy.identity import IdentityGuard
from hygie.domains.consent.policy.labelling import RELABEL, RELABELS
from hygie.domains.consent.policy.matrix import Matrix
from hygie.domains.consent.policy.rules import READ, WRITE
from hygie.kernel.clock import SystemClock
from hygie.kernel.platform import NavigationItem
from hygie.kernel.platform import gettext_noop as _
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
    platform.add_protection("Patient", IdentityGuard(SystemClock()))
    for rt, projection in PROJECTIONS.items():
        platform.add_projection(rt, projection)
    jobs.register(platform)
    _offer_pages(platform)


def _offer_pages(platform: Platform) -> None:
    """Offer choices to patients, emergency access to professionals, and what is announced."""
    platform.add_django_app("hygie.domains.consent")
    patient = [
        NavigationItem(_("Qui peut voir"), "patient:consent:who", 40, about="patient"),
        NavigationItem(_("Qui a vu"), "patient:consent:accesses", 50, about="patient"),
        NavigationItem(_("Mes choix"), "patient:consent:choices", 60, about="patient"),
    ]
    pages = "hygie.domains.consent.pages"
    platform.add_pages("patient", prefix="consent/", urlconf=pages, navigation=patient)
    entry = NavigationItem(_("Accès en urgence"), "professional:consent:emergency", 50)
    platform.add_pages(
        "professional", prefix="emergency/", urlconf=f"{pages}.emergency", navigation=[entry]
    )
    platform.add_announcer("professional", "page", f"{pages}.announcing:emergencies")
    platform.add_announcer("patient", "home", f"{pages}.announcing:news")
