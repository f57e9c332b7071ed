"""The people of an invented region: households, streets, jobs, and what registers know of them."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from hygie.testing.snooping.chances import happens
from hygie.testing.snooping.rows import Practice, Resident

GIVEN = tuple(f"prenom{number}" for number in range(220))
SMALL = 9_000
"""People for whom the structures of ``KINDS`` are enough."""
FAMILIES = 1_600
TOWNS, STREETS, HOUSES = 9, 30, 70
LOCAL_FAMILIES = 120
ADULT, OLDEST = 18 * 365, 96 * 365
FIRST_DAY = date(2026, 1, 5)
OFFICE, EARLY, LATE, NIGHT = (8, 18), (6, 14), (13, 21), (20, 31)
WARD_ROLES = {0: "doctor", 1: "doctor", 2: "doctor", 3: "secretary"}
PRACTICE_ROLES = ("doctor", "doctor", "secretary")
KINDS = {
    # kind of structure: how many, professionals in each
    "practice": (26, 3),
    "ward": (12, 12),
    "pharmacy": (9, 3),
    "laboratory": (2, 5),
    "nurses": (5, 4),
    "coding": (1, 3),
}


@dataclass(slots=True)
class Human:
    """A person of the region; ``pat`` is their number as a patient."""

    pat: int
    family: str
    usual: str
    given: str
    birth: date
    postal: str
    line: str
    home: int
    job: Worker | None = None

    def age_in_days(self, at: date) -> int:
        """Return the age."""
        return (at - self.birth).days


@dataclass(slots=True)
class Worker:
    """A professional: ``party`` is their number in the log."""

    party: int
    human: Human
    place: Place
    role: str
    shift: tuple[int, int]
    principal: int | None = None
    panel: list[Human] = field(default_factory=list)


@dataclass(slots=True)
class Place:
    """A structure where people work."""

    party: int
    kind: str
    postal: str
    staff: list[Worker] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """Everybody."""

    humans: list[Human]
    places: list[Place]
    homes: dict[int, list[Human]]
    streets: dict[tuple[str, str], list[Human]]
    towns: dict[str, list[Human]]

    @property
    def workers(self) -> list[Worker]:
        """Return every professional."""
        return [worker for place in self.places for worker in place.staff]

    def of(self, kind: str) -> list[Place]:
        """Return the structures of a kind."""
        return [place for place in self.places if place.kind == kind]


def build(rng: random.Random, *, people: int) -> World:
    """Return a region of about so many people, with as many structures as they need."""
    humans: list[Human] = []
    home = 0
    while len(humans) < people:
        home += 1
        humans += _household(rng, home, first=1_000 + len(humans), scale=people / SMALL)
    world = World(humans, [], defaultdict(list), defaultdict(list), defaultdict(list))
    for human in humans:
        world.homes[human.home].append(human)
        world.towns[human.postal].append(human)
        world.streets[human.postal, street(human.line)].append(human)
    _employ(rng, world, scale=people / SMALL)
    _choose_doctors(rng, world)
    return world


def street(line: str) -> str:
    """Return an address line without its number."""
    return line.partition(" ")[2]


def _household(rng: random.Random, home: int, *, first: int, scale: float) -> list[Human]:
    postal = _town(rng, scale)
    family = _family_name(rng, postal)
    line = f"{rng.randrange(1, HOUSES)} rue {rng.randrange(STREETS)}"
    adults = 1 + happens(rng, "couple")
    children = (
        rng.choice((0, 0, 0, 1, 1, 2, 2, 3)) if adults > 1 or happens(rng, "lone parent") else 0
    )
    made = []
    grown = rng.randrange(ADULT + 4 * 365, OLDEST if not children else 50 * 365)
    for rank in range(adults + children):
        adult = rank < adults
        days = grown + rng.randrange(-1500, 1500) if adult else rng.randrange(100, ADULT - 10)
        own = (
            _family_name(rng, postal)
            if adult and rank and happens(rng, "born under another name")
            else family
        )
        usual = family if own != family and happens(rng, "uses the other's name") else own
        birth = FIRST_DAY - timedelta(days=max(days, 100))
        made.append(Human(first + rank, own, usual, rng.choice(GIVEN), birth, postal, line, home))
    return made


def _town(rng: random.Random, scale: float) -> str:
    return f"56{rng.randrange(round(TOWNS * scale)) + 1:02}0"


def _family_name(rng: random.Random, postal: str) -> str:
    """Return a name: some are common everywhere, and every town has its own."""
    if happens(rng, "local family"):
        return f"nom{postal}-{int(LOCAL_FAMILIES * rng.random() ** 1.5)}"
    return f"nom{int(FAMILIES * rng.random() ** 1.9)}"


def _employ(rng: random.Random, world: World, *, scale: float) -> None:
    adults = [one for one in world.humans if ADULT + 1500 < one.age_in_days(FIRST_DAY) < 63 * 365]
    rng.shuffle(adults)
    number = 1_000_000
    for kind, (count, size) in KINDS.items():
        for _ in range(max(1, round(count * scale))):
            number += 100
            place = Place(number, kind, _town(rng, scale))
            world.places.append(place)
            for rank in range(size):
                role, shift = _role(rng, kind, rank)
                human = _hire(rng, adults, place)
                worker = Worker(number + 1 + rank, human, place, role, shift)
                worker.human.job = worker
                place.staff.append(worker)
            for worker in place.staff:
                if worker.role == "secretary":
                    worker.principal = place.staff[0].party


def _hire(rng: random.Random, adults: list[Human], place: Place) -> Human:
    """Take somebody of the town, or of anywhere."""
    if happens(rng, "works in one's own town"):
        for number in range(len(adults) - 1, 0, -1):
            if adults[number].postal == place.postal:
                return adults.pop(number)
    return adults.pop()


def _role(rng: random.Random, kind: str, rank: int) -> tuple[str, tuple[int, int]]:
    if kind == "ward":
        role = WARD_ROLES.get(rank, "nurse")
        shift = rng.choice((EARLY, LATE, NIGHT)) if role == "nurse" else OFFICE
        return role, shift
    if kind == "practice":
        return PRACTICE_ROLES[rank], OFFICE
    return kind, OFFICE if kind != "nurses" else rng.choice((EARLY, LATE))


def _choose_doctors(rng: random.Random, world: World) -> None:
    doctors = [one for place in world.of("practice") for one in place.staff if one.role == "doctor"]
    near = defaultdict(list)
    for doctor in doctors:
        near[doctor.place.postal].append(doctor)
    for human in world.humans:
        choice = near.get(human.postal) if happens(rng, "doctor nearby") else None
        rng.choice(choice or doctors).panel.append(human)


def residents(rng: random.Random, world: World) -> list[Resident]:
    """Return what the registers write: misspelt or outdated here and there, staff incomplete."""
    rows = []
    for one in world.humans:
        line = one.line.replace("rue", "r") if happens(rng, "address misspelt") else one.line
        rows.append(Resident(one.pat, one.usual, one.given, one.birth, one.postal, line))
    for worker in world.workers:
        one = worker.human
        birth = one.birth if happens(rng, "birth date of staff known") else None
        known = happens(rng, "address of staff known")
        address = (one.postal, one.line) if known else ("", "")
        rows.append(Resident(worker.party, one.usual, one.given, birth, *address))
    return rows


def practices(world: World) -> list[Practice]:
    """Return where everybody works, and for whom."""
    rows = [Practice(worker.party, structure=worker.place.party) for worker in world.workers]
    return rows + [
        Practice(worker.party, principal=worker.principal)
        for worker in world.workers
        if worker.principal
    ]
