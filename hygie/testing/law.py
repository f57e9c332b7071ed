"""A small law for tests of the kernel: own record, helper, care team, directory, operator.

It knows nothing of the French rules, which are tested where they are written, in the consent
domain: a store can be shown to obey any law it is given.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.search.dates import FIRST, LAST, interval
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.security.algebra import Policy, Rule
from hygie.kernel.security.atoms import (
    AUTHOR,
    IN_DIRECTORY,
    IS_PATIENT,
    IS_PROFESSIONAL,
    IS_SYSTEM,
    MASKED,
    OWN_RECORD,
    SECRET,
    UNANNOUNCED,
    WITHDRAWN,
    related,
)
from hygie.kernel.security.caller import Caller, Duty, Kind
from hygie.kernel.security.clauses import Either, Words
from hygie.kernel.security.labels import Label
from hygie.kernel.security.policies import Moves, Policies
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.facts import Fact, PartyRef, Stated
from hygie.kernel.store.law import Law

IN_CARE_TEAM = related(
    Relation.CARE_TEAM,
    Words("dans l’équipe", "hors de l’équipe", "in the team", "outside the team"),
)
IS_HELPER = related(
    Relation.HELPER, Words("proche choisi", "pas un proche choisi", "a helper", "no helper")
)
UNMASKED = Either.of(~MASKED, AUTHOR)
VALID = Either.of(~WITHDRAWN, AUTHOR)

READ = Policy(
    (
        Rule("system", (IS_SYSTEM,), "Exploitant local.", "Local operator."),
        Rule("directory", (IN_DIRECTORY,), "Annuaire.", "Directory."),
        Rule(
            "own-record",
            (IS_PATIENT, OWN_RECORD, ~UNANNOUNCED),
            "C’est votre dossier.",
            "This is your own record.",
        ),
        Rule(
            "helper",
            (IS_PATIENT, IS_HELPER, ~UNANNOUNCED, ~SECRET, ~WITHDRAWN),
            "Cette personne vous laisse lire son dossier.",
            "This person lets you read their record.",
        ),
        Rule(
            "care-team",
            (IS_PROFESSIONAL, IN_CARE_TEAM, UNMASKED, VALID),
            "Vous faites partie de l’équipe de soins.",
            "You belong to the care team.",
        ),
    )
)
WRITE = Policy(
    (
        Rule("system", (IS_SYSTEM,), "Exploitant local.", "Local operator."),
        Rule(
            "care-team",
            (IS_PROFESSIONAL, IN_CARE_TEAM, UNMASKED),
            "Vous faites partie de l’équipe de soins.",
            "You belong to the care team.",
        ),
    ),
    every=True,
)
RELABEL = Policy(
    (
        Rule("system", (IS_SYSTEM,), "Exploitant local.", "Local operator."),
        Rule(
            "own-record",
            (IS_PATIENT, OWN_RECORD),
            "C’est votre dossier.",
            "This is your own record.",
        ),
        Rule("author", (IS_PROFESSIONAL, AUTHOR), "Vous l’avez écrit.", "You wrote it."),
    )
)
ANY_LABEL = Moves.both(Label(0b111111))


class NoMatrix:
    """A matrix that opens every matter to every role."""

    def readable(self, roles: Collection[str], at: date) -> bytes:
        """Return every matter."""
        del roles, at
        return b"\xff" * 32

    def duties(self, roles: Collection[str], at: date) -> frozenset[Duty]:
        """Return none."""
        del roles, at
        return frozenset()


def operator_only(caller: Caller, rt: str, _: frozenset[Stated], __: frozenset[Stated]) -> None:
    """Let only the operator change the facts the rules read.

    Raises:
        Forbidden: the caller is somebody else.
    """
    if caller.kind != Kind.SYSTEM:
        raise Forbidden(f"{rt} decides who may open a record: only the operator writes it.")


def care_team_facts(team: Any, zone: tzinfo) -> list[Fact]:
    """Return one fact per practitioner of a team, for the participant's period."""
    patient = _party(team.subject, "Patient")
    if patient is None:
        return []
    members = (
        (_party(one.member, "Practitioner"), _period(one.period, zone))
        for one in team.participant or ()
    )
    return [
        Fact(patient, member, Relation.CARE_TEAM, *period)
        for member, period in members
        if member is not None
    ]


def helper_facts(consent: Any, zone: tzinfo) -> list[Fact]:
    """Return one fact per person whom a consent permits to read the record."""
    patient = _party(consent.patient, "Patient")
    if patient is None or consent.provision is UNSET or consent.status != "active":
        return []
    period = _period(consent.provision.period, zone)
    members = (_party(one.reference, "Patient") for one in consent.provision.actor or ())
    return [Fact(patient, one, Relation.HELPER, *period) for one in members if one is not None]


def _party(reference: Any, kind: str) -> PartyRef | None:
    ref = None if reference is UNSET else parse_ref(reference.reference or "")
    if ref is None or ref.type != kind or ref.id is None or ref.url is not None:
        return None
    return ref.type, ref.id


def _period(period: Any, zone: tzinfo) -> tuple[datetime, datetime]:
    if period is UNSET:
        return FIRST, LAST
    starts = FIRST if period.start is UNSET else interval(period.start, zone)[0]
    return starts, LAST if period.end is UNSET else interval(period.end, zone)[1]


LAW = Law(
    Policies(READ, WRITE, RELABEL, {rule.name: ANY_LABEL for rule in RELABEL.rules}, NoMatrix()),
    {"CareTeam": care_team_facts, "Consent": helper_facts},
    operator_only,
)
