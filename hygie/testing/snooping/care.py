"""A day of honest care: who is seen by whom, what is looked at, and what is written down of it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from hygie.testing.snooping.chances import happens
from hygie.testing.snooping.rows import Access, Tie
from hygie.testing.snooping.world import Human, Place, Worker, World

SATURDAY = 5


@dataclass(slots=True)
class Stay:
    """A patient in a ward, until a day."""

    human: Human
    ward: Place
    ends: date


@dataclass(slots=True)
class Course:
    """What goes on from day to day, and what it leaves."""

    rng: random.Random
    world: World
    stays: list[Stay] = field(default_factory=list)
    later: dict[date, list[tuple[Worker, Human]]] = field(default_factory=dict)
    ties: list[Tie] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)

    def look(self, worker: Worker, human: Human, day: date, *, writes: float = 0.0) -> None:
        """Add one access within the worker's hours; rarely a colleague's session is open."""
        rng = self.rng
        acting = worker
        if worker.place.kind == "ward" and happens(rng, "shared session"):
            acting = rng.choice(worker.place.staff)
        elif happens(rng, "session left open"):
            acting = rng.choice(self.world.workers)
        wrote = rng.random() < writes
        self.accesses.append(Access(moment(rng, worker, day), acting.party, human.pat, wrote))

    def note(self, party: int, human: Human, kind: str, days: tuple[date, date]) -> None:
        """Record a tie from a day to a day."""
        self.ties.append(Tie(party, human.pat, kind, *days))


def moment(rng: random.Random, worker: Worker, day: date) -> datetime:
    """Return an instant of a worker's shift, seldom an hour or two beside it."""
    first, last = worker.shift
    hour = rng.uniform(first, last)
    if happens(rng, "beside one's hours"):
        hour += rng.choice((-2, -1, 1, 2))
    return datetime.combine(day, time(), UTC) + timedelta(hours=max(hour, 0))


def settle(course: Course, first: date) -> None:
    """Record what lasts: treating physicians, teams of home nurses, last year's visits."""
    rng, lasting = course.rng, (first, first + timedelta(days=400))
    doctors = [one for place in course.world.of("practice") for one in place.staff]
    for doctor, human in ((one, human) for one in doctors for human in one.panel):
        if happens(rng, "treating physician declared"):
            course.note(doctor.party, human, "treating", lasting)
    for place in course.world.of("nurses"):
        for human in rng.sample(course.world.towns[place.postal], 70):
            for nurse in place.staff:
                nurse.panel.append(human)
            if happens(rng, "team of nurses recorded"):
                course.note(place.party, human, "care-team", lasting)


def live(course: Course, day: date) -> None:
    """Add one day of care."""
    weekday = day.weekday() < SATURDAY
    wards = course.world.of("ward")
    _admit(course, wards, day)
    for ward in wards:
        _ward_day(course, ward, day)
    for place in course.world.of("nurses"):
        _rounds(course, place, day)
    for place in course.world.of("practice") if weekday else ():
        for doctor in _present(course.rng, place, 0.9):
            _surgery(course, doctor, day)
    for worker, human in course.later.pop(day, ()):
        course.look(worker, human, day, writes=0.1)
    if weekday:
        _code(course, day)


def _present(rng: random.Random, place: Place, share: float) -> Iterator[Worker]:
    return (worker for worker in place.staff if rng.random() < share)


def _rounds(course: Course, place: Place, day: date) -> None:
    for nurse in _present(course.rng, place, 0.7):
        for human in course.rng.sample(nurse.panel, 12):
            course.look(nurse, human, day, writes=0.85)


def _surgery(course: Course, doctor: Worker, day: date) -> None:
    if doctor.role != "doctor":
        return
    for _ in range(course.rng.randrange(9, 20)):
        _consultation(course, doctor, day)


def _consultation(course: Course, doctor: Worker, day: date) -> None:
    rng = course.rng
    human = rng.choice(course.world.humans if happens(rng, "stranger") else doctor.panel)
    _record_visit(course, (doctor.party, doctor.party), human, day)
    course.look(doctor, human, day, writes=0.6)
    follow_ups = {
        "welcomed by the secretary": _welcome,
        "prescribed": _prescribe,
        "analysed": _analyse,
        "referred": _refer,
        "called back": _call_back,
    }
    for habit, follow_up in follow_ups.items():
        if happens(rng, habit):
            follow_up(course, doctor, human, day)


def _record_visit(course: Course, parties: tuple[int, int], human: Human, day: date) -> None:
    """Record the appointment of the first party and the encounter of the second, or forget to."""
    for party, kind in zip(parties, ("appointment", "encounter"), strict=True):
        if not happens(course.rng, f"{kind} missing"):
            course.note(party, human, kind, (day, day))


def _welcome(course: Course, doctor: Worker, human: Human, day: date) -> None:
    for secretary in doctor.place.staff:
        if secretary.role == "secretary":
            course.look(secretary, human, day, writes=0.3)


