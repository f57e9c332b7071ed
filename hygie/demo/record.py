"""The record of one person, from the first visit to the care team."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from hygie.demo.chance import Weighted
from hygie.demo.course import ADULT, Course
from hygie.demo.episodes import play_episodes
from hygie.demo.fhir.choices import Access, Chosen, write_access, write_choices
from hygie.demo.fhir.person import (
    Member,
    write_care_team,
    write_coverage,
    write_patient,
    write_relatives,
)
from hygie.demo.follow import diagnose, follow, hospital_stays, specialists
from hygie.demo.maternity import be_born, follow_pregnancy
from hygie.demo.papers import USUAL, Extra, file_documents
from hygie.demo.prevention import (
    examine_child,
    screen,
    vaccinate,
    write_allergies,
    write_habits,
)
from hygie.demo.rows import Insurer
from hygie.demo.tables import rows
from hygie.demo.treatments import Treatments

FRAIL = 80
SUBSTITUTE_SINCE, SUBSTITUTE_UNTIL = timedelta(days=14), timedelta(days=21)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a story asks of a record: documents, medicines, links, other readers."""

    documents: int = USUAL
    extras: Sequence[Extra] = ()
    takes: Mapping[str, float | None] = field(default_factory=dict)
    links: Sequence[str] = ()
    readers: Sequence[Access] = ()
    choices: Sequence[Chosen] = ()


def play(course: Course, wishes: Wishes) -> None:
    """Write the whole record of a person."""
    treatments = Treatments(course, wishes.takes)
    for illness in course.illnesses.values():
        treatments.plan(illness)
        diagnose(course, illness)
    _childhood(course)
    follow(course)
    for illness in course.illnesses.values():
        specialists(course, illness)
        hospital_stays(course, illness)
    for expected in course.pregnancies:
        follow_pregnancy(course, expected)
    play_episodes(course)
    vaccinate(course)
    screen(course)
    _first_contact(course)
    write_allergies(course)
    write_habits(course)
    treatments.prescribe()
    treatments.write()
    file_documents(course, treatments, count=wishes.documents, extras=wishes.extras)
    _administrative(course, treatments, wishes)


def _childhood(course: Course) -> None:
    if course.person.birth >= course.window:
        be_born(course)
    if course.person.age(course.today) < ADULT:
        examine_child(course)


def _first_contact(course: Course) -> None:
    """Make sure that everybody met their physician at least once, the newborn of today too."""
    if not course.gp_visits and course.person.birth < course.end:
        day = course.working_day(course.end - timedelta(days=2))
        day = day if course.within(day) else course.person.birth
        visit = course.visit(day, "generaliste", "Choix du médecin traitant", [])
        course.size(visit, height=True)


def _administrative(course: Course, treatments: Treatments, wishes: Wishes) -> None:
    chart, person = course.chart, course.person
    relatives = write_relatives(chart, person, course.patient)
    doctor = course.territory.post("generaliste")
    write_patient(chart, person, course.patient, doctor=doctor, links=wishes.links)
    _insure(course, relatives)
    write_care_team(chart, person, course.patient, _team(course, treatments))
    for access in wishes.readers:
        write_access(chart, course.patient, access)
    write_choices(chart, course.patient, wishes.choices)


def _insure(course: Course, relatives: dict[str, str]) -> None:
    guardian = next((one for one in course.person.relatives if one.guardian), None)
    child = guardian and course.person.age(course.today) < ADULT
    subscriber = relatives[guardian.person.key] if child and guardian else ""
    insurers = rows("insurers.csv", Insurer)
    for kind in ("AMO", "AMC"):
        offered = [row for row in insurers if row.kind == kind]
        chosen = _draw(course.rng, offered)
        if chosen.name:
            write_coverage(
                course.chart,
                course.person,
                course.patient,
                payer=course.territory.payers[chosen.key],
                regime=chosen.regime,
                subscriber=subscriber,
            )


def _draw(rng: random.Random, offered: list[Insurer]) -> Insurer:
    return Weighted(offered, [row.share for row in offered]).draw(rng)


def _team(course: Course, treatments: Treatments) -> list[Member]:
    """Return the care team: treating physician first, then who was met, then the substitute."""
    territory, person = course.territory, course.person
    since = course.first_visit.day if course.first_visit else person.birth
    doctor = Member(
        territory.post("generaliste"), since, label="Médecin traitant", event="treating-physician"
    )
    if treatments.takings:
        course.joins("pharmacien", territory.post("pharmacien"), _began(treatments, since))
    if person.age(course.end) >= FRAIL and course.illnesses:
        start = person.birth + timedelta(days=round(FRAIL * 365.25))
        course.joins("infirmier", territory.post("infirmier"), max(since, start))
    others = [
        member
        for role, member in course.members.items()
        if role not in {"generaliste", "biologiste", "radiologue", "urgentiste"}
    ]
    team = [doctor, *sorted(others, key=lambda member: member.since)]
    if territory.substitute and not person.death:
        start, end = _replacement(course.today)
        start = max(start, person.birth)
        label = "Remplaçante du médecin traitant"
        team.append(Member(territory.substitute, start, end, label, "substitution"))
    return team


def _replacement(today: date) -> tuple[date, date]:
    return today - SUBSTITUTE_SINCE, today + SUBSTITUTE_UNTIL


def _began(treatments: Treatments, since: date) -> date:
    ordered = [taking.orders[0].day for taking in treatments.takings if taking.orders]
    return min(ordered, default=since)
