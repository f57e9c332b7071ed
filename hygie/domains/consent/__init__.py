"""Consent and care teams: who a patient's record is open to.

Resources: CareTeam, Consent. Standards: FHIR R4 careteam.html and consent.html; the national rules
of the shared record (matrix by profession, masking, break-glass) belong here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hygie.domains.consent.fhir import care_team_facts, helper_facts
from hygie.domains.consent.policy.guard import guard
from hygie.domains.consent.policy.matrix import Matrix
from hygie.domains.consent.policy.rules import READ, RELABEL, RELABELS, WRITE
from hygie.kernel.security.policies import Policies

if TYPE_CHECKING:
    from hygie.kernel.platform import Platform


def register(platform: Platform) -> None:
    """Register the rules, and the projections that tell them who is in which care team."""
    platform.set_rules(Policies(READ, WRITE, RELABEL, RELABELS, Matrix()), guard)
    platform.add_projection("CareTeam", care_team_facts)
    platform.add_projection("Consent", helper_facts)
