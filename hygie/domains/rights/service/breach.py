"""The breach report: what the access log says of an incident, in minutes (GDPR, article 33)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hygie.domains.rights.model.measures import Breach
from hygie.kernel.audit.trace import Flag
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection

MOST_SHOWN = 20
_WHERE = "t.at >= $1 AND t.at < $2 AND ($3 = '' OR t.agent = $3)"
# A job traces once for many patients, in `pats`.
_PEOPLE = f"""
SELECT count(DISTINCT one.pat) FROM trace t
CROSS JOIN LATERAL unnest(coalesce(t.pats, ARRAY[t.pat])) AS one (pat)
WHERE {_WHERE} AND t.outcome < 400
"""
_COUNTS = f"""
SELECT count(*) FILTER (WHERE t.outcome < 400) AS accesses,
  count(*) FILTER (WHERE t.outcome >= 400) AS refusals,
  count(DISTINCT t.peer) AS peers,
  count(*) FILTER (WHERE t.flags & {int(Flag.EMERGENCY)} > 0 AND t.outcome < 400) AS emergencies,
  count(*) FILTER (WHERE t.interaction = 'operation' AND t.outcome < 400) AS exports
FROM trace t WHERE {_WHERE}
"""


async def breach_report(
    repository: Repository, *, since: datetime, until: datetime, agent: str = ""
) -> Breach:
    """Return what happened between two instants, by everybody or by one agent; traced.

    Raises:
        InvalidRequest: the period ends before it begins.
    """
    if until <= since:
        raise InvalidRequest("The period ends before it begins: exchange --from and --to.")
    told = f"breach-report {since.isoformat()} {until.isoformat()} {agent}".strip()
    async with repository.reading(SYSTEM, Request("operation", query=told)) as reading:
        connection, values = reading.connection, (since, until, agent)
        counts = await connection.fetchrow(_COUNTS, *values)
        people = await connection.fetchval(_PEOPLE, *values)
        types = await _grouped(connection, "t.rt::text", values)
        agents = await _grouped(connection, "t.agent", values)
        rules = await _grouped(connection, "t.rule", values)
    if counts is None:
        raise InvalidRequest("The log says nothing of this period.")
    return Breach(
        since,
        until,
        counts["accesses"],
        counts["refusals"],
        people,
        tuple((type_name(int(rt)) if rt else "-", count) for rt, count in types),
        tuple((name or "-", count) for name, count in agents),
        tuple((name or "-", count) for name, count in rules),
        counts["peers"],
        counts["emergencies"],
        counts["exports"],
    )


async def _grouped(
    connection: Connection, column: str, values: Sequence[object]
) -> list[tuple[str | None, int]]:
    rows = await connection.fetch(
        f"SELECT {column} AS name, count(*) AS n FROM trace t WHERE {_WHERE} AND t.outcome < 400 "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_SHOWN}",
        *values,
    )
    return [(row["name"], row["n"]) for row in rows]
