"""Searches keep their plans: an index, no look at the whole table, relations read once.

The rules are those of the product, the rows those of many patients; what PostgreSQL says it did is
asserted, never how long it took.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from hygie.app import compose
from hygie.kernel.clock import SystemClock
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.database.roles import APP, LOADER, OWNER
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.decision import Decision, decide
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.security.policies import Policies
from hygie.kernel.store.people import find_statement
from hygie.kernel.store.search.driver import FEW, plan_of
from hygie.kernel.store.search.plan import Statement
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.search.sql import Known, Sql
from hygie.kernel.store.site import Site
from hygie.testing.crowd import SYSTEM as CODES
from hygie.testing.crowd import Crowd, code_of, gather
from hygie.testing.database import ScratchDatabase, ScratchServer

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

Node = dict[str, Any]
CODE = ("code", f"{CODES}|{code_of(3)}")
NEWEST = [("_sort", "-date"), ("_count", "20"), ("_total", "none")]
WIDE: dict[str, Sequence[tuple[str, str]]] = {
    "newest of a code": [CODE, *NEWEST],
    "count of a code": [CODE, ("_summary", "count")],
    "newest of a type": NEWEST,
    "count of a type": [("_summary", "count")],
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


@dataclass(frozen=True)
class World:
    """A store of many rows, and connections under the belt and without."""

    crowd: Crowd
    policies: Policies
    belted: Connection
    bare: Connection


@pytest.fixture(scope="module")
def crowded(database_server: ScratchServer) -> Iterator[ScratchDatabase]:
    made = database_server.create()
    yield made
    database_server.drop(made)


@pytest.fixture(scope="module")
async def world(crowded: ScratchDatabase) -> AsyncIterator[World]:
    policies = compose(crowded.settings).law.policies
    loader = await Database.open(crowded.dsn, role=LOADER, size=1)
    app = await Database.open(crowded.dsn, role=APP, size=1)
    async with loader.connection() as bare, app.connection() as belted:
        crowd = await gather(bare, patients=2_000, team=200, rows=40_000)
        async with crowded.open(role=OWNER, size=1) as owner, owner.connection() as connection:
            await connection.execute("ANALYZE")
        yield World(crowd, policies, belted, bare)
    await app.close()
    await loader.close()


async def known(world: World, caller: Caller) -> Caller:
    return await Gate(world.policies, date.today).caller(world.bare, caller)


async def planned(
    world: World, caller: Caller, rt: str, pairs: Sequence[tuple[str, str]]
) -> Statement:
    decision = decide(caller, directory=False, policy=world.policies.read)
    site = Known(SystemClock().now(), Site("http://localhost/fhir"))
    plan = await plan_of(world.belted, decision, read_query(rt, pairs), site)
    if plan.query.summary == "count":
        return plan.count(exact=True)
    return plan.page(limit=21, cursor=None)


async def explained(world: World, caller: Caller, asked: Statement) -> list[Node]:
    """Return every node of the plan that was carried out."""
    text, values = asked
    rows = await world.belted.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values)
    return list(_nodes(json.loads(rows)[0]["Plan"]))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def whole_tables(nodes: Sequence[Node]) -> list[str]:
    """Return the large tables of which every row was looked at."""
    return [
        node["Relation Name"]
        for node in nodes
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"] in ("resource", "resource_history", "care_relation", "s_string")
        and node["Actual Loops"]
    ]


def indexes(nodes: Sequence[Node]) -> set[str]:
    return {str(node["Index Name"]) for node in nodes if "Index Name" in node}


def most_loops(nodes: Sequence[Node]) -> int:
    return max(
        int(node["Actual Loops"]) for node in nodes if node.get("Relation Name") == "care_relation"
    )


@pytest.fixture
async def opened(world: World) -> AsyncIterator[World]:
    yield world
    await world.belted.execute("ROLLBACK")


async def as_caller(world: World, caller: Caller) -> Caller:
    """Open a transaction under the belt of a caller with the facts of the database."""
    complete = await known(world, caller)
    system, members = parties([complete])
    await world.belted.execute(begin(members, system=system))
    return complete


@pytest.mark.parametrize("name", WIDE)
async def test_a_search_over_all_my_patients_reads_no_whole_table(opened: World, name: str) -> None:
    doctor = await as_caller(opened, opened.crowd.doctor)
    nodes = await explained(
        opened, doctor, await planned(opened, doctor, "Observation", WIDE[name])
    )
    assert whole_tables(nodes) == []
    assert {"resource_pat", "resource_code"} & indexes(nodes)


@pytest.mark.parametrize("name", WIDE)
async def test_relations_are_read_for_patients_and_never_for_rows(opened: World, name: str) -> None:
    doctor = await as_caller(opened, opened.crowd.doctor)
    asked = await planned(opened, doctor, "Observation", WIDE[name])
    rows = 40_000 * 4 // 5 * len(opened.crowd.mine) // len(opened.crowd.patients)
    # The rules once for each patient; the belt at most once for each row of these patients.
    assert most_loops(await explained(opened, doctor, asked)) <= rows


async def test_a_patient_s_own_list_starts_from_the_patient(opened: World) -> None:
    patient = await as_caller(opened, opened.crowd.patient)
    for pairs in (NEWEST, [("_summary", "count")]):
        nodes = await explained(
            opened, patient, await planned(opened, patient, "Observation", pairs)
        )
        assert whole_tables(nodes) == []
        assert "resource_pat" in indexes(nodes)


@pytest.mark.parametrize("who", ["doctor", "operator"])
async def test_a_token_is_found_by_its_index_under_the_belt(opened: World, who: str) -> None:
    caller = await as_caller(opened, opened.crowd.doctor if who == "doctor" else SYSTEM)
    asked = await planned(opened, caller, "Observation", [("encounter", "Encounter/none")])
    nodes = await explained(opened, caller, asked)
    assert whole_tables(nodes) == []
    assert indexes(nodes) & {"resource_toks", "resource_pat"}


async def test_names_are_read_for_my_patients_alone(opened: World) -> None:
    doctor = await as_caller(opened, opened.crowd.doctor)
    decision = decide(doctor, directory=False, policy=opened.policies.read)
    nodes = await explained(opened, doctor, find_statement(decision, "legof"))
    assert whole_tables(nodes) == []
    named = [node for node in nodes if node.get("Relation Name") == "s_string"]
    assert all(node["Actual Loops"] <= len(opened.crowd.mine) for node in named)


async def test_both_ways_to_print_the_rules_permit_the_same_rows(world: World) -> None:
    """Every relation, label, author and matter, for every purpose: wide and row by row."""
    bare, crowd = world.bare, world.crowd
    await bare.execute("BEGIN")
    await bare.execute(SPOIL.replace("$1", str(crowd.doctor.party)))
    await bare.execute(FACTS.replace("$1", str(crowd.doctor.party)))
    doctor = await known(world, crowd.doctor)
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
