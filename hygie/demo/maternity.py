"""Pregnancies: visits, ultrasounds, results and birth, week by week: ``pregnancy.csv``."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hygie.demo.course import Course, Paper, french
from hygie.demo.fhir.care import (
    Diagnosis,
    Dose,
    Visit,
    write_immunization,
    write_procedure,
)
from hygie.demo.fhir.measures import write_due_date
from hygie.demo.fhir.prescriptions import Order, write_prescription
from hygie.demo.illness import Illness
from hygie.demo.rows import Disease, PregnancyStep
from hygie.demo.tables import medicine, procedure, rows
from hygie.demo.traits import Person

TERM = 280
"""Days from the last period to the expected birth."""

EXPECTING, YOUNGEST, OLDEST = 0.08, 21, 41
"""Share of the married women of these ages who are pregnant today."""

_PREGNANCY = Disease(
    module="pregnancy",
    icd10="Z34.8",
    display="Surveillance d'une autre grossesse normale",
    plain="Grossesse",
    sex="F",
    onset="0:0",
    visits=0.0,
)


def pregnancy(birth: date) -> Illness:
    """Return the pregnancy that ends with a birth, on the day or expected."""
    return Illness(_PREGNANCY, birth - timedelta(days=TERM), birth)


def pregnancies_of(
    rng: random.Random, person: Person, *, window: date, today: date
) -> list[Illness]:
    """Return the pregnancies of the children born since ``window``, and perhaps one going on."""
    expecting, weeks = rng.random() < EXPECTING, rng.randint(9, 39)
    if person.sex != "female" or person.death:
        return []
    births = [
        relative.person.birth
        for relative in person.relatives
        if relative.code in {"DAUC", "SONC"} and relative.person.birth - timedelta(TERM) > window
    ]
    rested = all((today - birth).days > 2 * TERM for birth in births)
    if expecting and rested and person.married and YOUNGEST < person.age(today) < OLDEST:
        births.append(today + timedelta(days=TERM - weeks * 7))
    return [pregnancy(birth) for birth in births]


def follow_pregnancy(course: Course, expected: Illness) -> None:
    """Write the care of a pregnancy, up to its birth or to today."""
    condition = course.chart.reserve("Condition")
    last: Visit | None = None
    panels: dict[date, list[str]] = {}
    for step in rows("pregnancy.csv", PregnancyStep):
        day = _day(course, expected, step)
        if not course.within(day):
            continue
        if step.kind == "panel":
            panels.setdefault(day, []).append(step.what)
        elif step.kind in {"visit", "procedure", "birth"}:
            first, last = last is None, _visit(course, step, day, condition)
            if first:
                _declare(course, expected, condition, last)
        elif last:
            _give(course, step, last, condition)
    for day, names in panels.items():
        course.draw_blood(names, day)


def _day(course: Course, expected: Illness, step: PregnancyStep) -> date:
    if step.kind == "birth":
        return expected.onset + timedelta(days=TERM)
    hazard = 0 if step.kind == "panel" else course.rng.randint(0, 3)
    return course.working_day(expected.onset + timedelta(days=step.week * 7 + hazard))


def _declare(course: Course, expected: Illness, condition: str, visit: Visit) -> None:
    ended = expected.until if expected.until and expected.until <= course.end else None
    disease = expected.disease
    diagnosis = Diagnosis(
        disease.icd10, disease.display, disease.plain, expected.onset, ended, chronic=True
    )
    course.condition(diagnosis, visit, condition)
    write_due_date(
        course.chart,
        course.patient,
        expected.onset + timedelta(days=TERM),
        at=visit.start,
        by=visit.post.practitioner,
        encounter=visit.reference,
    )


def _visit(course: Course, step: PregnancyStep, day: date, condition: str) -> Visit:
    birth = step.kind == "birth"
    labels = {
        "visit": "Consultation de suivi de grossesse",
        "procedure": "Échographie obstétricale",
    }
    label = "Accouchement" if birth else labels[step.kind]
    stay = 4 if birth else None
    visit = course.visit(day, step.role, label, [condition], days=stay)
    if step.what:
        act = procedure(step.what)
        write_procedure(course.chart, course.patient, act, visit=visit, reason=condition)
        kind = "stay" if birth else "imaging"
        report = ("# Acte", act.display, "# Conclusion", "Examen normal pour le terme.")
        course.papers.append(Paper(kind, visit, label, report))
    else:
        pressure = course.pressure(visit)
        weight = course.size(visit, height=False)
        lines = (
            "# Examen",
            f"Terme : {step.week} semaines d'aménorrhée.",
            f"Pression artérielle : {pressure}",
            f"Poids : {french(weight)} kg",
            "# Conclusion",
            "Grossesse d'évolution normale.",
        )
        course.papers.append(Paper("consultation", visit, label, lines))
    return visit


def _give(course: Course, step: PregnancyStep, visit: Visit, condition: str) -> None:
    """Order a medicine, or give the vaccine of the term, at the visit before it."""
    if step.kind == "vaccine":
        dose = Dose(medicine(step.what), "dTcaP (grossesse)", 1, None, f"G{visit.day:%j%y}")
        write_immunization(
            course.chart,
            course.patient,
            dose,
            day=visit.day,
            post=visit.post,
            encounter=visit.reference,
        )
        return
    key, times, length = step.what.split(":")
    drug, days = medicine(key), int(length)
    going_on = visit.day + timedelta(days=days) >= course.today
    order = Order(drug, float(times), 1, f"1 {drug.unit} par jour pendant {days} jours", days)
    write_prescription(
        course.chart,
        course.patient,
        order,
        visit,
        status="active" if going_on else "completed",
        reason=condition,
    )


def be_born(course: Course) -> None:
    """Write the stay of a newborn at the maternity, with its first size."""
    day = course.person.birth
    if not course.within(day + timedelta(days=4)):
        return
    visit = course.visit(day, "sage_femme", "Naissance", [], days=4)
    course.size(visit, height=True, head=True)
