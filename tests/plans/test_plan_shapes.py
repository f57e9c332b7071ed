"""Searches keep their plans: an index, no look at the whole table, relations read once.

The rules are those of the product, the rows those of many patients; what PostgreSQL says it did is
asserted, never how long it took.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.decision import Decision, decide
from hygie.kernel.store.people import find_statement
from hygie.kernel.store.search.cursor import Cursor
from hygie.kernel.store.search.driver import FEW
from hygie.kernel.store.search.plan import Statement
from hygie.kernel.store.search.sort import written
from hygie.kernel.store.search.sql import Sql
from hygie.testing.crowd import SYSTEM as CODES
from hygie.testing.crowd import code_of
from hygie.testing.plans import Node, World, indexes, looked_at, whole_tables

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

CODE = ("code", f"{CODES}|{code_of(3)}")
NEWEST = [("_sort", "-date"), ("_count", "20"), ("_total", "none")]
WIDE: dict[str, Sequence[tuple[str, str]]] = {
    "newest of a code": [CODE, *NEWEST],
    "count of a code": [CODE, ("_summary", "count")],
    "newest of a type": NEWEST,
    "count of a type": [("_summary", "count")],
}
SORTED: dict[str, Sequence[tuple[str, str]]] = {
    "newest": [("_sort", "-date")],
    "oldest": [("_sort", "date")],
    "last written": [("_sort", "-_lastUpdated")],
    "first written": [("_sort", "_lastUpdated")],
    "newest of who is named": [("patient:missing", "false"), ("_sort", "-date")],
    "newest since": [("date", "ge2020-01-10"), ("_sort", "-date")],
    "newest, then by text": [("_sort", "-date,_id")],
}
# Everything that a rule reads, spread over the rows of some patients.
SPOIL = """
UPDATE resource SET label = (ARRAY [1, 8, 16, 32, 4, 56])[1 + key % 6],
  author = (ARRAY [$1, NULL, author])[1 + key % 3], matter = (key % 156)::smallint,
  others = CASE WHEN key % 11 = 0 THEN ARRAY [1 + (key % 40)::integer] END
WHERE pat <= 400
"""
FACTS = """
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
SELECT p, CASE WHEN k >= 16 THEN 0 ELSE $1 END, k, '-infinity',
       CASE WHEN (p * 7 + k) % 5 = 0 THEN now() ELSE 'infinity' END, 0
