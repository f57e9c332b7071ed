"""Why somebody does not see, told to the person whose record it is."""

from __future__ import annotations

from typing import Final

from hygie.domains.consent.policy import rules
from hygie.kernel.security.atoms import IN_MATRIX, MASKED, SECRET, UNANNOUNCED, VERY_RESTRICTED
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.clauses import Atom, Language, Subject

Refusal = tuple[Atom, bool, str, str]
"""An atom, the value of it that refuses, and the sentence in French and in English."""

_ALWAYS: Final[tuple[Refusal, ...]] = (
    (rules.CLOSED, True, "Le dossier est fermé.", "The record is closed."),
    (rules.OPPOSED, True, "Vous avez refusé ce dossier.", "You opposed this record."),
)
_PERSONS: Final[tuple[Refusal, ...]] = (
    (
        UNANNOUNCED,
        True,
        "Un soignant doit d’abord l’annoncer de vive voix.",
        "A professional must first tell it in person.",
    ),
    (
        SECRET,
        True,
        "C’est caché à ceux qui agissent au nom de la personne.",
        "It is hidden from those who act in the person's name.",
    ),
    (
        rules.IS_ADMINISTRATIVE,
        False,
        "Il ne s’occupe que des démarches.",
        "They only do the paperwork.",
    ),
)
_PROFESSIONALS: Final[tuple[Refusal, ...]] = (
    (rules.BLOCKED, True, "Vous l’avez bloqué.", "You blocked them."),
    (
        rules.RESTRICTED,
        True,
        "Vous avez demandé de limiter l’usage de vos données.",
        "You asked to restrict the use of your data.",
    ),
    (MASKED, True, "Vous avez masqué ce document.", "You masked this document."),
    (
        VERY_RESTRICTED,
        True,
        "Ce document est réservé à son auteur et au médecin traitant.",
        "This document is kept for its author and the treating physician.",
    ),
    (
        IN_MATRIX,
        False,
        "Sa profession ne donne pas accès à ce type de document.",
        "Their profession gives no access to this type of document.",
    ),
    (
        rules.TEAM_CONSENT,
        False,
        "Vous n’avez pas donné votre accord à l’équipe de soins.",
        "You have not agreed that the care team reads.",
    ),
)
_OTHERWISE: Final = ("Aucune règle ne le permet.", "No rule permits it.")


def refusal(caller: Caller, subject: Subject, language: Language) -> str:
    """Return why the rules refuse, most telling reason first."""
    own = _PROFESSIONALS if caller.kind == Kind.PROFESSIONAL else _PERSONS
    for atom, refuses, *said in (*_ALWAYS, *own):
        if atom.test(caller, subject) is refuses:
            return said[language == "en"]
    return _OTHERWISE[language == "en"]
