"""Who may read whose record: what people of the demonstration decided.

Every record keeps the notice of its opening. Most people agreed that their care team reads; some
have not answered yet, a few refuse emergencies or research. ``decisions.csv`` says what the named
people decided.
"""

from __future__ import annotations

from datetime import date, timedelta

from hygie.demo.chance import chance, identifier
from hygie.demo.course import Course
from hygie.demo.fhir.choices import Access, Chosen
from hygie.demo.named import people, reference
from hygie.demo.rows import Decision
from hygie.demo.tables import rows
from hygie.demo.traits import Person
from hygie.domains.consent.model.choices import Choice, Party, Standing
from hygie.domains.consent.model.constants import birthday

MAJORITY = 18
AGREE, REFUSE_RESEARCH, REFUSE_EMERGENCY, REFUSE_15 = 0.85, 0.06, 0.02, 0.03
FIRST_NOTICE = date(2022, 2, 1)
"""The national record began to open by itself then."""


def parents_of(person: Person) -> list[Access]:
    """Return the parents who read the record of a minor, until the day of majority."""
    return [
        Access(
            f"Patient/{identifier(one.person.key, 'Patient', 'patient')}",
            one.person.name,
            Standing.PARENT,
            person.birth,
            birthday(person.birth, MAJORITY),
        )
        for one in person.relatives
        if one.guardian
    ]


def usual_choices(course: Course) -> list[Chosen]:
    """Return what somebody without a name decided."""
    rng = chance("choices", course.person.key)
    notice = _notice(course)
    chosen = [Chosen(Choice.OPENING, notice)]
    day = min(notice + timedelta(days=rng.randint(0, 90)), course.end)
    if rng.random() < AGREE:
        chosen.append(Chosen(Choice.CARE_TEAM, day, permit=True))
    for choice, share in (
        (Choice.RESEARCH, REFUSE_RESEARCH),
        (Choice.BREAK_GLASS, REFUSE_EMERGENCY),
        (Choice.CENTRE_15, REFUSE_15),
    ):
        if rng.random() < share:
            chosen.append(Chosen(choice, day))
    return chosen


def choices_of(slug: str, course: Course) -> list[Chosen]:
    """Return what a named person decided."""
    told = [row for row in rows("decisions.csv", Decision) if row.slug == slug]
    notice = _notice(course)
    chosen = [Chosen(Choice.OPENING, notice)]
    if not any(row.choice == Choice.CARE_TEAM and row.days_ago is None for row in told):
        chosen.append(Chosen(Choice.CARE_TEAM, notice, permit=True))
    return chosen + [_chosen(row, course.today) for row in told if row.days_ago is not None]


def _chosen(row: Decision, today: date) -> Chosen:
    day = today - timedelta(days=row.days_ago or 0)
    who = Party(reference(row.type, row.who), _name(row)) if row.who else None
    if row.choice == "emergency":
        return Chosen(Choice.BREAK_GLASS, day, who=who, emergency=row.note)
    return Chosen(
        Choice(row.choice),
        day,
        permit=row.choice == Choice.ACCESS,
        who=who,
        until=today + timedelta(days=row.days_left) if row.days_left else None,
        standing=Standing(row.standing) if row.standing else None,
    )


def _name(row: Decision) -> str:
    if row.type == "Patient":
        story = next(one for one in people().patients if one.slug == row.who)
        return f"{story.given[0]} {story.used or story.family}"
    one = next(one for one in people().professionals if one.slug == row.who)
    return f"{one.given} {one.family}"


def _notice(course: Course) -> date:
    """Return the day the person, or the parents of a child, were told: never before birth."""
    person = course.person
    spread = chance("notice", person.key).randint(0, 600)
    return min(max(person.birth, FIRST_NOTICE + timedelta(days=spread)), course.end)
