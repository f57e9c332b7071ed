"""Whose records a search has to look at: read first, so that PostgreSQL knows how many they are.

Nothing is decided here. The statement of the search carries the decision, which reads the relations
again: what ended in between is refused by it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from asyncpg import Record

from hygie.kernel.security.decision import Decision
from hygie.kernel.store.columns import columns_of
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.search.cursor import Cursor
from hygie.kernel.store.search.plan import Plan
from hygie.kernel.store.search.query import Query
from hygie.kernel.store.search.sort import in_utc
from hygie.kernel.store.search.sql import Known

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

PLANNED_ONCE = "SET LOCAL plan_cache_mode = force_generic_plan"
"""Rules are long to plan, longer than such a search takes: it is planned once a connection."""
PLANNED_EACH_TIME = "SET LOCAL plan_cache_mode = auto"
FEW = 20
"""Patients up to whom rules look up the relations row by row."""
MOST = 20_000
"""Patients up to whom they are listed: beyond, other conditions find the rows."""
# A plan made for any list of patients would take ten of them for granted.
_MINE = f"""
SELECT m.patients, CASE WHEN cardinality(m.patients) > {FEW}
                        THEN set_config('plan_cache_mode', 'force_custom_plan', TRUE) END
FROM (SELECT ARRAY (
  SELECT unnest($1::integer[])
  UNION
  SELECT c.pat FROM care_relation c
  WHERE c.member = ANY ($1::integer[]) AND now() >= c.starts AND now() < c.ends
  LIMIT {MOST + 1}) AS patients) m
"""


async def plan_of(connection: Connection, decision: Decision, query: Query, known: Known) -> Plan:
    """Return the plan of a search; one of no particular patient starts from those of the caller."""
    if names_one(query) or query.rt in directory_types() or not decision.is_driven:
        return Plan(decision, query, known)
    caller = decision.caller
    mine = await connection.fetchval(_MINE, [*caller.own, *sorted(caller.principals)])
    if len(mine) > MOST:
        return Plan(decision, query, known)
    return Plan(replace(decision, wide=len(mine) > FEW), query, known, mine)


async def rows_of(
    connection: Connection, plan: Plan, *, limit: int, cursor: Cursor | None
) -> list[Record]:
    """Return the rows of a page, found up to its edge where there is one (``edge``)."""
    asked = plan.edge(limit=limit, cursor=cursor)
    edge = await connection.fetchval(asked[0], *asked[1]) if asked else None
    if edge is not None:
        text, values = plan.page(limit=limit, cursor=cursor, edge=in_utc(edge))
        rows = list(await connection.fetch(text, *values))
        if len(rows) == limit:
            return rows
    text, values = plan.page(limit=limit, cursor=cursor)
    return list(await connection.fetch(text, *values))


def names_one(query: Query) -> bool:
    """Tell whether a search names its patients, or resources by their id.

    Those drive it, whoever they are: one plan is good for all.
    """
    named = {"_id", *columns_of(query.rt).patient}
    return any(one.modifier is None and one.parameter.code in named for one in query.clauses)
