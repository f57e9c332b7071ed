"""The course of one person's care: the state that every part of the engine shares.

Nothing is written before birth, after death or after the day before ``today``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hygie.demo.directory import Territory
from hygie.demo.fhir.care import Diagnosis, Visit, write_condition, write_encounter
from hygie.demo.fhir.directory import Post
from hygie.demo.fhir.measures import (
    write_body,
    write_measure,
    write_pressure,
    write_report,
)
from hygie.demo.fhir.parts import Chart, instant
from hygie.demo.fhir.person import Member
from hygie.demo.illness import Illness
from hygie.demo.physiology import NO_SHIFT, Body
from hygie.demo.rows import Allergy, Measure, Medicine
from hygie.demo.traits import Person

WINDOW_YEARS = 6
"""How far back the visits of an adult are in the record; older illnesses keep their diagnosis."""

SUNDAY = 6
ADULT = 18.0


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that could be filed: the lines that it would print."""

    kind: str
    visit: Visit
    title: str
    lines: tuple[str, ...]


class Course:
    """What happens to one person, and the chart in which it is written."""

    def __init__(  # noqa: PLR0913 - the state of a course is what its parts share
        self,
        person: Person,
        territory: Territory,
        *,
        rng: random.Random,
        today: date,
        illnesses: dict[str, Illness],
        pregnancies: Sequence[Illness] = (),
        allergies: Sequence[Allergy] = (),
        chart: Chart,
    ) -> None:
        self.person = person
        self.territory = territory
        self.rng = rng
        self.today = today
        self.illnesses = illnesses
        self.pregnancies = pregnancies
        self.allergies = allergies
        self.chart = chart
        self.patient = chart.reserve("Patient", "patient")
        self.body = Body(person, rng, [*illnesses.values(), *pregnancies])
        self.end = min(today, person.death or today) - timedelta(days=1)
        self.window = max(person.birth, today - timedelta(days=round(WINDOW_YEARS * 365.25)))
        self.members: dict[str, Member] = {}
        self.papers: list[Paper] = []
        self.gp_visits: list[Visit] = []
        self.first_visit: Visit | None = None

    def working_day(self, day: date) -> date:
        """Return the day, or the Monday after it when it is a Sunday."""
        return day + timedelta(days=1) if day.weekday() == SUNDAY else day

    def within(self, day: date) -> bool:
        """Say whether something may happen to the person on a day."""
        return self.person.birth <= day <= self.end

    def suits(self, medicine: Medicine, day: date) -> bool:
        """Say whether a medicine may be prescribed: no known allergy, no risk in pregnancy."""
        known = [allergy.atc for allergy in self.allergies if allergy.atc]
        if any(medicine.atc.startswith(atc) for atc in known):
            return False
        return medicine.pregnancy or not self.pregnant(day)

    def pregnant(self, day: date) -> bool:
        """Say whether the person is pregnant on a day."""
        return any(pregnancy.active(day) for pregnancy in self.pregnancies)

    def condition(self, diagnosis: Diagnosis, visit: Visit, reference: str) -> None:
        """Write a Condition under a reference reserved before the visit."""
        write_condition(self.chart, self.patient, diagnosis, visit=visit, reference=reference)

    def visit(
        self, day: date, role: str, label: str, reasons: list[str], *, days: int | None = None
    ) -> Visit:
        """Write an encounter with whoever holds a role; ``days`` makes it a hospital stay."""
        post = self.territory.post(role)
        minute = self.rng.randrange(8 * 60 + 30, 18 * 60, 15)
        visit = Visit(self.chart.reserve("Encounter"), day, minute, post)
        stay = None if days is None else min(days, (self.end - day).days)
        write_encounter(
            self.chart, self.patient, visit, label=label, reasons=reasons, stay_days=stay
        )
        self.joins(role, post, day)
        if role == "generaliste":
            self.gp_visits.append(visit)
        if self.first_visit is None or day < self.first_visit.day:
            self.first_visit = visit
        return visit

    def joins(self, role: str, post: Post, day: date) -> None:
        """Note that a professional is in the care team since a day."""
        known = self.members.get(role)
        if known is None or day < known.since:
            self.members[role] = Member(post, day)

    def draw_blood(
        self, panels: list[str], day: date, shifts: Mapping[str, float] = NO_SHIFT
    ) -> tuple[str, ...]:
        """Write the results and the report of a blood draw; return the lines of its document."""
        biologist = self.territory.post("biologiste")
        at = instant(day, 7 * 60 + 40)
        results, lines = [], []
        for row, value in self.body.draw(panels, day, shifts):
            results.append(
                write_measure(
                    self.chart,
                    self.patient,
                    row,
                    value,
                    sex=self.person.sex,
                    at=at,
                    by=biologist.site.reference,
                )
            )
            lines.append(result_line(row, value, self.person.sex))
        write_report(self.chart, self.patient, day=day, biologist=biologist, results=results)
        return tuple(lines)

    def examine(self, visit: Visit, panel: str) -> None:
        """Write the measures of an examination made during a visit, such as a spirometry."""
        for row, value in self.body.draw([panel], visit.day):
            self._measure(visit, row, value)

    def vital(self, visit: Visit, key: str, extra: float = 0.0) -> None:
        """Write a vital sign measured during a visit."""
        self._measure(visit, *self.body.vital(key, visit.day, extra))

    def _measure(self, visit: Visit, row: Measure, value: float) -> None:
        write_measure(
            self.chart,
            self.patient,
            row,
            value,
            sex=self.person.sex,
            at=visit.start,
            by=visit.post.practitioner,
            encounter=visit.reference,
        )

    def pressure(self, visit: Visit) -> str:
        """Write the blood pressure measured during a visit; return it as it is said."""
        systolic = self.body.vital("systolic", visit.day)
        diastolic = self.body.vital("diastolic", visit.day)
        top = max(systolic[1], diastolic[1] + 25)
        write_pressure(
            self.chart,
            self.patient,
            (systolic[0], top),
            diastolic,
            at=visit.start,
            by=visit.post.practitioner,
            encounter=visit.reference,
        )
        return f"{top:.0f}/{diastolic[1]:.0f} mmHg"

    def size(self, visit: Visit, *, height: bool, head: bool = False) -> float:
        """Write weight, and when asked height, body mass index and head; return the weight."""
        weight, tall = self.body.weight(visit.day), self.body.height(visit.day)
        shown = {"weight": weight}
        if height:
            shown |= {"height": tall, "bmi": weight / (tall / 100) ** 2}
        if head:
            shown["head"] = self.body.head(visit.day)
        for key, value in shown.items():
            write_body(
                self.chart,
                self.patient,
                key,
                value,
                at=visit.start,
                by=visit.post.practitioner,
                encounter=visit.reference,
            )
        return weight


def result_line(row: Measure, value: float, sex: str) -> str:
    """Return a result as a laboratory prints it: value, unit and reference range."""
    low, high = row.bounds(sex)
    said = f"{row.display} : {french(value, row.decimals)} {row.unit}"
    if low is None and high is None:
        return said
    if low is None or high is None:
        bound = french(high or low or 0, row.decimals)
        return f"{said}   (attendu : {'supérieur' if high is None else 'inférieur'} à {bound})"
    bounds = f"{french(low, row.decimals)} à {french(high, row.decimals)}"
    return f"{said}   (attendu : {bounds})"


def french(value: float, decimals: int = 1) -> str:
    """Return a number as it is written in French.

    >>> french(72.34)
    '72,3'
    """
    return f"{value:.{decimals}f}".replace(".", ",")
