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
    "none": ("Aucune règle ne le permettait.", "No rule permitted it."),
    "": ("Aucune règle ne le permettait.", "No rule permitted it."),
}


def reason_of(rule: str, language: Language) -> str:
    """Return the sentence of a rule by its name; the name itself where nothing is said of it."""
    if rule in _RULES:
        return _RULES[rule].sentence(language)
    return _OTHERS.get(rule, (rule, rule))[language == "en"]
