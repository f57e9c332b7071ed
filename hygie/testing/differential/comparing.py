"""Ask two databases the same things, and make what differs as small as it gets."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hygie.kernel.api.asgi import MachineFace
from hygie.kernel.api.engine import Engine
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.config import Settings
from hygie.kernel.database.session import connect
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.tokens import issue
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchDatabase, ScratchServer
from hygie.testing.differential.asking import Asked, Json, Reply, ask
from hygie.testing.differential.hidden import Addition
from hygie.testing.differential.naming import Names
from hygie.testing.differential.population import PEOPLE, RELATIONS, Population, relation_rows

PAGES = 8
"""How many links to next pages are followed."""
BASE = "http://localhost:8000/fhir"
Told = tuple[int, tuple[tuple[str, str], ...], bytes]
_FACT = (
    "INSERT INTO hygie.care_relation (pat, member, kind, starts, ends, source)"
    " VALUES (%s, %s, %s, '2000-01-01', '2900-01-01', 0)"
)
_ROLE = (
    "INSERT INTO hygie.practice (member, structure, role, starts, ends, source)"
    " VALUES (%s, NULL, %s, '2000-01-01', '2900-01-01', 0)"
)


@dataclass(frozen=True, slots=True)
class World:
    """Database D, closed, to be copied; tokens are valid in every copy."""

    server: ScratchServer
    law: Law
    database: ScratchDatabase
    population: Population
    tokens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that tells the two databases apart, and both answers."""

    asked: Asked
    page: int
    without: Told
    with_hidden: Told

    def __str__(self) -> str:
        names = ("status", "headers", "body")
        part = next(n for n in range(3) if self.without[n] != self.with_hidden[n])
        one, other = (_text(told[part]) for told in (self.without, self.with_hidden))
        common = _common(one, other)
        shown = slice(max(0, common - 600), common + 300)
        return (
            f"{self.asked}\n(page {self.page}) answers differ in {names[part]}, at {common}\n"
            f"without: {one[shown]}\nwith:    {other[shown]}"
        )


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _text(part: object) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


async def build(server: ScratchServer, law: Law, population: Population) -> World:
    """Write a population to a new database as the operator and issue a token to everybody."""
    database = server.create()
    tokens: dict[str, str] = {}
    async with opened(database.settings, law) as repository:
        for one in population.resources:
            await _put(repository, one)
        references = {ref for row in RELATIONS for ref in row[:2] if ref}
        references |= {one.reference for one in PEOPLE.values() if one.reference}
        numbers = {ref: await repository.party_number(ref) for ref in sorted(references)}
        async with repository.database.connection() as connection:
            for name, person in PEOPLE.items():
                number = numbers.get(person.reference, 0)
                caller = Caller(
                    person.kind, number, person.reference or f"account/{name}",
                    purpose=person.purpose, rights=person.rights,
                )  # fmt: skip
                now = datetime.now(UTC)
                tokens[name] = await issue(connection, caller, at=now, valid=timedelta(days=1))
    with connect(database.admin_dsn) as session, session.cursor() as cursor:
        cursor.executemany(_FACT, relation_rows(numbers))
        roles = {(numbers[p.reference], role) for p in PEOPLE.values() for role in p.roles}
        cursor.executemany(_ROLE, sorted(roles))
    return World(server, law, database, population, tokens)


@contextlib.asynccontextmanager
async def opened(settings: Settings, law: Law) -> AsyncIterator[Repository]:
    """Open a repository for the length of a block."""
    repository = await open_repository(settings, law=law, size=2)
    try:
        yield repository
    finally:
        await repository.database.close()


@dataclass(frozen=True, slots=True)
class Pair:
    """Both databases, ready to be asked."""

    faces: tuple[MachineFace, MachineFace]
    tokens: Mapping[str, str]
    names: Names

    async def compare(self, asked: Asked, number: int) -> tuple[Difference | None, int]:
        """Ask both, following the links to the next pages.

        Returns:
            What differs, None where all is alike; and the status of the first answer.
        """
        following, status = [asked, asked], 0
        for page in range(PAGES):
            replies = [
                await ask(face, one, token=self.tokens[asked.who], number=number * PAGES + page)
                for face, one in zip(self.faces, following, strict=True)
            ]
            told = [self.names.told(one) for one in replies]
            status = status or replies[0].status
            if told[0] != told[1]:
                return Difference(following[0], page, told[0], told[1]), status
            # Each database's own link: those of the log name instants.
            links = [link for one in replies if (link := _next(one)) is not None]
            if not links:
                break
            following = [Asked(asked.who, "GET", one.removeprefix(f"{BASE}/")) for one in links]
        return None, status


