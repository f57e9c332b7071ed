"""What the scopes of an application do not reach changes none of its answers, on any route."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchServer
from hygie.testing.differential.asking import Json, ask
from hygie.testing.differential.comparing import World, build, pair, shrink
from hygie.testing.differential.hidden import Addition
from hygie.testing.differential.population import Population
from hygie.testing.differential.requests import Requests
from hygie.testing.differential.scoped import APPLICATIONS, BEYOND, Application, with_applications

SEED = 20261123
A_ROUND = 40
IN_CI, IN_THE_LONG_RUN = 480, 20_160
ROWS_ASKED = 1_500
DIRECTORY = frozenset({"Practitioner", "Organization", "PractitionerRole", "Location"})
"""Types that are about no patient: a launch leaves them open."""


async def one_round(world: World, addition: Addition, *, seed: int, statuses: Counter[int]) -> str:
    """Ask a round of requests of both copies; return what differs, empty where nothing does."""
    requests = Requests(seed, ids=world.population.ids, addition=addition)
    async with pair(world, addition, seed=seed) as both:
        for number in range(A_ROUND):
            asked = requests.draw()
            found, status = await both.compare(asked, number)
            statuses[status] += 1
            if found is not None:
                break
        else:
            return ""
    smallest = await shrink(world, addition, found, asked, seed=seed)
    return f"seed {seed}, beyond: {addition.name}\n{smallest}"


async def compare(world: World, count: int, *, seed: int, most: int = 3) -> Counter[int]:
    statuses: Counter[int] = Counter()
    differences: list[str] = []
    for number in range(count // A_ROUND):
        addition = BEYOND[number % len(BEYOND)]
        told = await one_round(world, addition, seed=seed * 100_000 + number, statuses=statuses)
        differences += [told] if told else []
        if len(differences) >= most:
            break
    assert not differences, "\n\n".join(differences)
    return statuses


@pytest.fixture(scope="module")
async def world(database_server: ScratchServer, law: Law) -> World:
    return await with_applications(await build(database_server, law, Population(SEED)))


async def test_what_scopes_do_not_reach_changes_no_answer(world: World) -> None:
    statuses = await compare(world, IN_CI, seed=SEED)
    assert statuses.total() == IN_CI
    assert statuses[200] + statuses[201] > IN_CI // 6, statuses


@pytest.mark.parametrize("addition", BEYOND, ids=lambda one: one.name)
async def test_the_person_alone_would_notice(world: World, addition: Addition) -> None:
    """The run above would prove nothing of what nobody sees: who asks alone sees the addition."""
    alone = replace(addition, unseen_by=("treating",))
    found = [
        await one_round(world, alone, seed=SEED + number, statuses=Counter()) for number in range(2)
    ]
    assert any(found)


def reaches(application: Application, resource: Json) -> bool:
    """Tell whether a scope allows to read a resource, from its words and its JSON alone."""
    return any(_allows(word, application.patient, resource) for word in application.scope.split())


def _allows(word: str, launched: str, resource: Json) -> bool:
    scope, _, query = word.partition("?")
    context, _, rest = scope.partition("/")
    rt, _, letters = rest.partition(".")
    _, _, category = query.partition("=")
    codes = {c["code"] for one in resource.get("category", ()) for c in one.get("coding", ())}
    mine = (
        context == "user" or resource["resourceType"] in DIRECTORY or launched in _people(resource)
    )
    typed = rt in ("*", resource["resourceType"])
    return typed and bool({*letters} & {"r", "s"}) and mine and (not category or category in codes)


def _people(resource: Json) -> set[str]:
    """Return every Patient that a resource names, itself where it is one."""
    told = re.findall(r"Patient/[A-Za-z0-9.-]+", json.dumps(resource))
    return {*told, f"{resource['resourceType']}/{resource['id']}"}


def told_by(body: bytes) -> Iterator[Json]:
    """Yield every resource of an answer, those of Bundles inside Bundles too."""
    told = json.loads(body) if body.startswith(b"{") else {}
    if told.get("resourceType") == "Bundle":
        for entry in told.get("entry", ()):
            yield from told_by(json.dumps(entry.get("resource", {})).encode())
    elif told.get("resourceType") not in (None, "OperationOutcome", "AuditEvent", "Parameters"):
        yield told


async def test_every_row_that_is_answered_is_within_a_scope(world: World) -> None:
    everybody = Addition("nothing", tuple(APPLICATIONS), lambda _: [])
    requests = Requests(SEED, ids=world.population.ids, addition=everybody)
    whole = {one["id"]: one for one in world.population.resources}  # answers leave elements out
    seen: Counter[str] = Counter()
    async with pair(world, everybody, seed=SEED) as both:
        for number in range(ROWS_ASKED):
            asked = requests.draw()
            if asked.method not in ("GET", "HEAD") and not asked.path.endswith("_search"):
                continue
            token = world.tokens[asked.who]
            reply = await ask(both.faces[0], asked, token=token, number=number)
            for resource in told_by(reply.body):
                within = reaches(APPLICATIONS[asked.who], whole[resource["id"]])
                assert within, f"{asked}\n{resource}"
                seen[asked.who] += 1
    assert set(seen) == set(APPLICATIONS), seen


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_what_scopes_do_not_reach_changes_no_answer_in_the_long_run(
    database_server: ScratchServer, law: Law
) -> None:
    for place in range(4):
        drawn = await build(database_server, law, Population(SEED + place))
        await compare(await with_applications(drawn), IN_THE_LONG_RUN // 4, seed=SEED + place)
