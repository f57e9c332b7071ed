"""Hidden and absent take the same time, as far as a clock can tell."""

from __future__ import annotations

import json
import random
import statistics
import time

import pytest

from hygie.kernel.errors import NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import open_repository
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchDatabase
from hygie.testing.differential.population import PAUL, observation

ROUNDS = 1_500
SHUFFLES = 400


@pytest.mark.long
async def test_hidden_and_absent_take_the_same_time(database: ScratchDatabase, law: Law) -> None:
    """A permutation test on medians, drawn in turn and at random, so that noise falls on both.

    The machine may be busy: what is compared is the difference of the medians with those of
    random halves of the same times. One time in a hundred chance alone is that large, so three
    runs must agree before the test tells a difference; and a difference under 3 % of the time of
    a request is no use to anybody over a network.
    """
    repository = await open_repository(database.settings, law=law, size=2)
    chance = random.Random(4)  # noqa: S311 - test data
    try:
        hidden = observation(chance, "t-hidden", PAUL)
        await repository.update(SYSTEM, "Observation", "t-hidden", json.dumps(hidden).encode())
        number = await repository.party_number("Practitioner/t-stranger")
        stranger = Caller(Kind.PROFESSIONAL, number, "Practitioner/t-stranger")
        told = []
        for _ in range(3):
            times: dict[str, list[float]] = {"t-hidden": [], "t-absent": []}
            for _ in range(ROUNDS):
                rid = chance.choice(list(times))
                begin = time.perf_counter()
                with pytest.raises(NotFound):
                    await repository.read(stranger, "Observation", rid)
                times[rid].append(time.perf_counter() - begin)
            told.append(_differs(chance, *times.values()))
    finally:
        await repository.database.close()
    assert not all(told), "hidden and absent can be told apart by their time"


def _differs(chance: random.Random, one: list[float], other: list[float]) -> bool:
    seen = abs(statistics.median(one) - statistics.median(other))
    if seen < 0.03 * statistics.median(other):
        return False
    pool, larger = [*one, *other], 0
    for _ in range(SHUFFLES):
        chance.shuffle(pool)
        halves = pool[: len(one)], pool[len(one) :]
        larger += abs(statistics.median(halves[0]) - statistics.median(halves[1])) >= seen
    return larger <= SHUFFLES // 100
