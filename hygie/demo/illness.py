"""Chronic illnesses: who gets which, when, and how they move the measures of the body.

The curve of a disease gives the share of people who have it by each age; reading it backwards
with a random number gives the age of onset, so that prevalence by age is right by construction.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from math import exp, inf

from hygie.demo.chance import near
from hygie.demo.rows import Disease, Effect
from hygie.demo.tables import curve, factors, rows
from hygie.demo.traits import Person

YEAR = 365.25
STEP_DAYS = 110
"""Time constant of a new step of treatment."""

SLOWEST = 15.0
"""Years after which an illness no longer worsens on its own."""

EVE = -0.06
"""Years before the diagnosis from which the illness shows: results ask for the visit."""


@dataclass(slots=True)
class Illness:
    """A chronic illness of somebody: since when, until when, and how it is treated.

    ``steps`` are the days on which the treatment was stepped up.
    """

    disease: Disease
    onset: date
    until: date | None = None
    treated: bool = True
    condition: str = ""
    spreads: dict[str, float] = field(default_factory=dict)
    steps: list[date] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the key of the disease."""
        return self.disease.module

    def active(self, day: date) -> bool:
        """Say whether the illness is known and not healed on a day."""
        return self.onset <= day and (self.until is None or day < self.until)


def draw_illnesses(rng: random.Random, person: Person, end: date) -> dict[str, Illness]:
    """Draw the chronic illnesses of a person, oldest causes first."""
    found: dict[str, Illness] = {}
    for disease in rows("diseases.csv", Disease):
        chance = rng.random() * 100
        if disease.sex and disease.sex != _letter(person):
            continue
        share = factors(disease.factor).get(_letter(person), 1.0)
        for cause, factor in factors(disease.risks).items():
            share *= factor if cause in found else 1.0
        age = onset_age(disease, chance / share)
        if age is None:
            continue
        onset = person.birth + timedelta(days=round(age * YEAR) + 20)
        if onset <= end - timedelta(days=40):
            found[disease.module] = Illness(disease, onset, _healed(rng, disease, onset, end))
    return found


def onset_age(disease: Disease, percent: float) -> float | None:
    """Return the age at which the share of the sick reaches a percentage; None when it never does.

    >>> onset_age(rows("diseases.csv", Disease)[2], 2.5)
    3.5
    """
    points = curve(disease.onset)
    for (age, share), (next_age, next_share) in pairwise(points):
        if share < percent <= next_share or (share == percent and share > 0):
            return age + (next_age - age) * (percent - share) / (next_share - share)
    return points[0][0] if 0 < percent <= points[0][1] else None


def _healed(rng: random.Random, disease: Disease, onset: date, end: date) -> date | None:
    if disease.years is None:
        return None
    until = onset + timedelta(days=round(disease.years * YEAR * rng.uniform(0.6, 1.6)))
    return until if until < end else None


def _letter(person: Person) -> str:
    return "F" if person.sex == "female" else "M"


@cache
def effects(module: str) -> dict[str, Effect]:
    """Return the effects of an illness by measure."""
    return {row.measure: row for row in rows("effects.csv", Effect) if row.module == module}


def shift(rng: random.Random, illness: Illness, measure: str, day: date) -> float:
    """Return how far an illness moves a measure on a day."""
    effect = effects(illness.name).get(measure)
    years = (day - illness.onset).days / YEAR
    if effect is None or years < EVE or (illness.until and day >= illness.until):
        return 0.0
    if measure not in illness.spreads:
        illness.spreads[measure] = max(0.25, near(rng, 1.0, effect.spread))
    spread = illness.spreads[measure]
    years = min(max(0.0, years), SLOWEST)
    target = effect.treated if illness.treated else effect.start
    moved = target + (effect.start - target) * exp(-years / effect.tau)
    gains = (1 - exp(-max(0, (day - step).days) / STEP_DAYS) for step in illness.steps)
    return max(spread * (moved + effect.slope * years) + effect.step * sum(gains), _least(moved))


def _least(moved: float) -> float:
    """Return the least shift that is left: treatment brings a rise near zero, not below it."""
    return 0.15 * moved if moved > 0 else -inf
