"""The rules of the access log in plain sentences."""

from __future__ import annotations

from typing import Final

from hygie.domains.consent.policy.labelling import RELABEL
from hygie.domains.consent.policy.rules import READ, WRITE
from hygie.kernel.security.clauses import Language

_RULES: Final = {rule.name: rule for policy in (RELABEL, WRITE, READ) for rule in policy.rules}
_OTHERS: Final[dict[str, tuple[str, str]]] = {
    "access-log": ("Lecture de ce journal.", "Reading of this log."),
    "identify": (
        "Il a vérifié une identité ; rien du dossier n’a été montré.",
        "They checked an identity; nothing of the record was shown.",
    ),
    "mandate-accepted": (
        "Cette personne a accepté d’aider.",
        "This person agreed to help.",
    ),
    "mandate-declined": (
        "Cette personne a refusé d’aider ; rien du dossier n’a été montré.",
        "This person declined to help; nothing of the record was shown.",
    ),
    "mandate-left": ("Cette personne a cessé d’aider.", "This person stopped helping."),
    "desk-mandate": (
        "Un mandat a été signé au guichet, pour une démarche et quelques minutes.",
        "A mandate was signed at a desk, for one act and some minutes.",
    ),
    "desk-mandate-ended": ("Le mandat signé au guichet est fini.", "The desk mandate ended."),
    "measure-entered": (
        "Un document sur un parent ou un tuteur a été saisi ; il attend une deuxième personne.",
        "A document about a parent or guardian was entered; it waits for a second person.",
    ),
    "measure-confirmed": (
        "Deux personnes ont vu le document qui nomme un parent ou un tuteur.",
        "Two people saw the document that names a parent or guardian.",
    ),
    "measure-ended": (
        "La mesure qui nommait un parent ou un tuteur est finie.",
        "The measure that named a parent or guardian ended.",
    ),
    "parent-limited": (
        "La personne a mis fin à ce que lit un parent.",
        "The person ended what a parent reads.",
    ),
    "none": ("Aucune règle ne le permettait.", "No rule permitted it."),
    "": ("Aucune règle ne le permettait.", "No rule permitted it."),
}


def reason_of(rule: str, language: Language) -> str:
    """Return the sentence of a rule by its name; the name itself where nothing is said of it."""
    if rule in _RULES:
        return _RULES[rule].sentence(language)
    return _OTHERS.get(rule, (rule, rule))[language == "en"]
