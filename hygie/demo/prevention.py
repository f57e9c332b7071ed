"""Prevention: vaccines of the calendar, examinations of children, screening, first facts."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hygie.demo.course import ADULT, Course, Paper, french
from hygie.demo.fhir.care import Dose, Visit, write_allergy, write_immunization, write_procedure
from hygie.demo.fhir.measures import write_smoking
from hygie.demo.rows import Allergy, ChildExam, Vaccine, YearlyVaccine
from hygie.demo.tables import medicine, procedure, rows
from hygie.demo.traits import Person

MONTH = 30.4375
INTERVAL = timedelta(days=28)
MAMMOGRAPHY = "QEQK004"
NEVER, FORMER, CURRENT = (
    ("LA18978-9", "N'a jamais fumé"),
    ("LA15920-4", "Ancien fumeur"),
    ("LA18976-3", "Fume tous les jours"),
)


def draw_allergies(rng: random.Random, person: Person, end: date) -> list[Allergy]:
    """Draw the known allergies of a person."""
    age = person.age(end)
    return [
        row
        for row in rows("allergies.csv", Allergy)
        if rng.random() < row.share and age > row.from_age + 1
    ]


def write_allergies(course: Course) -> None:
    """Write the known allergies, recorded at a visit to the general practitioner."""
    for allergy in course.allergies:
        visits = [v for v in course.gp_visits if course.person.age(v.day) > allergy.from_age]
        if visits:
            visit = min(visits, key=lambda visit: visit.start)
            since = course.person.birth + timedelta(days=round(allergy.from_age * 365.25))
            since = min(max(since, visit.day - timedelta(days=2000)), visit.day)
            write_allergy(course.chart, course.patient, allergy, since=since, visit=visit)


def vaccinate(course: Course) -> None:
    """Write the doses of the calendar in force on their day; some are late, some are missing."""
    last: dict[str, date] = {}
    broken: set[str] = set()
    for row in rows("vaccines.csv", Vaccine):
        drawn, delay = course.rng.random(), _delay(course)
        if row.sex and (row.sex == "F") != (course.person.sex == "female"):
            continue
        day = course.person.birth + timedelta(days=round(row.age_months * MONTH) + delay)
        if row.key in last:
            day = max(day, last[row.key] + INTERVAL)
        grown = row.age_months > ADULT * 12
        outside = not row.valid_from <= day <= row.valid_to or (grown and day < course.window)
        if outside or not course.within(day):
            continue
        series = row.key if not grown else f"{row.key}/{row.dose}"
        if drawn >= row.uptake or series in broken:
            broken.add(series)
            continue
        last[row.key] = day
        total = None if grown and row.key == "dtp_adult" else row.doses
        role = "pharmacien" if grown and drawn < row.uptake / 3 else "generaliste"
        _inject(course, row, (row.dose, total), day=day, role=role)
    _yearly(course)


def _delay(course: Course) -> int:
    """Return the days after the due date: most are on time, one in seven is months late."""
    if course.rng.random() < 0.15:  # noqa: PLR2004 - share of late doses
        return course.rng.randint(60, 400)
    return course.rng.randint(0, 25)


def _yearly(course: Course) -> None:
    for row in rows("yearly_vaccines.csv", YearlyVaccine):
        faithful = course.rng.random() < row.uptake
        number = 0
        for year in range(course.window.year, course.end.year + 1):
            day = date(year, row.month, course.rng.randint(5, 28))
            old = course.person.age(day) >= row.from_age
            drawn = course.rng.random() < (0.9 if faithful else 0.08)
            valid = row.valid_from <= day <= row.valid_to and day >= course.window
            if old and drawn and valid and course.within(day):
                number += 1
                role = course.rng.choice(("pharmacien", "infirmier", "generaliste"))
                _inject(course, row, (number, None), day=day, role=role)


def _inject(
    course: Course,
    row: Vaccine | YearlyVaccine,
    rank: tuple[int, int | None],
    *,
    day: date,
    role: str,
) -> None:
    rng, post = course.rng, course.territory.post(role)
    product = medicine(rng.choice(row.medicines.split()))
    lot = f"{rng.choice('ABCDEFGHKLMNPR')}{rng.randint(1000, 99999)}"
    dose = Dose(product, row.label, *rank, lot)
    write_immunization(course.chart, course.patient, dose, day=day, post=post)
    course.joins(role, post, day)
    visit = Visit("", day, 10 * 60, post)
    line = f"{day:%d/%m/%Y} : {row.label}, dose {rank[0]} (lot {lot})"
    course.papers.append(Paper("vaccination", visit, "Historique des vaccinations", (line,)))


def examine_child(course: Course) -> None:
    """Write the compulsory examinations of a child, with growth."""
    for row in rows("child_exams.csv", ChildExam):
        day = course.person.birth + timedelta(
            days=round(row.months * MONTH) + course.rng.randint(0, 20)
        )
        day = course.working_day(day)
        if not course.within(day):
            return
        visit = course.visit(day, row.role, "Examen de santé de l'enfant", [])
        small = row.months <= 36  # noqa: PLR2004 - the head is measured until three years
        weight = course.size(visit, height=True, head=small)
        if not small:
            course.pressure(visit)
        if row.document:
            lines = (
                "# Croissance",
                f"Poids : {french(weight)} kg",
                f"Taille : {french(course.body.height(day))} cm",
                "# Conclusion",
                "Développement normal pour l'âge. Vaccinations vérifiées.",
            )
            course.papers.append(Paper("child", visit, "Examen de santé de l'enfant", lines))


def screen(course: Course) -> None:
    """Write the mammographies of screening, every two years from 50 to 74."""
    if course.person.sex != "female" or course.rng.random() > 0.55:  # noqa: PLR2004 - uptake
        return
    day = course.window + timedelta(days=course.rng.randint(0, 700))
    while course.within(day):
        day = course.working_day(day)
        ages = 50 <= course.person.age(day) < 75  # noqa: PLR2004 - national programme
        if ages and course.within(day) and "breast_cancer" not in course.illnesses:
            visit = course.visit(day, "radiologue", "Mammographie de dépistage", [])
            write_procedure(course.chart, course.patient, procedure(MAMMOGRAPHY), visit=visit)
            lines = ("# Résultat", "Mammographie classée ACR 1 des deux côtés : normale.")
            course.papers.append(Paper("imaging", visit, "Mammographie de dépistage", lines))
        day += timedelta(days=round(730 * course.rng.uniform(0.98, 1.15)))


def write_habits(course: Course) -> None:
    """Write the smoking status of an adult, at the last visit to the general practitioner."""
    visits = [v for v in course.gp_visits if course.person.age(v.day) >= ADULT]
    if not visits:
        return
    visit = max(visits, key=lambda visit: visit.start)
    smoking = course.illnesses.get("smoking")
    answer = FORMER if course.rng.random() < 0.25 else NEVER  # noqa: PLR2004
    if smoking and smoking.active(visit.day):
        answer = CURRENT
    write_smoking(
        course.chart,
        course.patient,
        answer,
        at=visit.start,
        by=visit.post.practitioner,
        encounter=visit.reference,
    )
