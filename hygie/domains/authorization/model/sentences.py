"""A scope in plain words: what somebody ticks is what an application may do."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from hygie.domains.authorization.model import words
from hygie.kernel.security.scopes import Scope, is_clinical, parse

Language = Literal["fr", "en"]
_WORDS = {
    words.OPENID: ("Vous reconnaître quand vous revenez", "Recognise you when you come back"),
    words.PROFILE: ("Connaître votre nom", "Know your name"),
    words.FHIR_USER: ("Savoir qui vous êtes dans Hygie", "Know who you are in Hygie"),
    words.LAUNCH: ("S’ouvrir sur le dossier affiché", "Open on the record that is shown"),
    words.LAUNCH_PATIENT: ("Savoir de qui est le dossier", "Know whose record it is"),
    words.LAUNCH_ENCOUNTER: ("Connaître la consultation en cours", "Know the present encounter"),
    words.ONLINE: (
        "Continuer tant que vous êtes connecté à Hygie",
        "Go on for as long as you are signed in to Hygie",
    ),
    words.OFFLINE: (
        "Continuer après votre départ, jusqu’à la date choisie",
        "Go on after you leave, until the date you choose",
    ),
    words.INTROSPECTION: ("Vérifier les jetons d’accès", "Check access tokens"),
}
_ACTS = {
    "fr": {"read": "Lire", "write": "Écrire", "both": "Lire et écrire"},
    "en": {"read": "Read", "write": "Write", "both": "Read and write"},
}
_WHOSE = {
    "fr": {
        "patient": "",
        "user": " (tout ce que vous pouvez ouvrir)",
        "system": " (sans personne)",
    },
    "en": {"patient": "", "user": " (all that you may open)", "system": " (without a person)"},
}
OPENERS = frozenset({"CareTeam", "Consent"})
"""Types by which a person says who may open a record."""
_ONLY = {"fr": "seulement", "en": "only"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the consent page.

    Attributes:
        word: the word of the scope.
        text: what it means.
        fixed: whether nobody unticks it.
        writes: whether it changes a record.
        opens: whether it changes who may open a record; ``*`` never does (the store sees to it).
    """

    word: str
    text: str
    fixed: bool
    writes: bool
    opens: bool = False


def line(word: str, language: Language) -> Line:
    """Return a word of a scope in plain words.

    >>> line("patient/Observation.rs?category=vital-signs", "en").text
    'Read: measurements and tests (only category vital-signs)'
    >>> line("patient/Consent.c", "en").opens, line("patient/*.cruds", "en").opens
    (True, False)
    """
    if not is_clinical(word):
        texts = _WORDS.get(word) or _context(word)
        return Line(word, texts[language == "en"], word in words.KEPT, writes=False)
    scope = parse(word)
    writes = bool(scope.permissions & set("cud"))
    opens = writes and scope.rt in OPENERS
    return Line(word, _sentence(scope, language), fixed=False, writes=writes, opens=opens)


def _context(word: str) -> tuple[str, str]:
    """Return a word of FHIRcast in plain words, any other as it is."""
    if not word.startswith("fhircast/"):
        return word, word
    if word.endswith(".read"):
        return ("Suivre le dossier que vous ouvrez", "Follow the record you open")
    if word.endswith(".write"):
        return ("Ouvrir un dossier dans vos autres outils", "Open a record in your other tools")
    return (
        "Suivre le dossier que vous ouvrez, et l’ouvrir dans vos autres outils",
        "Follow the record you open, and open it in your other tools",
    )


def lines(scope: tuple[str, ...] | list[str], language: Language) -> list[Line]:
    """Return the words of a scope in plain words, in their order."""
    return [line(word, language) for word in scope]


def _sentence(scope: Scope, language: Language) -> str:
    reads, writes = (bool(scope.permissions & set(letters)) for letters in ("rs", "cud"))
    act = _ACTS[language]["both" if reads and writes else "write" if writes else "read"]
    about = _types().get(scope.rt, {"fr": scope.rt, "en": scope.rt})[language]
    only = ", ".join(f"{name} {value}" for name, value in sorted(scope.query))
    limits = f" ({_ONLY[language]} {only})" if only else ""
    colon = " : " if language == "fr" else ": "
    return f"{act}{colon}{about}{limits}{_WHOSE[language][scope.context]}"


@cache
def _types() -> dict[str, dict[str, str]]:
    table = files("hygie.domains.authorization").joinpath("definitions/types.csv")
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    return {row["type"]: {"fr": row["fr"], "en": row["en"]} for row in rows}
