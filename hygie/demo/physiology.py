"""The body of a person: what each measure would show on a day.

A measure is the habit of the person, plus what age and illnesses do to it, plus noise. Measures
that are computed in real life (LDL with total cholesterol, filtration from creatinine) are
computed here too, so that a report never contradicts itself.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache

from hygie.demo.chance import near
from hygie.demo.illness import Illness, shift
from hygie.demo.rows import Growth, Measure
from hygie.demo.tables import measure, panel, rows
from hygie.demo.traits import Person

MONTH = 30.4375
ADULT = 18.0
DERIVED = {"total", "egfr", "haematocrit", "neutrophils"}
NO_SHIFT: Mapping[str, float] = {}


class Body:
    """The measures of one person."""

    def __init__(self, person: Person, rng: random.Random, illnesses: Sequence[Illness]) -> None:
        self.person = person
        self.illnesses = illnesses
        self._rng = rng
        self._habits: dict[str, float] = {}
        self._tall = near(rng, 0.0, 1.0)
        self._heavy = near(rng, 0.0, 1.0)

    def draw(
        self, panels: Iterable[str], day: date, shifts: Mapping[str, float] = NO_SHIFT
    ) -> list[tuple[Measure, float]]:
        """Return the values of some panels on a day; ``shifts`` come from an acute episode."""
        wanted = [row for name in panels for row in panel(name)]
        values = {
            row.key: self.value(row, day, shifts.get(row.key, 0.0))
            for row in wanted
            if row.key not in DERIVED
        }
        return [
            (row, values[row.key] if row.key in values else self._derived(row, values, day))
            for row in wanted
        ]

    def value(self, row: Measure, day: date, extra: float = 0.0) -> float:
        """Return the value of a measure on a day, within what a living body shows."""
        age = self.person.age(day)
        value = self._habit(row) + growing(row.key, age) + extra
        value += sum(shift(self._rng, ill, row.key, day) for ill in self.illnesses)
        value = near(self._rng, value, row.noise)
        return min(row.ceiling, max(row.floor, value))

    def vital(self, key: str, day: date, extra: float = 0.0) -> tuple[Measure, float]:
        """Return a vital sign of the table on a day."""
        row = measure(key)
        return row, self.value(row, day, extra)

    def height(self, day: date) -> float:
        """Return the height in centimetres."""
        return _median(self.person, "height", day) * (1 + 0.034 * self._tall)

    def head(self, day: date) -> float:
        """Return the head circumference of a child in centimetres."""
        return _median(self.person, "head", day) * (1 + 0.015 * self._tall)

    def weight(self, day: date) -> float:
        """Return the weight in kilograms."""
        age = self.person.age(day)
        if age < ADULT:
            base = _median(self.person, "weight", day) * (1 + 0.09 * self._heavy)
        else:
            index = 21.4 + 1.5 * self._heavy + 0.065 * min(age - ADULT, 42)
            base = index * (self.height(day) / 100) ** 2
        return near(self._rng, base * self._fat(day), base * 0.006)

    def _fat(self, day: date) -> float:
        ratio = 1.0
        for illness in self.illnesses:
            if illness.name == "obesity" and illness.active(day):
                ratio += 0.34
            elif illness.name == "pregnancy" and illness.active(day):
                ratio += 0.19 * (day - illness.onset).days / 280
        return ratio

    def _habit(self, row: Measure) -> float:
        if row.key not in self._habits:
            mean = row.mean_f if self.person.sex == "female" else row.mean_m
            self._habits[row.key] = near(self._rng, mean, row.sd)
        return self._habits[row.key]

    def _derived(self, row: Measure, values: dict[str, float], day: date) -> float:
        if row.key == "total":
            value = values["ldl"] + values["hdl"] + values["triglycerides"] / 5
        elif row.key == "egfr":
            value = filtration(values["creatinine"], self.person, day)
        elif row.key == "haematocrit":
            value = 3.0 * values["haemoglobin"]
        else:
            value = max(values["leukocytes"] - values["lymphocytes"] - 0.6, 1.0)
        return min(row.ceiling, max(row.floor, value))


def growing(key: str, age: float) -> float:
    """Return what age alone adds to a measure whose mean is that of a young adult."""
    if key == "systolic":
        return 0.22 * (age - 30) if age >= ADULT else -1.6 * (ADULT - age)
    if key == "diastolic":
        return -0.9 * max(0.0, ADULT - age)
    if key == "heart_rate":
        return 3.2 * max(0.0, 16 - age)
    if key == "respiratory_rate":
        return 1.1 * max(0.0, 16 - age)
    if key == "creatinine":
        return -2.6 * max(0.0, ADULT - age)
    if key == "fev1":
        return -0.022 * (age - 30) if age >= ADULT else -0.16 * (ADULT - age)
    if key == "psa":
        return 0.03 * max(0.0, age - 50)
    return 0.0


def filtration(creatinine: float, person: Person, day: date) -> float:
    """Return the glomerular filtration rate in mL/min/1.73 m², from creatinine in µmol/L.

    Source: CKD-EPI 2009 creatinine equation, Levey et al., Ann Intern Med 2009, without race.
    """
    kappa, alpha = (0.7, -0.329) if person.sex == "female" else (0.9, -0.411)
    ratio = creatinine / 88.4 / kappa
    rate: float = 141 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.209 * 0.993 ** person.age(day)
    return rate * (1.018 if person.sex == "female" else 1.0)


@cache
def _growth(column: str) -> tuple[list[float], list[float]]:
    table = rows("growth.csv", Growth)
    return [row.months for row in table], [float(getattr(row, column)) for row in table]


def _median(person: Person, what: str, day: date) -> float:
    """Return the median size for the age; adults keep that of eighteen years."""
    months, sizes = _growth(f"{what}_{'f' if person.sex == 'female' else 'm'}")
    age = (day - person.birth).days / MONTH
    place = bisect_right(months, age)
    if place >= len(months):
        return sizes[-1]
    low, high = months[place - 1], months[place]
    part = (age - low) / (high - low)
    return sizes[place - 1] + (sizes[place] - sizes[place - 1]) * part
