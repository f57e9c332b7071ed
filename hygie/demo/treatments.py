"""Treatments over the years: begun after the diagnosis, stepped up, renewed, stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from hygie.demo.course import Course
from hygie.demo.fhir.care import Visit
from hygie.demo.fhir.prescriptions import Order, write_prescription
from hygie.demo.illness import YEAR, Illness
from hygie.demo.rows import Medicine, Treatment
from hygie.demo.tables import medicine, rows

RENEWAL = 170
LAST_RENEWAL = 40
"""Days between two orders; the last visit orders again what was ordered before."""

SUPPLY = 180
CURRENT = 420
"""Days after which a prescription that nobody renewed is no longer a current treatment."""


@dataclass(slots=True)
class Taking:
    """A medicine that a person takes for an illness, and the visits where it was ordered."""

    row: Treatment
    medicine: Medicine
    illness: Illness
    start: date
    stop: date | None
    orders: list[Visit] = field(default_factory=list)

    def due(self, day: date, interval: int) -> bool:
        """Say whether the medicine is to be ordered at a visit, some days after the last order."""
        if day < self.start or (self.stop and day >= self.stop):
            return False
        return not self.orders or (day - self.orders[-1].day).days >= interval


class Treatments:
    """The treatments of one person.

    ``takes`` names the medicines of a story, with the years since they began where it says so;
    when it is empty, chance decides.
    """

    def __init__(self, course: Course, takes: Mapping[str, float | None]) -> None:
        self.course = course
        self.takes = takes
        self.takings: list[Taking] = []

    def plan(self, illness: Illness) -> None:
        """Draw what the person will take for an illness, and from when.

        A class of medicines that is already taken for another illness is not taken twice.
        """
        steps: dict[int, Taking] = {}
        table = _steps(illness.name)
        elsewhere = {therapeutic_class(taking.medicine) for taking in self.takings}
        covered = False
        for row in table:
            taking = self._draw(row, illness)
            if taking is None or (row.replaces is not None and row.replaces not in steps):
                continue
            kind = therapeutic_class(taking.medicine)
            beside = [one for step, one in steps.items() if step != row.replaces]
            covered = covered or kind in elsewhere
            if kind not in elsewhere | {therapeutic_class(one.medicine) for one in beside}:
                steps[row.step] = taking
        for row in table:
            if row.replaces in steps and row.step in steps:
                steps[row.replaces].stop = steps[row.step].start
        illness.treated = not table or covered or 1 in steps
        illness.steps = [taking.start for step, taking in steps.items() if step > 1]
        self.takings.extend(steps.values())

    def _draw(self, row: Treatment, illness: Illness) -> Taking | None:
        rng = self.course.rng
        drawn, choice = rng.random() < row.share, rng.random()
        begun = illness.onset + timedelta(days=round(row.after_years * YEAR * (0.7 + 0.7 * choice)))
        names = row.medicines.split()
        if self.takes:
            names = [name for name in names if name in self.takes]
            drawn = bool(names)
        kept = [one for one in map(medicine, names) if self.course.suits(one, date.min)]
        since = self.takes.get(kept[0].key) if kept else None
        if since is not None:
            begun = self.course.today - timedelta(days=round(since * YEAR))
        old_enough = self.course.person.age(begun) >= row.from_age
        if not drawn or not kept or not old_enough:
            return None
        stop = illness.until
        if row.until_years:
            end = begun + timedelta(days=round(row.until_years * YEAR))
            stop = min(stop, end) if stop else end
        return Taking(row, kept[int(choice * len(kept))], illness, begun, stop)

    def prescribe(self) -> None:
        """Order what is due at each visit of the general practitioner, oldest first."""
        visits = sorted(self.course.gp_visits, key=lambda visit: visit.start)
        for visit in visits:
            interval = LAST_RENEWAL if visit is visits[-1] else RENEWAL
            for taking in self.takings:
                if taking.due(visit.day, interval) and self.course.suits(
                    taking.medicine, visit.day
                ):
                    taking.orders.append(visit)

    def current(self) -> list[Taking]:
        """Return what the person takes today."""
        return [taking for taking in self.takings if self._current(taking)]

    def _current(self, taking: Taking) -> bool:
        today = self.course.today
        if not taking.orders or self.course.person.death:
            return False
        going_on = taking.stop is None or taking.stop > today
        return going_on and (today - taking.orders[-1].day).days <= CURRENT

    def write(self) -> None:
        """Write the orders: the last one of a current treatment is active."""
        for taking in self.takings:
            current = self._current(taking)
            order = Order(
                taking.medicine, taking.row.daily, taking.row.dose, taking.row.instruction, SUPPLY
            )
            for visit in taking.orders:
                last = visit is taking.orders[-1]
                write_prescription(
                    self.course.chart,
                    self.course.patient,
                    order,
                    visit,
                    status="active" if last and current else "completed",
                    reason=taking.illness.condition,
                )


@cache
def _steps(module: str) -> tuple[Treatment, ...]:
    table: dict[str, list[Treatment]] = defaultdict(list)
    for row in rows("treatments.csv", Treatment):
        table[row.module].append(row)
    return tuple(table[module])


def therapeutic_class(drug: Medicine) -> str:
    """Return the ATC class that a person takes once: the fourth level, C09 as a whole.

    >>> therapeutic_class(medicine("atorvastatine_80")), therapeutic_class(medicine("losartan_50"))
    ('C10AA', 'C09')
    """
    return drug.atc[:3] if drug.atc.startswith("C09") else drug.atc[:5]
