"""Searches of the product over many rows, and what PostgreSQL says it did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from hygie.kernel.clock import SystemClock
from hygie.kernel.database.connection import begin
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.decision import decide
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.security.policies import Policies
from hygie.kernel.store.search.driver import plan_of
from hygie.kernel.store.search.plan import Plan, Statement
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.search.sql import Known
from hygie.kernel.store.site import Site
from hygie.testing.crowd import Crowd

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

Node = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A store of many rows, and connections under the belt and without."""

    crowd: Crowd
    policies: Policies
    belted: Connection
    bare: Connection

    async def known(self, caller: Caller) -> Caller:
        """Return the caller with the facts of the database."""
        return await Gate(self.policies, date.today).caller(self.bare, caller)

    async def enter(self, caller: Caller) -> Caller:
        """Open a transaction under the belt of a caller with the facts of the database."""
        complete = await self.known(caller)
        system, members = parties([complete])
        await self.belted.execute(begin(members, system=system))
        return complete

    async def plan(self, caller: Caller, rt: str, pairs: Sequence[tuple[str, str]]) -> Plan:
        """Return the plan of a search of a complete caller, in the open transaction."""
        decision = decide(caller, directory=False, policy=self.policies.read)
        site = Known(SystemClock().now(), Site("http://localhost/fhir"))
        return await plan_of(self.belted, decision, read_query(rt, pairs), site)

    async def explained(self, asked: Statement) -> list[Node]:
        """Return every node of the plan that was carried out."""
        text, values = asked
        rows = await self.belted.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values)
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
    """Return the indexes that were planned for."""
    return {str(node["Index Name"]) for node in nodes if "Index Name" in node}


def looked_at(nodes: Sequence[Node]) -> int:
    """Return how many rows of ``resource`` were found, whether or not they were kept.

    Those that a lossy bitmap brought along are not: they cost one comparison, and no rule.
    """
    counts = ("Actual Rows", "Rows Removed by Filter")
    found = 0.0
    for node in nodes:
        if node.get("Relation Name") == "resource":
            found += node["Actual Loops"] * sum(float(node.get(count, 0)) for count in counts)
    return round(found)
