"""Acute episodes: infections of childhood, injuries and small ills that heal."""

from __future__ import annotations

from datetime import date, timedelta

from hygie.demo.course import ADULT, Course
from hygie.demo.fhir.care import Diagnosis, Visit, write_procedure
from hygie.demo.fhir.prescriptions import Order, write_prescription
from hygie.demo.rows import Acute
from hygie.demo.tables import curve, factors, medicine, procedure, rows, step_value

SEASONS = {
    "winter": frozenset((11, 12, 1, 2, 3)),
    "spring": frozenset((3, 4, 5, 6)),
    "summer": frozenset((5, 6, 7, 8, 9)),
    "all": frozenset(range(1, 13)),
}
FEVER = 37.5
CHILD = 12
INSTEAD_OF_PENICILLIN = "azithromycine_250"


def play_episodes(course: Course) -> None:
    """Draw and write the acute episodes of each year of the record."""
    done: set[str] = set()
    start = course.window
    while start <= course.end:
        part = min(1.0, ((course.end - start).days + 1) / 365)
        for row in rows("acute.csv", Acute):
            drawn = course.rng.random()
            if row.sex and (row.sex == "F") != (course.person.sex == "female"):
                continue
            rate = step_value(curve(row.rates), course.person.age(start) + part / 2)
            if drawn >= rate * part or (row.once and row.key in done):
                continue
            day = _day(course, row, start)
            if course.within(day):
                done.add(row.key)
                _episode(course, row, day)
        start += timedelta(days=365)


def _day(course: Course, row: Acute, start: date) -> date:
    """Return a day of the year that begins at ``start``, in season when that is possible."""
    length = min(364, (course.end - start).days)
    months = SEASONS[row.season]
    day = start
    for _ in range(6):
        day = start + timedelta(days=course.rng.randint(0, max(0, length)))
        if day.month in months:
            break
    return course.working_day(day)


def _episode(course: Course, row: Acute, day: date) -> None:
    rng = course.rng
    age = course.person.age(day)
    stays = rng.random() < row.stay_share and course.within(day + timedelta(days=4))
    role = row.role
    if stays and role == "generaliste":
        role = "pediatre" if age < CHILD else "pneumologue"
    condition = course.chart.reserve("Condition")
    label = "Hospitalisation" if stays else "Consultation pour un problème aigu"
    visit = course.visit(day, role, label, [condition], days=4 if stays else None)
    onset = max(course.person.birth, day - timedelta(days=rng.randint(0, 2)))
    end = day + timedelta(days=round(row.days * rng.uniform(0.7, 1.4)))
    healed = end if course.within(end) else None
    diagnosis = Diagnosis(row.icd10, row.display, row.display, onset, healed, chronic=False)
    course.condition(diagnosis, visit, condition)
    _examine(course, row, visit)
    for text in _medicines(course, row, day):
        _order(course, text, visit, condition)
    if row.procedure:
        act = procedure(row.procedure)
        write_procedure(course.chart, course.patient, act, visit=visit, reason=condition)
    if row.panel and rng.random() < row.panel_share:
        strength = rng.uniform(0.6, 1.4)
        shifts = {key: value * strength for key, value in factors(row.shifts).items()}
        course.draw_blood(row.panel.split(), day, shifts)


def _examine(course: Course, row: Acute, visit: Visit) -> None:
    if row.temperature > FEVER:
        course.vital(visit, "temperature", row.temperature - 36.8)
    if course.person.age(visit.day) >= ADULT:
        course.pressure(visit)
    elif row.temperature > FEVER:
        course.size(visit, height=False)
    if row.icd10.startswith(("J1", "J2")):
        course.vital(visit, "saturation", -2.0 if row.stay_share else 0.0)
        course.vital(visit, "respiratory_rate", 4.0)


def _medicines(course: Course, row: Acute, day: date) -> list[str]:
    child = course.person.age(day) < CHILD
    found = []
    for text in (row.child_medicines if child else row.medicines).split():
        key = text.partition(":")[0]
        if course.suits(medicine(key), day):
            found.append(text)
        elif medicine(key).atc.startswith("J01C") and not child:
            found.append(f"{INSTEAD_OF_PENICILLIN}:1:5")
    return found


def _order(course: Course, text: str, visit: Visit, condition: str) -> None:
    """Write an order from ``medicine:times a day:days``."""
    key, times, length = text.split(":")
    days = int(length)
    drug = medicine(key)
    said = f"1 {drug.unit} {times} fois par jour pendant {days} jours"
    going_on = visit.day + timedelta(days=days) >= course.today and not course.person.death
    write_prescription(
        course.chart,
        course.patient,
        Order(drug, float(times), 1, said, days),
        visit,
        status="active" if going_on else "completed",
        reason=condition,
    )
