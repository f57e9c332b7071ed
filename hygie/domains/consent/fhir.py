"""What CareTeam and Consent resources say about who may open a record."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.kernel.fhir.search.dates import FIRST, LAST, interval
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, PartyRef

_PROFESSIONALS = frozenset({"Practitioner"})
_HELPERS = frozenset({"Patient", "RelatedPerson"})


def care_team_facts(team: Any, zone: tzinfo) -> list[Fact]:
    """Return one fact per practitioner of an active care team about a patient.

    Each belongs to it for the participant's period within the team's own.
    """
    patient = _party(team.subject, frozenset({"Patient"}))
    if patient is None or team.status not in ("active", UNSET):
        return []
    whole = _period(team.period, zone)
    facts = []
    for participant in team.participant or ():
        member = _party(participant.member, _PROFESSIONALS)
        if member is not None:
            own = _period(participant.period, zone)
            facts.append(
                Fact(
                    patient,
                    member,
                    Relation.CARE_TEAM,
                    max(whole[0], own[0]),
                    min(whole[1], own[1]),
                )
            )
    return facts


def helper_facts(consent: Any, zone: tzinfo) -> list[Fact]:
    """Return one fact per person whom an active consent permits to read the record."""
    patient = _party(consent.patient, frozenset({"Patient"}))
    provision = consent.provision
    if patient is None or consent.status != "active" or provision is UNSET:
        return []
    if provision.type != "permit":
        return []
    starts, ends = _period(provision.period, zone)
    actors = (_party(actor.reference, _HELPERS) for actor in provision.actor or ())
    return [
        Fact(patient, member, Relation.HELPER, starts, ends)
        for member in actors
        if member is not None and member != patient
    ]


def _party(reference: Any, types: frozenset[str]) -> PartyRef | None:
    if reference is UNSET or reference.reference is UNSET:
        return None
    ref = parse_ref(reference.reference)
    if ref is None or ref.type not in types or ref.id is None or ref.url is not None:
        return None
    return ref.type, ref.id


def _period(period: Any, zone: tzinfo) -> tuple[datetime, datetime]:
    if period is UNSET:
        return FIRST, LAST
    starts = FIRST if period.start is UNSET else interval(period.start, zone)[0]
    ends = LAST if period.end is UNSET else interval(period.end, zone)[1]
    return starts, ends
