"""What a CareTeam says about who may open a record (FHIR R4, careteam.html)."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from msgspec import UNSET

from hygie.domains.consent.fhir.codes import ENDING_EVENT, STARTING_EVENT
from hygie.domains.consent.fhir.elements import extension_code, party, period, within
from hygie.domains.consent.model.events import check_membership
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact

MEMBERS = frozenset({"Practitioner", "Organization"})
"""A structure opens the record to whoever practises there now."""


def care_team_facts(team: Any, zone: tzinfo) -> list[Fact]:
    """Return one fact per professional or structure of an active care team about a patient.

    Each belongs to it for the participant's period within the team's own.

    Raises:
        Unprocessable: an event is unknown or does not allow the period.
    """
    patient = party(team.subject, {"Patient"})
    if patient is None or team.status not in ("active", UNSET):
        return []
    whole = period(team.period, zone)
    facts = []
    for one in () if team.participant is UNSET else team.participant:
        member = party(one.member, MEMBERS)
        own = period(one.period, zone)
        events = (extension_code(one, STARTING_EVENT), extension_code(one, ENDING_EVENT))
        shared = within(whole, own)
        if member is None or shared is None:
            continue
        check_membership(*events, *shared)
        facts.append(Fact(patient, member, Relation.CARE_TEAM, *shared))
    return facts
