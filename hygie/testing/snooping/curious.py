"""Planted snooping: ten ways in which people have been caught, each in its own manner."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from hygie.testing.snooping.care import Course, moment
from hygie.testing.snooping.chances import happens
from hygie.testing.snooping.rows import Access
from hygie.testing.snooping.world import ADULT, Human, Worker, World, street

STALKERS = 5


@dataclass(slots=True)
class Curiosity:
    """What the curious do, and what is kept of it."""

    rng: random.Random
    course: Course
    accesses: list[Access] = field(default_factory=list)
    protected: set[int] = field(default_factory=set)
    stalkers: list[tuple[Worker, Human]] = field(default_factory=list)
    cases: int = 0

    @property
    def world(self) -> World:
        """Return everybody."""
        return self.course.world

    def case(self) -> int:
        """Number a new incident."""
        self.cases += 1
        return self.cases

    def look(self, worker: Worker, human: Human, day: date, *, pattern: str, case: int = 0) -> None:
        """Look: mostly at work among the rest, sometimes when nobody is around."""
        rng = self.rng
        number = case or self.case()
        at = moment(rng, worker, day)
        if happens(rng, "when nobody is around"):
            at = datetime.combine(day, time(), UTC) + timedelta(hours=rng.uniform(5, 23.5))
        for _ in range(rng.choice((1, 1, 2, 3))):
            self.accesses.append(Access(at, worker.party, human.pat, pattern=pattern, case=number))
            at += timedelta(minutes=rng.uniform(0.5, 12))


Pattern = Callable[[Curiosity, date], None]


def _colleague(curiosity: Curiosity, day: date) -> None:
    """Somebody at work is ill: the others want to know."""
    rng = curiosity.rng
    place = rng.choice(curiosity.world.places)
    worker, victim = rng.sample(place.staff, 2)
    curiosity.look(worker, victim.human, day, pattern="colleague")


def _neighbour(curiosity: Curiosity, day: date) -> None:
    worker = curiosity.rng.choice(curiosity.world.workers)
    home = worker.human
    around = curiosity.world.streets[home.postal, street(home.line)]
    strangers = [one for one in around if one.home != home.home]
    if strangers:
        curiosity.look(worker, curiosity.rng.choice(strangers), day, pattern="neighbour")


def _ex_partner(curiosity: Curiosity, day: date) -> None:
    """Under the same address still, or in the registers at least; another family name."""
    worker = curiosity.rng.choice(curiosity.world.workers)
    others = [
        one
        for one in curiosity.world.homes[worker.human.home]
        if one.usual != worker.human.usual and one.age_in_days(day) > ADULT
    ]
    if others:
        curiosity.look(worker, others[0], day, pattern="ex-partner")
    else:
        _ex_partner(curiosity, day)


def _family(curiosity: Curiosity, day: date) -> None:
    """A child, a parent, a brother elsewhere with the same name."""
    rng = curiosity.rng
    worker = rng.choice(curiosity.world.workers)
    own = [one for one in curiosity.world.homes[worker.human.home] if one is not worker.human]
    if not own or happens(rng, "relative who lives elsewhere"):
        own = [
            one
            for one in curiosity.world.humans
            if one.usual == worker.human.usual and one.home != worker.human.home
        ]
    if own:
        curiosity.look(worker, rng.choice(own), day, pattern="family")


def _former_team(curiosity: Curiosity, day: date) -> None:
    """Somebody who cared weeks ago, and does no longer, wants to know how it went on."""
    rng = curiosity.rng
    wards = curiosity.world.of("ward")
    worker = rng.choice(rng.choice(wards).staff)
    victim = rng.choice(curiosity.world.humans)
    left = day - timedelta(days=rng.randrange(20, 90))
    curiosity.course.note(
        worker.party,
        victim,
        "care-team",
        (left - timedelta(days=rng.randrange(10, 60)), left),
    )
    curiosity.look(worker, victim, day, pattern="former-team")


def _for_a_friend(curiosity: Curiosity, day: date) -> None:
    """A friend asked: nothing links the reader and the record."""
    rng = curiosity.rng
    worker = rng.choice(curiosity.world.workers)
    curiosity.look(worker, rng.choice(curiosity.world.humans), day, pattern="friend")


def _child_of_colleague(curiosity: Curiosity, day: date) -> None:
    rng = curiosity.rng
    for _ in range(40):
        place = rng.choice(curiosity.world.places)
        worker, parent = rng.sample(place.staff, 2)
        homes = curiosity.world.homes[parent.human.home]
        children = [one for one in homes if one.age_in_days(day) < ADULT]
        if children:
            curiosity.look(worker, rng.choice(children), day, pattern="child-of-colleague")
            return


def _celebrity(curiosity: Curiosity, day: date) -> None:
    """Somebody known is admitted: half the house has a look over two days."""
    rng = curiosity.rng
    victim = rng.choice(curiosity.world.humans)
    if happens(rng, "protected at once"):
        curiosity.protected.add(victim.pat)
    for worker in rng.sample(curiosity.world.workers, rng.randrange(10, 26)):
        when = day + timedelta(days=rng.randrange(2))
        curiosity.look(worker, victim, when, pattern="celebrity")


def _browse(curiosity: Curiosity, day: date) -> None:
    """Somebody goes through dozens of records in one sitting."""
    rng = curiosity.rng
    worker, number = rng.choice(curiosity.world.workers), curiosity.case()
    at = datetime.combine(day, time(), UTC) + timedelta(hours=rng.uniform(7, 21))
    for human in rng.sample(curiosity.world.humans, rng.randrange(35, 90)):
        at += timedelta(seconds=rng.uniform(15, 100))
        curiosity.accesses.append(
            Access(at, worker.party, human.pat, pattern="browsing", case=number)
        )


def _stalk(curiosity: Curiosity, day: date) -> None:
    """The same reader comes back to the same record, a little at a time, for weeks."""
    rng = curiosity.rng
    while len(curiosity.stalkers) < STALKERS:
        pair = rng.choice(curiosity.world.workers), rng.choice(curiosity.world.humans)
        curiosity.stalkers.append(pair)
    for worker, human in curiosity.stalkers:
        if happens(rng, "stalker comes back"):
            curiosity.look(worker, human, day, pattern="stalker")


DAILY: dict[Pattern, float] = {
    _colleague: 3.0,
    _neighbour: 2.6,
    _ex_partner: 1.2,
    _family: 3.0,
    _former_team: 2.0,
    _for_a_friend: 1.0,
    _child_of_colleague: 1.2,
    _stalk: 1.0,
    _celebrity: 0.13,
    _browse: 0.12,
}
"""How often a day each happens."""


def snoop(curiosity: Curiosity, day: date) -> None:
    """Add the curiosity of one day."""
    for pattern, often in DAILY.items():
        for _ in range(_times(curiosity.rng, often)):
            pattern(curiosity, day)


def _times(rng: random.Random, often: float) -> int:
    """Return a Poisson number."""
    total, count = rng.expovariate(1), 0
    while total < often:
        total, count = total + rng.expovariate(1), count + 1
    return count
