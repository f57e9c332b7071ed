"""Searches answer what a naive oracle in memory answers, on random records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.tests.conftest import encode
from hygie.kernel.store.tests.random_queries import Pair, searches
from hygie.kernel.store.tests.random_records import IDS, MAKERS, Maker
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW
from hygie.testing.oracle import BASE, Oracle

SHORT = settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
LONG = settings(SHORT, max_examples=20_000, derandomize=False)


class Both:
    """The store and the oracle with the same resources; no dataclass, Hypothesis prints those."""

    def __init__(self, store: Repository, oracle: Oracle) -> None:
        self.store = store
        self.oracle = oracle

    async def put(self, resource: dict[str, object]) -> None:
        rt, rid = str(resource["resourceType"]), str(resource["id"])
        written = await self.store.update(SYSTEM, rt, rid, encode(resource))
        self.oracle.put(resource, written.stored.updated)

    async def delete(self, rt: str, rid: str) -> None:
        await self.store.delete(SYSTEM, rt, rid)
        self.oracle.delete((rt, rid))


@pytest.fixture(scope="module")
async def both(database: ScratchDatabase) -> AsyncIterator[Both]:
    """Give records that were written, changed, deleted and brought back."""
    own = replace(database.settings, url=BASE.removesuffix("/fhir"))
    store = await open_repository(own, law=LAW)
    pair = Both(store, Oracle())
    try:
        await fill(pair)
        yield pair
    finally:
        await store.database.close()


async def fill(pair: Both) -> None:
    """Write records, change some, delete some, bring some back."""
    maker = Maker(1)
    for rt in MAKERS:
        for rid in (*IDS, *(f"{rt}.{number}" for number in range(12))):
            await pair.put(maker.resource(rt, rid))
    for rt in MAKERS:
        await pair.put(maker.resource(rt, IDS[1]))
        await pair.delete(rt, IDS[2])
        await pair.delete(rt, IDS[3])
        await pair.put(maker.resource(rt, IDS[3]))


@SHORT
@given(search=searches(), count=st.integers(1, 7))
async def test_a_search_answers_what_the_oracle_answers(
    both: Both, search: tuple[str, list[Pair]], count: int
) -> None:
    await check(both, *search, count=count)


@pytest.mark.long
@LONG
@given(search=searches(), count=st.integers(1, 7))
async def test_many_searches_answer_what_the_oracle_answers(
    both: Both, search: tuple[str, list[Pair]], count: int
) -> None:
    await check(both, *search, count=count)


async def check(both: Both, rt: str, pairs: list[Pair], *, count: int) -> None:
    """Compare whole pages, pages put together, and totals."""
    expected = both.oracle.search(rt, pairs, now=datetime.now(UTC))
    whole = await both.store.search(SYSTEM, rt, [*pairs, ("_count", "1000")])
    found = [(e.stored.rt, e.stored.rid) for e in whole.entries if e.mode == "match"]
    included = {(e.stored.rt, e.stored.rid) for e in whole.entries if e.mode == "include"}
    assert found == expected.matches
    assert included == expected.included
    assert whole.total == len(expected.matches)
    paged = []
    query = [*pairs, ("_count", str(count)), ("_total", "accurate")]
    while True:
        page = await both.store.search(SYSTEM, rt, query)
        assert page.total == len(expected.matches)
        paged += [(e.stored.rt, e.stored.rid) for e in page.entries if e.mode == "match"]
        if page.next is None:
            break
        query = parse_qsl(page.next, keep_blank_values=True)
    assert paged == expected.matches
    counted = await both.store.search(SYSTEM, rt, [*pairs, ("_summary", "count")])
    assert (counted.total, counted.entries) == (len(expected.matches), [])