FROM generate_series(1, 400) AS p CROSS JOIN generate_series(1, 23) AS k
WHERE (p * 31 + k * 17) % 9 = 0 AND (k < 12 OR k >= 16)
"""


async def planned(
    world: World, caller: Caller, rt: str, pairs: Sequence[tuple[str, str]]
) -> Statement:
    plan = await world.plan(caller, rt, pairs)
    if plan.query.summary == "count":
        return plan.count(exact=True)
    return plan.page(limit=21, cursor=None)


def most_loops(nodes: Sequence[Node]) -> int:
    return max(
        int(node["Actual Loops"]) for node in nodes if node.get("Relation Name") == "care_relation"
    )


@pytest.mark.parametrize("name", WIDE)
async def test_a_search_over_all_my_patients_reads_no_whole_table(opened: World, name: str) -> None:
    doctor = await opened.enter(opened.crowd.doctor)
    nodes = await opened.explained(await planned(opened, doctor, "Observation", WIDE[name]))
    assert whole_tables(nodes) == []
    assert {"resource_pat", "resource_code"} & indexes(nodes)


@pytest.mark.parametrize("name", WIDE)
async def test_relations_are_read_for_patients_and_never_for_rows(opened: World, name: str) -> None:
    doctor = await opened.enter(opened.crowd.doctor)
    asked = await planned(opened, doctor, "Observation", WIDE[name])
    rows = 40_000 * 4 // 5 * len(opened.crowd.mine) // len(opened.crowd.patients)
    # The rules once for each patient; the belt at most once for each row of these patients.
    assert most_loops(await opened.explained(asked)) <= rows


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("name", SORTED)
async def test_a_sorted_page_reads_few_rows_of_each_patient(
    opened: World, name: str, count: int
) -> None:
    """One or two of each patient for the edge, then hardly more than the page; page by page."""
    doctor = await opened.enter(opened.crowd.doctor)
    plan = await opened.plan(doctor, "Observation", SORTED[name])
    cursor: Cursor | None = None
    for _ in range(10):
        asked = plan.edge(limit=count + 1, cursor=cursor)
        assert asked is not None
        nodes = await opened.explained(asked)
        assert whole_tables(nodes) == []
        assert "resource_pat" in indexes(nodes)
        edge = await opened.belted.fetchval(asked[0], *asked[1])
        asked = plan.page(limit=count + 1, cursor=cursor, edge=edge)
        nodes += await opened.explained(asked)
        assert whole_tables(nodes) == []
        assert looked_at(nodes) <= 4 * len(opened.crowd.mine) + 20 * (count + 1)
        rows = await opened.belted.fetch(asked[0], *asked[1])
        assert len(rows) == count + 1
        values = tuple(written(rows[-2][f"k{n}"]) for n in range(len(plan.query.sort)))
        cursor = Cursor(values, rows[-2]["key"], 1_000_000)


async def test_rows_with_several_dates_have_an_index_of_their_own(opened: World) -> None:
    doctor = await opened.enter(opened.crowd.doctor)
    for sort, wanted in (
        ("-date", {"resource_span", "resource_many"}),
        ("date", {"resource_many"}),
    ):
        plan = await opened.plan(doctor, "Observation", [("_sort", sort)])
        asked = plan.page(limit=21, cursor=None, edge=datetime(2020, 2, 1, tzinfo=UTC))
        assert wanted <= indexes(await opened.explained(asked))


async def test_a_patient_s_own_list_starts_from_the_patient(opened: World) -> None:
    patient = await opened.enter(opened.crowd.patient)
    for pairs in (NEWEST, [("_summary", "count")]):
        nodes = await opened.explained(await planned(opened, patient, "Observation", pairs))
        assert whole_tables(nodes) == []
        assert "resource_pat" in indexes(nodes)


@pytest.mark.parametrize("who", ["doctor", "operator"])
async def test_a_token_is_found_by_its_index_under_the_belt(opened: World, who: str) -> None:
    caller = await opened.enter(opened.crowd.doctor if who == "doctor" else SYSTEM)
    asked = await planned(opened, caller, "Observation", [("encounter", "Encounter/none")])
    nodes = await opened.explained(asked)
    assert whole_tables(nodes) == []
    assert indexes(nodes) & {"resource_toks", "resource_pat"}


async def test_names_are_read_for_my_patients_alone(opened: World) -> None:
    doctor = await opened.enter(opened.crowd.doctor)
    decision = decide(doctor, directory=False, policy=opened.policies.read)
    nodes = await opened.explained(find_statement(decision, "legof"))
    assert whole_tables(nodes) == []
    named = [node for node in nodes if node.get("Relation Name") == "s_string"]
    assert all(node["Actual Loops"] <= len(opened.crowd.mine) for node in named)


async def test_both_ways_to_print_the_rules_permit_the_same_rows(world: World) -> None:
    """Every relation, label, author and matter, for every purpose: wide and row by row."""
    bare, crowd = world.bare, world.crowd
    await bare.execute("BEGIN")
    await bare.execute(SPOIL.replace("$1", str(crowd.doctor.party)))
    await bare.execute(FACTS.replace("$1", str(crowd.doctor.party)))
    doctor = await world.known(crowd.doctor)
    helper = replace(crowd.patient, party=doctor.party)
    permitted = set()
    for caller in (*(replace(doctor, purpose=one) for one in ("TREAT", "HPAYMT")), helper):
        for rt in ("Observation", "Condition", "Patient"):
            narrow, wide = [
                await visible(bare, Decision(caller, world.policies.read, wide=each), rt)
                for each in (False, True)
            ]
            assert narrow == wide
            permitted.add(len(narrow))
    await bare.execute("ROLLBACK")
    assert len(permitted) > FEW // 4


async def visible(connection: Connection, decision: Decision, rt: str) -> set[int]:
    sql = Sql()
    text = (
        f"SELECT r.key FROM resource r WHERE r.rt = {type_number(rt)} "
        f"AND {decision.predicate('r', sql.bind)}"
    )
    assert decision.wide is (" IN (SELECT d.pat" in text) or not re.search(r"kind IN", text)
    return {row["key"] for row in await connection.fetch(text, *sql.values)}
