"""Households: people who live together share an address, and often a name."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from hygie.demo.chance import Weighted
from hygie.demo.places import Birthplace, Home, birthplace, commune, home_in
from hygie.demo.rows import Commune
from hygie.demo.traits import (
    Person,
    Relative,
    email_address,
    family_name,
    fixed_number,
    given_names,
    mobile_number,
)

SPOUSE = {"female": ("WIFE", "Épouse"), "male": ("HUSB", "Époux")}
PARENT = {"female": ("MTH", "Mère"), "male": ("FTH", "Père")}
CHILD = {"female": ("DAUC", "Fille"), "male": ("SONC", "Fils")}
ADULT = 18
YEAR = 365.25


def household(rng: random.Random, key: str, *, town: Commune, today: date) -> list[Person]:
    """Draw the people of one home, parents first.

    The weights make a population of about a quarter under 20 and a fifth over 65, as in France.
    """
    kind = _KINDS.draw(rng)
    return kind(_Family(rng, key, town, today))


class _Family:
    """What the members of a household have in common while it is drawn."""

    def __init__(self, rng: random.Random, key: str, town: Commune, today: date) -> None:
        self.rng = rng
        self.key = key
        self.town = town
        self.today = today
        self.home: Home = home_in(rng, town)
        self.name = family_name(rng)
        self.fixed = fixed_number(rng, town.department) if rng.random() < 0.6 else None  # noqa: PLR2004
        self.members: list[Person] = []

    def add(self, sex: str, age: float, family: str) -> Person:
        """Add somebody of a sex, age in years and birth name."""
        rng = self.rng
        birth = self.today - timedelta(days=int(age * YEAR) + rng.randint(0, 364))
        given = given_names(rng, sex, birth.year)
        person = Person(
            key=f"{self.key}/{len(self.members)}",
            sex=sex,
            birth=birth,
            family=family,
            given=given,
            born_at=self._birthplace(age),
            home=self.home,
            order=rng.randint(1, 899),
            fixed=self.fixed,
        )
        if age >= ADULT:
            person.mobile = mobile_number(rng)
            person.email = email_address(person.name, rng.randint(1, 9999))
        _mortality(person, rng, self.today)
        self.members.append(person)
        return person

    def _birthplace(self, age: float) -> Birthplace:
        abroad = 0.02 if age < ADULT else 0.12
        return birthplace(self.rng, commune(self.town.code), abroad=abroad)

    def children(self, parents: list[Person], age_of_mother: float) -> None:
        """Add the children who still live at home."""
        count = self.rng.choices((1, 2, 3), (40, 42, 18))[0]
        ages = sorted(
            (age_of_mother - self.rng.uniform(21, 39) for _ in range(count)), reverse=True
        )
        kept: list[Person] = []
        for age in _apart(ages):
            sex = self.rng.choice(("female", "male"))
            child = self.add(sex, age, parents[-1].family)
            for parent in parents:
                _parenthood(child, parent, minor=age < ADULT - 1)
            kept.append(child)


def _apart(ages: list[float]) -> list[float]:
    """Keep ages from 0 to 20 that leave at least fourteen months between two births."""
    kept: list[float] = []
    for age in ages:
        room = not kept or kept[-1] - age > 2.3  # noqa: PLR2004 - a year of hazard is added later
        if room and 0 <= age < 20:  # noqa: PLR2004
            kept.append(age)
    return kept


def _mortality(person: Person, rng: random.Random, today: date) -> None:
    """Let a few old people die in the last three years."""
    age = person.age(today)
    risk = 0.002 if age < 60 else 0.02 if age < 75 else 0.08 if age < 85 else 0.18  # noqa: PLR2004
    if age > 40 and rng.random() < risk:  # noqa: PLR2004
        person.death = today - timedelta(days=rng.randint(5, 1000))


def _parenthood(child: Person, parent: Person, *, minor: bool) -> None:
    code, label = PARENT[parent.sex]
    child.relatives.append(Relative(code, label, parent, guardian=minor))
    code, label = CHILD[child.sex]
    parent.relatives.append(Relative(code, label, child, emergency=False))


def _marry(one: Person, other: Person) -> None:
    for person, spouse in ((one, other), (other, one)):
        code, label = SPOUSE[spouse.sex]
        person.relatives.append(Relative(code, label, spouse))
        person.married = True


def _alone(family: _Family) -> list[Person]:
    rng = family.rng
    low, high = rng.choices(((19, 35), (35, 60), (60, 93)), (32, 30, 38))[0]
    age = rng.uniform(low, high)
    sex = "female" if rng.random() < (0.6 if age > 60 else 0.45) else "male"  # noqa: PLR2004
    person = family.add(sex, age, family.name)
    if sex == "female" and age > 65 and rng.random() < 0.7:  # noqa: PLR2004
        person.used = family_name(rng)
    return family.members


def _couple(family: _Family) -> list[Person]:
    rng = family.rng
    low, high = rng.choices(((22, 40), (40, 60), (60, 88)), (22, 26, 52))[0]
    _two_adults(family, rng.uniform(low, high))
    return family.members


def _two_adults(family: _Family, age: float) -> list[Person]:
    rng = family.rng
    man = family.add("male", max(19.0, age + rng.uniform(-3, 5)), family.name)
    woman = family.add("female", age, family_name(rng))
    if rng.random() < (0.92 if age > 60 else 0.5):  # noqa: PLR2004
        woman.used = man.family
    _marry(man, woman)
    return [woman, man]


def _couple_with_children(family: _Family) -> list[Person]:
    age = family.rng.uniform(25, 52)
    parents = _two_adults(family, age)
    family.children(parents, age)
    return family.members


def _one_parent(family: _Family) -> list[Person]:
    rng = family.rng
    sex = "female" if rng.random() < 0.84 else "male"  # noqa: PLR2004
    age = rng.uniform(24, 52)
    parent = family.add(sex, age, family.name)
    family.children([parent], age if sex == "female" else age - 2)
    return family.members


_KINDS: Weighted[Callable[[_Family], list[Person]]] = Weighted(
    [_alone, _couple, _couple_with_children, _one_parent], [37, 27, 27, 9]
)