def _call_back(course: Course, doctor: Worker, human: Human, day: date) -> None:
    """Read the record again some days later: a letter came, the patient telephoned."""
    when = day + timedelta(days=course.rng.randrange(1, 25))
    course.later.setdefault(when, []).append((doctor, human))


def _prescribe(course: Course, doctor: Worker, human: Human, day: date) -> None:
    rng = course.rng
    course.note(doctor.party, human, "prescription", (day, day))
    near = [one for one in course.world.of("pharmacy") if one.postal == human.postal]
    worker = rng.choice(rng.choice(near or course.world.of("pharmacy")).staff)
    when = day + timedelta(days=int(rng.expovariate(1.2)))
    if happens(rng, "dispensing linked to the prescription"):
        course.note(worker.place.party, human, "prescription", (when, when))
    course.look(worker, human, when, writes=0.7)


def _analyse(course: Course, doctor: Worker, human: Human, day: date) -> None:
    rng = course.rng
    worker = rng.choice(rng.choice(course.world.of("laboratory")).staff)
    when = day + timedelta(days=rng.randrange(1, 6))
    if happens(rng, "order recorded"):
        course.note(doctor.party, human, "order", (day, day))
        course.note(worker.place.party, human, "order", (day, when))
    course.look(worker, human, when, writes=0.9)
    course.note(doctor.party, human, "result", (when, when))
    read = when + timedelta(days=rng.randrange(0, 3))
    course.later.setdefault(read, []).append((doctor, human))


def _refer(course: Course, doctor: Worker, human: Human, day: date) -> None:
    """A specialist of a hospital sees the patient some days later."""
    rng = course.rng
    ward = rng.choice(course.world.of("ward"))
    specialist = rng.choice(ward.staff[:3])
    when = day + timedelta(days=rng.randrange(2, 30))
    if happens(rng, "referral recorded"):
        course.note(specialist.party, human, "referral", (day, when))
    _record_visit(course, (specialist.party, ward.party), human, when)
    course.look(specialist, human, when, writes=0.65)
    if happens(rng, "secretary prepares"):
        course.look(ward.staff[3], human, when - timedelta(days=rng.randrange(0, 3)))
    _call_back(course, doctor, human, when)


def _admit(course: Course, wards: list[Place], day: date) -> None:
    rng = course.rng
    course.stays = [stay for stay in course.stays if stay.ends >= day]
    for ward in wards:
        for _ in range(rng.randrange(1, 6)):
            near = happens(rng, "patient of the town") and course.world.towns[ward.postal]
            human = rng.choice(near or course.world.humans)
            ends = day + timedelta(days=int(rng.expovariate(0.28)))
            course.stays.append(Stay(human, ward, ends))
            if not happens(rng, "stay missing"):
                course.note(ward.party, human, "encounter", (day, ends))
            if happens(rng, "doctor named on the stay"):
                course.note(ward.staff[0].party, human, "encounter", (day, ends))
            if happens(rng, "team of the stay recorded"):
                _team_of_stay(course, ward, human, (day, ends))


def _team_of_stay(course: Course, ward: Place, human: Human, days: tuple[date, date]) -> None:
    """Name a care team that ends with the stay; letters and results still come afterwards."""
    for worker in course.rng.sample(ward.staff, 3):
        course.note(worker.party, human, "care-team", days)
        if happens(course.rng, "reads after the stay"):
            when = days[1] + timedelta(days=course.rng.randrange(2, 40))
            course.later.setdefault(when, []).append((worker, human))


def _ward_day(course: Course, ward: Place, day: date) -> None:
    rng = course.rng
    here = [stay for stay in course.stays if stay.ward is ward]
    for worker in _present(rng, ward, 0.62):
        wanted = min(len(here), rng.randrange(4, 12))
        for stay in rng.sample(here, wanted):
            course.look(worker, stay.human, day, writes=0.55 if worker.role != "secretary" else 0.1)
    # Cover duty: somebody of another ward looks after these patients, and may write nothing.
    if happens(rng, "cover duty") and here:
        other = rng.choice(rng.choice(course.world.of("ward")).staff[:3])
        for stay in rng.sample(here, min(len(here), rng.randrange(1, 4))):
            course.look(other, stay.human, day, writes=0.45)
    if happens(rng, "opinion by telephone"):
        # A colleague asks for an opinion over the telephone.
        course.look(rng.choice(ward.staff[:3]), rng.choice(course.world.humans), day, writes=0.3)


def _code(course: Course, day: date) -> None:
    """Clerks read the stays that end, to code them: many records, no act, every working day."""
    ended = [stay for stay in course.stays if stay.ends == day]
    clerks = [clerk for place in course.world.of("coding") for clerk in place.staff]
    for stay in ended:
        course.look(course.rng.choice(clerks), stay.human, day)
