"""Who a person is: strict traits, test NIR with its key, contacts.

Strict traits follow the national identity rules (RNIV): birth name, list of birth given names,
sex, birth date and INSEE place of birth. The numbers are test numbers and the telephone ranges
are those that ARCEP keeps for fiction (decision 2018-0881).
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from hygie.demo.chance import Weighted
from hygie.demo.places import Birthplace, Home
from hygie.demo.rows import FirstName, Weighed
from hygie.demo.tables import rows

FIXED_RANGES = {"1": "19900", "2": "26191", "3": "35301", "4": "46571", "5": "53649"}
"""ARCEP fiction ranges of fixed lines by zone, without the first 0 and the last four digits."""


@dataclass(slots=True)
class Relative:
    """A relation of a person to another: v3-RoleCode as FR Core uses it (TRE_R216)."""

    code: str
    label: str
    person: Person
    guardian: bool = False
    emergency: bool = True


@dataclass(slots=True)
class Person:
    """A synthetic person.

    Attributes:
        key: stable path that names the person; identifiers derive from it.
        sex: FHIR gender, ``female`` or ``male``.
        family: birth name. ``used`` is the name used every day, None when it is the same.
        order: the three last digits of the NIR.
    """

    key: str
    sex: str
    birth: date
    family: str
    given: tuple[str, ...]
    born_at: Birthplace
    home: Home
    order: int
    used: str | None = None
    death: date | None = None
    mobile: str | None = None
    fixed: str | None = None
    email: str | None = None
    married: bool = False
    territory: int = 0
    relatives: list[Relative] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the name of every day, such as ``Françoise Le Goff``."""
        return f"{self.given[0]} {self.used or self.family}"

    @property
    def nir(self) -> str:
        """Return the fifteen characters of the test NIR, key included."""
        body = nir_body(self)
        return body + nir_key(body)

    def age(self, on: date) -> float:
        """Return the age in years on a day."""
        return (on - self.birth).days / 365.25

    def alive(self, on: date) -> bool:
        """Say whether the person is born and not dead on a day."""
        return self.birth <= on and (self.death is None or on <= self.death)


def nir_body(person: Person) -> str:
    """Return sex, year, month, place and order of birth: thirteen characters."""
    sex = "2" if person.sex == "female" else "1"
    return f"{sex}{person.birth:%y%m}{person.born_at.code}{person.order:03d}"


def nir_key(body: str) -> str:
    """Return the key of a NIR of thirteen characters; Corsica counts as 19 and 18.

    >>> nir_key("2790351215189"), nir_key("253072A073004"), nir_key("253072B073004")
    ('89', '43', '70')
    """
    digits = body.replace("2A", "19", 1) if body[5:7] == "2A" else body
    digits = digits.replace("2B", "18", 1) if body[5:7] == "2B" else digits
    return f"{97 - int(digits) % 97:02d}"


@cache
def _first_names(sex: str, column: str) -> Weighted[str]:
    mark = "F" if sex == "female" else "M"
    kept = [row for row in rows("first_names.csv", FirstName) if row.sex == mark]
    return Weighted([row.name for row in kept], [getattr(row, column) for row in kept])


@cache
def _family_names() -> Weighted[str]:
    kept = rows("family_names.csv", Weighed)
    return Weighted([row.name for row in kept], [row.weight for row in kept])


def given_names(rng: random.Random, sex: str, year: int) -> tuple[str, ...]:
    """Draw one to three birth given names of the time of birth."""
    columns = ((2005, "born_2005"), (1986, "born_1986"), (1966, "born_1966"), (1946, "born_1946"))
    column = next((name for since, name in columns if year >= since), "born_1900")
    names: list[str] = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        name = _first_names(sex, column).draw(rng)
        if name not in names:
            names.append(name)
    return tuple(names)


def family_name(rng: random.Random) -> str:
    """Draw a family name of today's France."""
    return _family_names().draw(rng)


def mobile_number(rng: random.Random) -> str:
    """Draw a mobile number of the ARCEP fiction range 06 39 98."""
    return f"+3363998{rng.randint(0, 9999):04d}"


def fixed_number(rng: random.Random, department: str) -> str:
    """Draw a fixed number of the ARCEP fiction range of the zone of a department."""
    return f"+33{FIXED_RANGES[zone_of(department)]}{rng.randint(0, 9999):04d}"


def zone_of(department: str) -> str:
    """Return the telephone zone, 1 to 5, of a department (overseas uses 01)."""
    zones = {
        "1": "75 77 78 91 92 93 94 95",
        "2": "14 18 22 27 28 29 35 36 37 41 44 45 49 50 53 56 61 72 76 85",
        "3": "02 08 10 21 25 39 51 52 54 55 57 58 59 60 62 67 68 70 71 80 88 89 90",
        "4": "01 03 04 05 06 07 11 13 15 20 26 2A 2B 30 34 38 42 43 48 63 66 69 73 74 83 84",
        "5": "09 12 16 17 19 23 24 31 32 33 40 46 47 64 65 79 81 82 86 87",
    }
    return next((zone for zone, names in zones.items() if department in names.split()), "1")


def email_address(name: str, mark: int) -> str:
    """Return an address of the domain that RFC 2606 keeps for examples.

    >>> email_address("Françoise Le Goff", 12)
    'francoise.le-goff12@example.org'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    first, _, last = plain.partition(" ")
    return f"{first}.{last.replace(' ', '-')}{mark or ''}@example.org"
