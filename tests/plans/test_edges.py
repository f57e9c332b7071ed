"""Sorted pages over all my patients hold what a full read of their records would give.

Dates are instants, days, periods, several, open or missing, and tie; some entries stand in the
records of two patients, and many are hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from hygie.kernel.database.roles import OWNER
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.search.cursor import Cursor
from hygie.kernel.store.search.driver import rows_of
from hygie.kernel.store.search.plan import Plan
from hygie.kernel.store.search.sort import written
from hygie.testing.crowd import SYSTEM as CODES
from hygie.testing.crowd import code_of
from hygie.testing.database import ScratchDatabase
from hygie.testing.plans import World

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection

Pairs = Sequence[tuple[str, str]]
SEARCHES: dict[str, Pairs] = {
    "newest": [("_sort", "-date")],
    "oldest": [("_sort", "date")],
    "last written": [("_sort", "-_lastUpdated")],
    "first written": [("_sort", "_lastUpdated")],
    "newest of who is named": [("patient:missing", "false"), ("_sort", "-date")],
    "newest before a day": [("date", "lt2020-03-01"), ("_sort", "-date")],
    "newest, then by text": [("_sort", "-date,_id")],
    "oldest, last written first": [("_sort", "date,-_lastUpdated")],
}
OTHERS: dict[str, Pairs] = {
    "newest of a code": [("code", f"{CODES}|{code_of(3)}"), ("_sort", "-date")],
    "newest of nobody": [("patient:missing", "true"), ("_sort", "-date")],
    "by id": [("_sort", "-_id")],
    "as they came": [],
}
PAGES = 10
SPOIL = """
UPDATE resource SET
  d = CASE WHEN key % 11 = 0 THEN NULL WHEN key % 5 = 0 THEN date_trunc('day', d) ELSE d END,
  dhi = CASE WHEN key % 11 = 0 THEN NULL WHEN key % 97 = 0 THEN 'infinity'
             WHEN key % 5 = 0 THEN date_trunc('day', d) + interval '1 day'
             WHEN key % 13 = 0 THEN d + interval '40 days' END,
  flags = CASE WHEN key % 11 <> 0 AND key % 17 = 0 THEN flags | 1 ELSE flags END,
  label = (ARRAY [1, 8, 1, 32, 4, 56])[1 + key % 6],
  matter = CASE WHEN key % 3 = 0 THEN (key % 156)::smallint ELSE matter END,
  upd = upd + (key % 7) * interval '3 days',
  pat = CASE WHEN key % 29 = 0 THEN NULL ELSE pat END,
  others = CASE WHEN key % 23 = 0 THEN ARRAY [1 + (key % 400)::integer] END
WHERE d > '2000-01-01'
"""
SIDE = """
INSERT INTO s_date (key, lo, hi, part, param)
SELECT r.key, r.d + n * interval '9 days', r.d + n * interval '9 days' + interval '2 days', r.part,
       $1::smallint
FROM resource r CROSS JOIN generate_series(-2, 3) AS n WHERE (r.flags & 1) <> 0
"""


FEW = """
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
SELECT p, $2::integer, $3::smallint, '-infinity', 'infinity', 0 FROM unnest($1::integer[]) AS p
"""
PRACTICE = """
INSERT INTO practice (member, role, starts, ends, source)
VALUES ($1, '10', '-infinity', 'infinity', 0)
"""


@pytest.fixture(scope="module")
async def spoilt(world: World, crowded: ScratchDatabase) -> World:
    bare, colleague = world.bare, world.crowd.doctor.party + 400
    await bare.execute(SPOIL)
    await bare.execute(SIDE, parameters("Observation")["date"].number)
    await bare.execute("DELETE FROM care_relation WHERE member = $1", colleague)
    await bare.execute(FEW, world.crowd.mine[3:23], colleague, int(Relation.CARE_TEAM))
    await bare.execute(PRACTICE, colleague)
    async with crowded.open(role=OWNER, size=1) as owner, owner.connection() as connection:
        await connection.execute("VACUUM ANALYZE")
    return world


def who(world: World, name: str) -> Caller:
    doctor = world.crowd.doctor
    return {
        "a doctor of many": doctor,
        "a doctor of few": replace(doctor, party=doctor.party + 400),
        "a patient": world.crowd.patient,
    }[name]


async def pages(world: World, plan: Plan, count: int) -> list[int]:
    """Return the keys of some pages, one after the other, as links lead to them."""
    text, values = plan.last()
    highest = await world.belted.fetchval(text, *values)
    cursor: Cursor | None = None
    keys: list[int] = []
    for _ in range(PAGES):
        rows = await rows_of(world.belted, plan, limit=count + 1, cursor=cursor)
        keys += [row["key"] for row in rows[:count]]
        if len(rows) <= count:
            break
        cursor = after(plan, rows[count - 1], highest)
    return keys


def after(plan: Plan, row: Record, highest: int) -> Cursor:
    values = tuple(written(row[f"k{n}"]) for n in range(len(plan.query.sort)))
    return Cursor(values, row["key"], highest)


async def in_full(world: World, plan: Plan) -> list[int]:
    """Return the keys of every match in order, from one statement that has no edge."""
    text, values = plan.page(limit=1_000_000, cursor=None)
    return [row["key"] for row in await world.belted.fetch(text, *values)]


@pytest.mark.parametrize("count", [1, 20, 150])
@pytest.mark.parametrize("name", ["a doctor of many", "a doctor of few", "a patient"])
async def test_pages_are_those_of_a_full_read(spoilt: World, name: str, count: int) -> None:
    caller = await spoilt.enter(who(spoilt, name))
    edges = 0
    for asked, pairs in (SEARCHES | OTHERS).items():
        plan = await spoilt.plan(caller, "Observation", pairs)
        everything = await in_full(spoilt, plan)
        assert await pages(spoilt, plan, count) == everything[: PAGES * count], asked
        edges += plan.edge(limit=count + 1, cursor=None) is not None
    await spoilt.belted.execute("ROLLBACK")
    assert edges == len(SEARCHES)


async def test_the_last_entries_are_those_without_a_date(spoilt: World) -> None:
    """Every page to the end, where no edge is left."""
    caller = await spoilt.enter(who(spoilt, "a doctor of few"))
    plan = await spoilt.plan(caller, "Observation", SEARCHES["newest"])
    everything = await in_full(spoilt, plan)
    found = await pages(spoilt, plan, -(-len(everything) // PAGES))
    await spoilt.belted.execute("ROLLBACK")
    assert found == everything


async def test_a_wrong_edge_leaves_out_nothing(spoilt: World) -> None:
    """Entries that led to the edge may be gone when the page is read."""
    caller = await spoilt.enter(who(spoilt, "a doctor of many"))
    plan = await spoilt.plan(caller, "Observation", SEARCHES["newest"])
    everything = await in_full(spoilt, plan)
    wrong = cast("Connection", TooFar(spoilt.belted))
    found = await rows_of(wrong, plan, limit=21, cursor=None)
    await spoilt.belted.execute("ROLLBACK")
    assert [row["key"] for row in found] == everything[:21]


class TooFar:
    """A connection on which the edge is later than every entry but some."""

    def __init__(self, connection: object) -> None:
        self._connection = connection

    async def fetchval(self, *_: object) -> datetime:
        return datetime(2100, 1, 1, tzinfo=UTC)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)
