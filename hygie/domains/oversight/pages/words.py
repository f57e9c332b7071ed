"""What the pages call things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from hygie.domains.oversight.model.queue import LONGEST, SHORTEST, Item
from hygie.domains.oversight.model.states import DECIDED, Origin, State
from hygie.domains.oversight.model.tables import flags
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.utils.functional import Promise

ORIGINS: dict[Origin, Promise] = {
    Origin.REPORTED: _("Signalé par le patient"),
    Origin.EMERGENCY: _("Urgence déclarée"),
    Origin.UNUSUAL: _("Accès inhabituel"),
}
STATES: dict[State, Promise] = {
    State.PROPOSED: _("à relire"),
    State.IN_REVIEW: _("en relecture"),
    State.ASKED: _("explication demandée"),
    State.JUSTIFIED: _("justifié"),
    State.ABNORMAL: _("anormal"),
    State.CLOSED: _("clos"),
}
TYPES: dict[str, Promise] = {
    "AllergyIntolerance": _("allergies"),
    "Appointment": _("rendez-vous"),
    "Binary": _("documents"),
    "CarePlan": _("plans de soins"),
    "CareTeam": _("équipe de soins"),
    "Condition": _("problèmes de santé"),
    "Consent": _("choix du patient"),
    "DiagnosticReport": _("comptes rendus d’examens"),
    "DocumentReference": _("documents"),
    "Encounter": _("visites et séjours"),
    "ImagingStudy": _("images"),
    "Immunization": _("vaccins"),
    "MedicationRequest": _("prescriptions"),
    "MedicationStatement": _("traitements"),
    "Observation": _("mesures et résultats"),
    "Patient": _("identité"),
    "Procedure": _("actes"),
    "ServiceRequest": _("demandes d’examens"),
}
OTHER = _("autres éléments")
SEVERAL = _("plusieurs parties du dossier")
"""What a page reads: it leaves one trace for all it shows."""
TOO_SHORT = _("Écrivez de %(shortest)d à %(longest)d caractères.")


@dataclass(frozen=True, slots=True)
class Line:
    """An item as a page prints it."""

    item: Item
    who: str
    origin: str
    state: str
    types: list[str]
    reasons: list[str]
    rule: str
    late: bool
    decided: bool
    closed: bool
    abnormal: bool


def line(item: Item, names: dict[str, str]) -> Line:
    """Return an item in words, in the language of the page."""
    types = {str(TYPES.get(one, OTHER)) for one in item.types} or {str(SEVERAL)}
    return Line(
        item=item,
        who=names.get(item.agent) or item.agent,
        origin=str(ORIGINS[item.origin]),
        state=str(STATES[item.decision or item.state]),
        types=sorted(types),
        reasons=reasons(item.reasons),
        rule=rule(item.rule),
        late=item.late(timezone.localdate()),
        decided=item.state in DECIDED,
        closed=item.state == State.CLOSED,
        abnormal=item.decision == State.ABNORMAL,
    )


def reasons(codes: Sequence[str]) -> list[str]:
    """Return what makes an access unusual, in words; codes retired since stay readable."""
    known = {code: flag for (code,), flag in flags().latest().items()}
    french = get_language() == "fr"
    return [known[code].fr if french else known[code].en for code in codes if code in known]


def rule(name: str) -> str:
    """Return the sentence of the access rule that permitted something, or its name."""
    policies = platform().policies
    for one in policies.read.rules if policies else ():
        if one.name == name:
            return one.fr if get_language() == "fr" else one.en
    return name


def too_short() -> str:
    """Return what is said to who wrote too little or too much."""
    return str(TOO_SHORT) % {"shortest": SHORTEST, "longest": LONGEST}