@contextlib.asynccontextmanager
async def pair(world: World, addition: Addition, *, seed: int) -> AsyncIterator[Pair]:
    """Copy D twice and make the hidden thing in the second copy, as the operator."""
    copies = [world.server.copy(world.database) for _ in range(2)]
    since = datetime.now(UTC)
    try:
        async with contextlib.AsyncExitStack() as stack:
            faces = []
            for place, copy in enumerate(copies):
                settings = replace(copy.settings, data=Path(world.database.settings.data))
                repository = await stack.enter_async_context(opened(settings, world.law))
                make = addition.make if place else addition.instead
                for method, resource in make(random.Random(seed)):  # noqa: S311 - test data
                    await _take(repository, method, resource)
                faces.append(_face(repository))
            names = Names(since, frozenset(world.population.ids))
            yield Pair((faces[0], faces[1]), world.tokens, names)
    finally:
        for copy in copies:
            world.server.drop(copy)


async def shrink(
    world: World, addition: Addition, found: Difference, asked: Asked, *, seed: int
) -> Difference:
    """Return a smaller request that still tells the two apart, asked first of fresh copies.

    Where the request alone tells nothing, the difference needs those before it and stays as found.
    """
    smallest = await _alone(world, addition, asked, seed=seed)
    if smallest is None:
        return found
    while True:
        for candidate in _smaller(smallest.asked if smallest.page == 0 else asked):
            again = await _alone(world, addition, candidate, seed=seed)
            if again is not None:
                smallest, asked = again, candidate
                break
        else:
            return smallest


async def _alone(world: World, addition: Addition, asked: Asked, *, seed: int) -> Difference | None:
    async with pair(world, addition, seed=seed) as both:
        return (await both.compare(asked, 0))[0]


def _smaller(asked: Asked) -> Iterator[Asked]:
    """Yield the request without one of its parts."""
    for place in range(len(asked.pairs)):
        yield replace(asked, pairs=asked.pairs[:place] + asked.pairs[place + 1 :])
    for place, (name, value) in enumerate(asked.pairs):
        if "," in value:
            for one in value.split(","):
                kept = (*asked.pairs[:place], (name, one), *asked.pairs[place + 1 :])
                yield replace(asked, pairs=kept)
    for place in range(len(asked.headers)):
        yield replace(asked, headers=asked.headers[:place] + asked.headers[place + 1 :])
    if isinstance(asked.body, dict) and len(asked.body.get("entry", ())) > 1:
        entries = asked.body["entry"]
        for place in range(len(entries)):
            kept_entries = entries[:place] + entries[place + 1 :]
            yield replace(asked, body={**asked.body, "entry": kept_entries})


def _face(repository: Repository) -> MachineFace:
    events = AuditEvents(
        base=BASE, key_of=key_of, zone=ZoneInfo("Europe/Paris"), clock=SystemClock()
    )
    return MachineFace(Engine(repository, BASE, events, "0"))


async def _take(repository: Repository, method: str, resource: Json) -> None:
    if method == "PUT":
        await _put(repository, resource)
    else:
        await repository.delete(SYSTEM, resource["resourceType"], resource["id"])


async def _put(repository: Repository, resource: Json) -> None:
    body = json.dumps(resource).encode()
    await repository.update(SYSTEM, resource["resourceType"], resource["id"], body)


def _next(reply: Reply) -> str | None:
    if reply.status != 200 or not reply.body.startswith(b'{"resourceType":"Bundle"'):  # noqa: PLR2004
        return None
    links = {one["relation"]: one["url"] for one in json.loads(reply.body).get("link", ())}
    return links.get("next")
