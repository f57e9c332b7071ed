"""Chronic illnesses over the years: diagnosis, visits, results, specialists, hospital stays."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from hygie.demo.course import ADULT, Course, Paper, french
from hygie.demo.fhir.care import Diagnosis, Visit, write_procedure
from hygie.demo.illness import YEAR, Illness
from hygie.demo.rows import FollowUp, PanelRule, Stay
from hygie.demo.tables import procedure, rows

HEIGHT_EVERY = 700
CHECK_UP = ("lipides", "glycemie")
CHECK_UP_EVERY = 1300
MONTH = 30.4375
EARLY = 35
"""Days before it is due at which a result may be asked for, at a visit that falls then."""


def diagnose(course: Course, illness: Illness) -> None:
    """Write the visit at which an illness is found, its Condition and its first results."""
    disease, day = illness.disease, course.working_day(illness.onset)
    illness.onset = day
    illness.condition = course.chart.reserve("Condition")
    visit = course.visit(day, "generaliste", "Consultation de diagnostic", [illness.condition])
    plain = f"{disease.plain} (ALD {disease.ald})" if disease.ald else disease.plain
    diagnosis = Diagnosis(disease.icd10, disease.display, plain, day, illness.until, chronic=True)
    course.condition(diagnosis, visit, illness.condition)
    if day < course.window:
        return
    if course.person.age(day) >= ADULT:
        course.pressure(visit)
    panels = [rule.panel for rule in _panels(illness.name) if rule.at_diagnosis]
    drawn = day - timedelta(days=6)
    if panels and course.within(drawn) and drawn >= course.window:
        _laboratory(course, panels, drawn)


def follow(course: Course) -> None:
    """Write the visits to the general practitioner and the results that are due at them."""
    rng, day = course.rng, course.window + timedelta(days=course.rng.randint(10, 150))
    drawn: dict[str, date] = {}
    measured: date | None = None
    while course.within(day):
        day = course.working_day(day)
        active = [ill for ill in course.illnesses.values() if ill.active(day)]
        rate = _visits_a_year(active, course.person.age(day))
        if rate and course.within(day):
            tall = measured is None or (day - measured).days > HEIGHT_EVERY
            measured = day if tall else measured
            _visit(course, day, active, tall=tall)
            due = _due(active, day, drawn, course)
            if due:
                sample = day - timedelta(days=rng.randint(2, 7))
                _laboratory(course, due, max(sample, course.window))
        step = 365 / rate if rate else 365
        day += timedelta(days=max(25, round(step * rng.uniform(0.8, 1.2))))


def _visits_a_year(active: list[Illness], age: float) -> float:
    rates = sorted((illness.disease.visits for illness in active), reverse=True)
    base = 0.0 if age < ADULT else 0.5 if age < 50 else 0.9  # noqa: PLR2004
    if not rates:
        return base
    return max(base, min(4.5, rates[0] + 0.2 * sum(rates[1:])))


def _visit(course: Course, day: date, active: list[Illness], *, tall: bool) -> None:
    ordered = sorted(active, key=lambda illness: -illness.disease.visits)
    reasons = [illness.condition for illness in ordered if illness.disease.visits][:3]
    label = "Consultation de suivi" if reasons else "Consultation de prévention"
    visit = course.visit(day, "generaliste", label, reasons)
    said = []
    if course.person.age(day) >= ADULT:
        said.append(f"Pression artérielle : {course.pressure(visit)}")
        course.vital(visit, "heart_rate")
    said.append(f"Poids : {french(course.size(visit, height=tall))} kg")
    if any(illness.name in {"copd", "heart_failure"} for illness in active):
        course.vital(visit, "saturation")
    plain = ", ".join(illness.disease.plain.lower() for illness in ordered[:4])
    lines = (
        "# Motif",
        f"Suivi : {plain}." if plain else "Bilan de prévention.",
        "# Examen",
        *said,
        "# Conclusion",
        "État stable. Traitement poursuivi, prochain rendez-vous dans trois à six mois."
        if plain
        else "Examen sans particularité. Conseils d'hygiène de vie.",
    )
    course.papers.append(Paper("consultation", visit, "Compte rendu de consultation", lines))


def _due(active: list[Illness], day: date, drawn: dict[str, date], course: Course) -> list[str]:
    """Return the panels whose interval has passed, and note them as drawn."""
    months: dict[str, float] = {}
    for illness in active:
        for rule in _panels(illness.name):
            months[rule.panel] = min(rule.months, months.get(rule.panel, 999))
    if course.person.age(day) >= 40:  # noqa: PLR2004 - age of the preventive check-up
        for panel in CHECK_UP:
            months.setdefault(panel, CHECK_UP_EVERY / MONTH)
    found = [
        panel
        for panel, every in months.items()
        if panel not in drawn or (day - drawn[panel]).days >= every * MONTH - EARLY
    ]
    drawn.update(dict.fromkeys(found, day))
    return found


def _laboratory(course: Course, panels: list[str], day: date) -> None:
    lines = course.draw_blood(panels, day)
    visit = Visit("", day, 9 * 60, course.territory.post("biologiste"))
    title = "Compte rendu d'examens biologiques"
    course.papers.append(Paper("laboratory", visit, title, ("# Résultats", *lines)))


def specialists(course: Course, illness: Illness) -> None:
    """Write the visits to specialists that an illness asks for."""
    for rule in _follow_ups(illness.name):
        if course.rng.random() >= rule.share:
            continue
        wait = 25 if rule.at_diagnosis else rule.months * MONTH * course.rng.uniform(0.3, 1)
        day = max(illness.onset, course.window) + timedelta(days=round(wait) + 1)
        while course.within(day) and illness.active(day):
            day = course.working_day(day)
            if course.within(day):
                _specialist_visit(course, illness, rule, day)
            day += timedelta(days=round(rule.months * MONTH * course.rng.uniform(0.85, 1.2)))


def _specialist_visit(course: Course, illness: Illness, rule: FollowUp, day: date) -> None:
    post = course.territory.post(rule.role)
    job = post.profession.specialty_label.removesuffix(" (SM)") or post.profession.label
    visit = course.visit(day, rule.role, f"Consultation : {job}", [illness.condition])
    lines = ["# Motif", f"{illness.disease.plain}, suivi spécialisé.", "# Actes réalisés"]
    for code in rule.procedures.split():
        act = procedure(code)
        write_procedure(course.chart, course.patient, act, visit=visit, reason=illness.condition)
        lines.append(act.display)
    if rule.panel:
        course.examine(visit, rule.panel)
    if rule.role == "cardiologue":
        course.pressure(visit)
    lines += ["# Conclusion", "Pas de signe d'aggravation. À revoir selon le calendrier prévu."]
    title = f"Compte rendu de consultation — {job}"
    course.papers.append(Paper("consultation", visit, title, tuple(lines)))


def hospital_stays(course: Course, illness: Illness) -> None:
    """Write the hospital stays that an illness brings to some people."""
    for row in _stays(illness.name):
        drawn, hazard = course.rng.random() < row.share, course.rng.uniform(0.8, 1.3)
        day = illness.onset + timedelta(days=round(row.after_years * YEAR * hazard) + 1)
        day = course.working_day(day)
        inside = course.within(day + timedelta(days=row.days))
        if not drawn or day < course.window or not inside or not illness.active(day):
            continue
        condition = course.chart.reserve("Condition")
        visit = course.visit(day, row.role, "Hospitalisation", [condition], days=row.days)
        end = day + timedelta(days=row.days)
        diagnosis = Diagnosis(row.icd10, row.display, row.display, day, end, chronic=False)
        course.condition(diagnosis, visit, condition)
        act = row.procedure and procedure(row.procedure)
        if act:
            write_procedure(course.chart, course.patient, act, visit=visit, reason=condition)
        lines = (
            "# Motif d'hospitalisation",
            row.display,
            "# Déroulement",
            act.display if act else "Traitement médical et surveillance.",
            f"Séjour de {row.days} jours, suites simples." if row.days else "Séjour d'une journée.",
            "# Sortie",
            "Retour à domicile. Le médecin traitant assure la suite.",
        )
        course.papers.append(Paper("stay", visit, "Compte rendu d'hospitalisation", lines))


@cache
def _panels(module: str) -> tuple[PanelRule, ...]:
    return tuple(row for row in rows("panels.csv", PanelRule) if row.module == module)


@cache
def _follow_ups(module: str) -> tuple[FollowUp, ...]:
    return tuple(row for row in rows("follow_up.csv", FollowUp) if row.module == module)


@cache
def _stays(module: str) -> tuple[Stay, ...]:
    return tuple(row for row in rows("surgeries.csv", Stay) if row.module == module)
