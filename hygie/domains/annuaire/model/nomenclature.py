"""Code lists of the annuaire: professions, know-how, sectors; and the columns of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.security.dated import load

PACKAGE = "hygie.domains.annuaire"
_STEM = 6
"""Letters of a word that choose a specialty: ``cardiologue`` and ``cardiologie`` share six."""
_FAMILY_DOCTOR = frozenset({"generaliste", "generalistes"})


@dataclass(frozen=True, slots=True)
class Specialty:
    """A know-how: the profession it belongs to and its official, French, name."""

    profession: str
    label: str


_PROFESSIONS = load(
    PACKAGE,
    "definitions/professions.csv",
    key=("code",),
    make=lambda columns: {"fr": columns["label_fr"], "en": columns["label_en"]},
)
_SPECIALTIES = load(
    PACKAGE,
    "definitions/specialties.csv",
    key=("code",),
    make=lambda columns: Specialty(columns["profession"], columns["label_fr"]),
)
_SECTORS = load(
    PACKAGE, "definitions/sectors.csv", key=("code",), make=lambda columns: columns["label_fr"]
)
_FORMATS = load(
    PACKAGE,
    "definitions/formats.csv",
    key=("format", "field"),
    make=lambda columns: (columns["column"], columns["needed"] == "yes"),
)


@cache
def professions(language: str) -> Mapping[str, str]:
    """Return the professions by code, in ``fr`` or ``en``, by name.

    >>> professions("en")["60"]
    'Nurse'
    """
    named = {code: labels[language] for (code,), labels in _PROFESSIONS.latest().items()}
    return dict(sorted(named.items(), key=lambda one: fold(one[1])))


@cache
def specialties() -> Mapping[str, Specialty]:
    """Return the know-how by code."""
    return {code: value for (code,), value in _SPECIALTIES.latest().items()}


def sector(code: str) -> str:
    """Return the French name of a sector, empty where the code is unknown.

    >>> sector("SA07")
    'Cabinet individuel'
    """
    return _SECTORS.latest().get((code,), "")


def understood(text: str) -> list[str]:
    """Return the codes of the specialties that plain words name.

    >>> [specialties()[code].label for code in understood("cardiologue")][:1]
    ['Cardiologie (C)']
    >>> understood("zzz")
    []
    """
    words = fold(text).split()
    if not words:
        return []
    if _FAMILY_DOCTOR & set(words):
        words = ["medecine", "generale"]
    stems = [word[:_STEM] for word in words]
    return [
        code
        for code, one in specialties().items()
        if all(any(part.startswith(stem) for part in _parts(one.label)) for stem in stems)
    ]


def _parts(label: str) -> list[str]:
    return fold(label.replace("-", " ").replace("'", " ").replace("(", " ")).split()


def columns(kind: str, *, at: date) -> dict[str, tuple[str, bool]]:
    """Return the columns of a file format by field: name or position, and whether it must be."""
    return {field: value for (one, field), value in _FORMATS.holding(at).items() if one == kind}
