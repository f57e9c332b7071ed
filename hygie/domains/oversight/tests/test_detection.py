"""A small region with planted snooping: the bench ``benches/snooping.py`` in little, one seed.

The thresholds stand under what the bench asks for: a fortnight of one town is few cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from hygie.domains.oversight.model.tables import weights
from hygie.domains.oversight.service import scoring
from hygie.testing.database import ScratchDatabase
from hygie.testing.snooping import Access, Traces, generate

SEED = 201
"""Neither a seed that tuned the weights nor one of the bench."""
_LISTED = """
INSERT INTO oversight_item (kind, day, due, trace_at, trace, party, agent, pat, initials, looks,
  types, rule, score, reasons)
VALUES (1, $1, $1, $2, $3, $4, '', $5, '', 1, '{}', '', 0, '{}')
"""


@pytest.fixture(scope="module")
def traces() -> Traces:
    return generate(SEED, people=9_000, history=12, judged=14)


def test_the_same_seed_gives_the_same_traces() -> None:
    assert generate(5, people=900, history=2, judged=2) == generate(
        5, people=900, history=2, judged=2
    )


def test_honest_accesses_are_most_and_lack_appointments(traces: Traces) -> None:
    planted = sum(bool(one.pattern) for one in traces.accesses)
    assert 0 < planted < len(traces.accesses) / 50
    assert len({one.pattern for one in traces.accesses}) >= 9


async def test_the_daily_list_is_mostly_right_and_finds_most(
    fresh_database: ScratchDatabase, traces: Traces
) -> None:
    by_day: dict[date, list[Access]] = defaultdict(list)
    for one in traces.accesses:
        by_day[one.at.date()].append(one)
    lists: dict[date, set[tuple[int, int]]] = {}
    async with fresh_database.open(size=1) as pool, pool.connection() as connection:
        await connection.execute("SET hygie.system = 'on'")
        await connection.executemany(
            "INSERT INTO oversight_protected (pat, by, reason) VALUES ($1, 'test', 'known')",
            [(pat,) for pat in traces.protected],
        )
        for day in traces.days:
            held = weights(day)
            async with connection.transaction():
                await scoring.open_day(connection)
                for table, rows in _tables(traces, by_day[day], day).items():
                    await connection.copy_records_to_table(
                        table, records=rows, columns=COLUMNS.get(table)
                    )
                await scoring.score(connection, day, held)
                chosen = await scoring.choose(connection, day, held)
                await connection.executemany(
                    _LISTED,
                    [(r["day"], r["first"], r["trace"], r["party"], r["pat"]) for r in chosen],
                )
            lists[day] = {(row["party"], row["pat"]) for row in chosen}
    precision, recall = _judge(traces, lists)
    assert precision >= 0.5
    assert recall >= 0.6


COLUMNS = {"who": ["party", "families", "givens", "birth", "postal", "line"]}


def _tables(
    traces: Traces, accesses: list[Access], day: date
) -> dict[str, Sequence[tuple[object, ...]]]:
    pairs: dict[tuple[int, int], list[Access]] = defaultdict(list)
    for one in accesses:
        pairs[one.party, one.pat].append(one)
    seen = [
        (*pair, looks[0].at, number, len(looks), 1 << looks[0].at.hour)
        for number, (pair, looks) in enumerate(pairs.items())
    ]
    sides = {(one.member, one.member, "self") for one in traces.practices}
    sides |= {(one.member, one.structure, "structure") for one in traces.practices if one.structure}
    sides |= {(one.member, one.principal, "principal") for one in traces.practices if one.principal}
    ahead = day + timedelta(days=14)
    ties = [
        (one.party, one.pat, one.kind, one.starts, one.ends)
        for one in traces.ties
        if one.starts <= (ahead if one.kind == "appointment" else day)
    ]
    acts = [
        (one.party, one.pat, "act", one.at.date(), one.at.date())
        for one in traces.accesses
        if one.wrote and one.at.date() <= day
    ]
    people = [
        (one.party, [one.family], [one.given], one.birth, one.postal, one.line)
        for one in traces.residents
    ]
    return {"seen": seen, "side": list(sides), "tie": [*ties, *acts], "who": people}


def _judge(traces: Traces, lists: dict[date, set[tuple[int, int]]]) -> tuple[float, float]:
    planted: dict[tuple[int, int], set[date]] = defaultdict(set)
    cases: dict[tuple[int, date], set[tuple[int, int]]] = defaultdict(set)
    for one in traces.accesses:
        if one.case:
            planted[one.party, one.pat].add(one.at.date())
            cases[one.case, one.at.date()].add((one.party, one.pat))
    week = [timedelta(days=back) for back in range(7)]
    shown = [(day, pair) for day in traces.judged for pair in lists[day]]
    right = sum(any(day - back in planted[pair] for back in week) for day, pair in shown)
    whole = [(day, pairs) for (_, day), pairs in cases.items() if day + week[-1] in lists]
    found = sum(
        any(pairs & lists.get(day + shift, set()) for back in week for shift in (back, -back))
        for day, pairs in whole
    )
    return right / len(shown), found / len(whole)
