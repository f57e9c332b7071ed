"""What is hidden changes no answer: database D and D plus one invisible record answer alike."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from hygie.kernel.security.algebra import Policy
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchServer
from hygie.testing.differential.asking import Asked
from hygie.testing.differential.comparing import Difference, World, build, pair, shrink
from hygie.testing.differential.hidden import ADDITIONS, Addition
from hygie.testing.differential.population import Population
from hygie.testing.differential.requests import Requests

SEED = 20261122
IN_CI, IN_THE_LONG_RUN = 560, 20_160
POPULATIONS = 8
A_ROUND = 20
"""Requests asked of one pair of copies."""


@dataclass
class Run:
    """What a run asked and found."""

    asked: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


async def compare(world: World, count: int, *, seed: int, most: int = 3) -> Run:
    """Ask ``count`` requests, in rounds of one hidden record each; stop at ``most`` differences."""
    run = Run()
    for number in range(count // A_ROUND):
        addition = ADDITIONS[number % len(ADDITIONS)]
        await one_round(world, addition, seed=seed * 100_000 + number, run=run)
        if len(run.differences) >= most:
            break
    return run


async def one_round(world: World, addition: Addition, *, seed: int, run: Run) -> None:
    requests = Requests(seed, ids=world.population.ids, addition=addition)
    async with pair(world, addition, seed=seed) as both:
        for number in range(A_ROUND):
            asked = requests.draw()
            found, status = await both.compare(asked, number)
            run.asked += 1
            run.statuses[status] += 1
            if found is not None:
                break
        else:
            return
    run.differences.append(await told(world, addition, seed, found, asked))


async def told(world: World, addition: Addition, seed: int, found: Difference, asked: Asked) -> str:
    smallest = await shrink(world, addition, found, asked, seed=seed)
    return f"seed {seed}, hidden: {addition.name}\n{smallest}"


@pytest.fixture(scope="module")
async def world(database_server: ScratchServer, law: Law) -> World:
    return await build(database_server, law, Population(SEED))


async def test_what_is_hidden_changes_no_answer(world: World) -> None:
    run = await compare(world, IN_CI, seed=SEED)
    assert not run.differences, "\n\n".join(run.differences)
    assert run.asked == IN_CI
    assert run.statuses[200] + run.statuses[201] > IN_CI // 3, run.statuses


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda one: one.name)
async def test_the_log_tells_no_more_of_what_was_asked_in_vain(
    world: World, addition: Addition
) -> None:
    """Whoever asks for what is hidden finds their own request in the log, and nothing of it."""
    steps = addition.make(random.Random(SEED))  # noqa: S311 - test data
    place = f"{steps[0][1]['resourceType']}/{steps[0][1]['id']}"
    async with pair(world, addition, seed=SEED) as both:
        for number, who in enumerate(addition.unseen_by):
            for step, asked in enumerate(
                [Asked(who, "GET", place), Asked(who, "GET", "AuditEvent", (("entity", place),))]
            ):
                found, _ = await both.compare(asked, number * 2 + step)
                assert found is None, str(found)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("population", range(POPULATIONS))
async def test_what_is_hidden_changes_no_answer_in_the_long_run(
    database_server: ScratchServer, law: Law, population: int
) -> None:
    """One slice for each population: ``-k "long_run and 3]"`` runs one of them."""
    world = await build(database_server, law, Population(SEED + population))
    run = await compare(world, IN_THE_LONG_RUN // POPULATIONS, seed=SEED + population)
    assert not run.differences, "\n\n".join(run.differences)
    assert run.asked == IN_THE_LONG_RUN // POPULATIONS
    print(f"{run.asked} requests, 0 differences; {dict(run.statuses)}")  # noqa: T201 - a figure


async def test_a_leak_that_is_planted_is_found(database_server: ScratchServer, law: Law) -> None:
    """The run above would pass of servers that answer nothing; a rule without limits is seen."""
    rules = tuple(
        replace(rule, clauses=rule.clauses[:2]) if rule.name == "care-team" else rule
        for rule in law.policies.read.rules
    )
    leaky = replace(law, policies=replace(law.policies, read=Policy(rules)))
    world = await build(database_server, leaky, Population(SEED))
    run = Run()
    for number in range(12):
        await one_round(world, ADDITIONS[3], seed=SEED + number, run=run)
    assert run.differences
    assert "d-hidden" in run.differences[0] or '"total"' in run.differences[0]
