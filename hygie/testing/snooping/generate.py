"""Generate a region, weeks of care in it, and its snooping, from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from hygie.testing.snooping import care, curious, world
from hygie.testing.snooping.rows import Access, Practice, Resident, Tie


@dataclass(frozen=True, slots=True)
class Traces:
    """What one seed leaves.

    ``days`` are those of the log, in order; ``judged`` those at its end that hold planted snooping
    and enough history before them. Accesses are in the order of time.
    """

    days: tuple[date, ...]
    judged: tuple[date, ...]
    accesses: tuple[Access, ...]
    ties: tuple[Tie, ...]
    practices: tuple[Practice, ...]
    residents: tuple[Resident, ...]
    protected: frozenset[int]


def generate(seed: int, *, people: int = 27_000, history: int = 28, judged: int = 28) -> Traces:
    """Return the traces of ``history`` days of care, then ``judged`` days with snooping too.

    The same seed gives the same rows.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible, and secret to nobody
    region = world.build(rng, people=people)
    course = care.Course(rng, region)
    first = world.FIRST_DAY
    days = tuple(first + timedelta(days=number) for number in range(history + judged))
    care.settle(course, first - timedelta(days=30))
    curiosity = curious.Curiosity(rng, course)
    for number, day in enumerate(days):
        care.live(course, day)
        if number >= history:
            curious.snoop(curiosity, day)
    known = [one.pat for one in rng.sample(region.humans, 12)]
    last = days[-1]
    accesses = [*course.accesses, *curiosity.accesses]
    kept = sorted(
        (one for one in accesses if one.at.date() <= last), key=lambda one: (one.at, one.party)
    )
    return Traces(
        days=days,
        judged=days[history:],
        accesses=tuple(kept),
        ties=tuple(course.ties),
        practices=tuple(world.practices(region)),
        residents=tuple(world.residents(rng, region)),
        protected=frozenset(curiosity.protected | set(known)),
    )
