"""Bring quantities of one dimension to one unit, so that 5 mg is found by 0.005 g.

Reads the grammar of UCUM version 2.2 (ucum.org, section 2) over a table of the units met in
health records: ``definitions/ucum_units.csv`` gives each atom its exact factor to base units,
``definitions/ucum_prefixes.csv`` the metric prefixes. All arithmetic is on fractions. Two choices
differ from the letter of UCUM so that unlike things never match: the mole is a base unit and not a
number, and arbitrary units ([iU]) are a dimension of their own.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files

SYSTEM = "http://unitsofmeasure.org"

LONGEST = 100
"""Characters of a code and digits of a value beyond which nothing is converted."""

_DIGITS = Context(prec=34)
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_LONE_ANNOTATION = re.compile(r"(^|[/.(])\{[^{}]*\}")
_PART = re.compile(
    r"(?P<atom>(?:\[[^\]]+\]|10[*^]|[A-Za-z%_'])+)(?P<power>[+-]?\d{1,2})?|(?P<number>[1-9]\d{0,8})",
    re.ASCII,
)
_AFFINE = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor (and, for temperatures, an offset) to base units, and the code of those."""

    factor: Fraction
    base: str
    offset: Fraction = Fraction(0)


def canonical_quantity(
    value: Decimal, system: str | None, code: str | None
) -> tuple[Decimal, str | None]:
    """Return the value in base units and their code; unknown units come back as they were.

    >>> canonical_quantity(Decimal("5"), SYSTEM, "mg")
    (Decimal('0.005'), 'g')
    >>> canonical_quantity(Decimal("14.2"), SYSTEM, "g/dL") == canonical_quantity(
    ...     Decimal("142"), SYSTEM, "g/L")
    True
    >>> canonical_quantity(Decimal("98.6"), SYSTEM, "[degF]")
    (Decimal('310.15'), 'K')
    >>> canonical_quantity(Decimal("3"), "urn:iso:std:iso:4217", "EUR")
    (Decimal('3'), 'EUR')
    """
    unit = unit_of(code) if code is not None and system == SYSTEM else None
    if unit is None or abs(value.adjusted()) > LONGEST:
        return value, code
    exact = Fraction(value) * unit.factor + unit.offset
    return _DIGITS.divide(Decimal(exact.numerator), Decimal(exact.denominator)), unit.base


@lru_cache(maxsize=2_048)
def unit_of(code: str) -> Unit | None:
    """Return what a UCUM code means in base units, or None when it is not understood.

    >>> unit_of("mL/min/{1.73_m2}").base
    'm3.s-1'
    >>> unit_of("furlong") is None
    True
    """
    if len(code) > LONGEST:
        return None
    plain = _ANNOTATION.sub("", _LONE_ANNOTATION.sub(r"\g<1>1", code))
    if plain in _AFFINE:
        factor, offset = _AFFINE[plain]
        return Unit(factor, "K", offset)
    reader = _Reader(plain)
    found = reader.inverse() if plain.startswith("/") else reader.term()
    if found is None or not reader.ended:
        return None
    factor, dimensions = found
    return Unit(factor, _written(dimensions))


_Term = tuple[Fraction, Counter[str]]


class _Reader:
    """A recursive descent over one UCUM code without annotations."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._text)

    def inverse(self) -> _Term | None:
        """Read ``/term``: the first unit divides one."""
        return self._more((Fraction(1), Counter()))

    def term(self) -> _Term | None:
        """Read components joined by ``.`` and ``/``, from the left."""
        first = self._component()
        return None if first is None else self._more(first)

    def _more(self, so_far: _Term) -> _Term | None:
        while self._text[self._at : self._at + 1] in (".", "/"):
            sign = 1 if self._text[self._at] == "." else -1
            self._at += 1
            following = self._component()
            if following is None:
                return None
            so_far = _times(so_far, following, sign)
        return so_far

    def _component(self) -> _Term | None:
        if self._text[self._at : self._at + 1] == "(":
            self._at += 1
            inner = self.term()
            if inner is None or self._text[self._at : self._at + 1] != ")":
                return None
            self._at += 1
            return inner
        part = _PART.match(self._text, self._at)
        if part is None:
            return None
        self._at = part.end()
        if part["number"]:
            return Fraction(int(part["number"])), Counter()
        atom = _atom(part["atom"])
        return None if atom is None else _power(atom, int(part["power"] or 1))


def _times(left: _Term, right: _Term, sign: int) -> _Term:
    dimensions = Counter(left[1])
    for name, power in right[1].items():
        dimensions[name] += sign * power
    return left[0] * right[0] ** sign, dimensions


def _power(term: _Term, power: int) -> _Term:
    return term[0] ** power, Counter({name: n * power for name, n in term[1].items()})


def _written(dimensions: Counter[str]) -> str:
    parts = [
        name if power == 1 else f"{name}{power}"
        for name, power in sorted(dimensions.items())
        if power
    ]
    return ".".join(parts) or "1"


def _atom(text: str) -> _Term | None:
    units = _units()
    if text in units:
        return units[text][0]
    for length in (2, 1):
        power = _prefixes().get(text[:length])
        unit = units.get(text[length:])
        if power is not None and unit is not None and unit[1]:
            return unit[0][0] * Fraction(10) ** power, unit[0][1]
    return None


@cache
def _units() -> Mapping[str, tuple[_Term, bool]]:
    return {
        line["code"]: (
            (Fraction(line["factor"]), _dimensions(line["dimension"])),
            line["metric"] == "1",
        )
        for line in _table("ucum_units.csv")
    }


@cache
def _prefixes() -> Mapping[str, int]:
    return {line["code"]: int(line["power"]) for line in _table("ucum_prefixes.csv")}


def _dimensions(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in text.split(".") if text != "1" else ():
        match = re.fullmatch(r"(\[.+\]|[A-Za-z]+)(-?\d+)?", part)
        if match is None:
            raise ValueError(text)
        found[match[1]] += int(match[2] or 1)
    return found


def _table(name: str) -> csv.DictReader[str]:
    text = files(__package__).joinpath(f"definitions/{name}").read_text("ascii")
    return csv.DictReader(text.splitlines())
