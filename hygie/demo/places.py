"""Real communes drawn by population, and the addresses in them."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from hygie.demo.chance import Weighted
from hygie.demo.rows import Commune, Label, Weighed
from hygie.demo.tables import rows


@dataclass(frozen=True, slots=True)
class Home:
    """A postal address: a French line, postal code, city and INSEE code of the commune."""

    line: str
    postal_code: str
    city: str
    commune: str


@dataclass(frozen=True, slots=True)
class Birthplace:
    """Where somebody was born: INSEE code of the commune, or 99xxx of the country, and name."""

    code: str
    name: str


@cache
def communes() -> tuple[Commune, ...]:
    """Return every commune, arrondissements of Paris, Lyon and Marseille included."""
    return rows("communes.csv.xz", Commune)


@cache
def commune(code: str) -> Commune:
    """Return a commune by INSEE code."""
    return {place.code: place for place in communes()}[code]


@cache
def department_name(code: str) -> str:
    """Return the name of a department, such as ``Morbihan`` for 56."""
    return next(row.name for row in rows("departments.csv", Label) if row.code == code)


@cache
def everywhere() -> Weighted[Commune]:
    """Return the draw of a commune of France by population."""
    places = communes()
    return Weighted(places, [place.population for place in places])


@cache
def around(department: str) -> Weighted[Commune]:
    """Return the draw of a commune of a department by population."""
    places = _by_department()[department]
    return Weighted(places, [place.population for place in places])


@cache
def chief_town(department: str) -> Commune:
    """Return the most peopled commune of a department."""
    return max(_by_department()[department], key=lambda place: place.population)


@cache
def _by_department() -> dict[str, list[Commune]]:
    found: dict[str, list[Commune]] = defaultdict(list)
    for place in communes():
        found[place.department].append(place)
    return found


def home_in(rng: random.Random, place: Commune) -> Home:
    """Draw an address in a commune."""
    street = rng.choice(rows("streets.csv", Label)).name
    line = f"{rng.randint(1, 98)} {street}"
    return Home(line, rng.choice(place.postal_codes.split()), city_name(place), place.code)


def city_name(place: Commune) -> str:
    """Return the name as it stands in an address.

    >>> city_name(commune("75114"))
    'Paris'
    """
    return place.name.split(" ")[0] if place.name.endswith("Arrondissement") else place.name


def birthplace(rng: random.Random, local: Commune, *, abroad: float) -> Birthplace:
    """Draw a place of birth: a foreign country, the home department, or anywhere in France."""
    if rng.random() < abroad:
        country = _countries().draw(rng)
        return Birthplace(country.code, country.name)
    draw = around(local.department) if rng.random() < 0.65 else everywhere()  # noqa: PLR2004
    place = draw.draw(rng)
    return Birthplace(place.code, place.name)


@cache
def _countries() -> Weighted[Weighed]:
    found = rows("countries.csv", Weighed)
    return Weighted(found, [row.weight for row in found])
