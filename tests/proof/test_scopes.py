"""What the scopes of an application do not reach changes none of its answers, on any route."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchServer
from hygie.testing.differential.comparing import World, build, pair, shrink
from hygie.testing.differential.hidden import Addition
from hygie.testing.differential.population import Population
from hygie.testing.differential.requests import Requests
from hygie.testing.differential.scoped import BEYOND, with_applications

SEED = 20261123
A_ROUND = 40
IN_CI, IN_THE_LONG_RUN = 2_000, 20_160


async def one_round(world: World, addition: Addition, *, seed: int, statuses: Counter[int]) -> str:
    """Ask a round of requests of both copies; return what differs, empty where nothing does."""
    steps = addition.make(random.Random(seed))  # noqa: S311 - test data
    requests = Requests(seed, ids=world.population.ids, addition=addition)
    async with pair(world, steps) as both:
        for number in range(A_ROUND):
            asked = requests.draw()
            found, status = await both.compare(asked, number)
            statuses[status] += 1
            if found is not None:
                break
        else:
            return ""
    smallest = await shrink(world, steps, found, asked)
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
    assert statuses[200] + statuses[201] > IN_CI // 5, statuses


@pytest.mark.parametrize("addition", BEYOND, ids=lambda one: one.name)
async def test_the_person_alone_would_notice(world: World, addition: Addition) -> None:
    """The run above would prove nothing of what nobody sees: who asks alone sees the addition."""
    alone = replace(addition, unseen_by=("treating",))
    found = [
        await one_round(world, alone, seed=SEED + number, statuses=Counter()) for number in range(2)
    ]
    assert any(found)


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_what_scopes_do_not_reach_changes_no_answer_in_the_long_run(
    database_server: ScratchServer, law: Law
) -> None:
    for place in range(4):
        drawn = await build(database_server, law, Population(SEED + place))
        await compare(await with_applications(drawn), IN_THE_LONG_RUN // 4, seed=SEED + place)
