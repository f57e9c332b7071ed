"""The dated tables of this domain: explanations, flags, parameters.

Each row has its source and a mark; a day is scored with the rows that hold on that day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from hygie.kernel.security import dated

PACKAGE = "hygie.domains.oversight"
SELF, PRINCIPAL, STRUCTURE = "self", "principal", "structure"
THROUGH = (SELF, PRINCIPAL, STRUCTURE)
"""Whose tie explains: one's own, that of who one works for, that of one's structure."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason to open a record.

    Attributes:
        weight: share of the access it explains, 0 to 1.
        before: days before the tie begins from which it explains.
        after: days after the tie ends until which it explains.
        fr: the reason in French, said of the professional.
        en: the same in English.
    """

    weight: float
    before: int
    after: int
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Flag:
    """What multiplies the part of an access that nothing explains.

    Attributes:
        weight: the factor, above 1.
        least: count from which it is raised.
        most: times the factor is applied at most, once more for each count above ``least``.
        fr: the reason in French, said of the professional.
        en: the same in English.
    """

    weight: float
    least: int
    most: int
    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Weights:
    """What holds on the day that is scored.

    ``explanations`` are by code and through whom, ``flags`` by code, ``numbers`` by name.
    """

    explanations: Mapping[tuple[str, ...], Explanation]
    flags: Mapping[tuple[str, ...], Flag]
    numbers: Mapping[tuple[str, ...], float]

    def whole(self, name: str) -> int:
        """Return a number that counts something."""
        return int(self.numbers[name,])

    def highest(self) -> float:
        """Return the factor of every flag together: what no score can exceed."""
        return math.prod(flag.weight**flag.most for flag in self.flags.values())


def weights(at: date) -> Weights:
    """Return what the tables hold on a day.

    >>> weights(date(2026, 11, 20)).whole("items")
    20
    """
    return Weights(explanations().holding(at), flags().holding(at), parameters().holding(at))


@cache
def explanations() -> dated.DatedTable[Explanation]:
    """Return the explanations by code and through whom."""
    return dated.load(
        PACKAGE, "definitions/explanations.csv", key=("code", "through"), make=_explanation
    )


@cache
def flags() -> dated.DatedTable[Flag]:
    """Return the flags by code."""
    return dated.load(PACKAGE, "definitions/flags.csv", key=("code",), make=_flag)


@cache
def parameters() -> dated.DatedTable[float]:
    """Return the numbers of the review by name."""
    return dated.load(PACKAGE, "definitions/parameters.csv", key=("name",), make=_value)


def _explanation(columns: dated.Columns) -> Explanation:
    weight = float(columns["weight"])
    if columns["through"] not in THROUGH:
        raise ValueError(f"{columns['through']} is none of {', '.join(THROUGH)}")
    if not 0 < weight < 1:
        raise ValueError("the weight of an explanation stands between 0 and 1")
    return Explanation(
        weight, int(columns["before"]), int(columns["after"]), columns["fr"], columns["en"]
    )


def _flag(columns: dated.Columns) -> Flag:
    weight = float(columns["weight"])
    if weight <= 1:
        raise ValueError("the weight of a flag is above 1")
    return Flag(weight, int(columns["least"]), int(columns["most"]), columns["fr"], columns["en"])


def _value(columns: dated.Columns) -> float:
    return float(columns["value"])
