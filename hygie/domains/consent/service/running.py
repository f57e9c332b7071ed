"""The emergency accesses a professional has open now, for the banner of every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import id_of

_SHUTS = (Relation.CLOSED, Relation.OPPOSED, Relation.RESTRICTED, Relation.BLOCKED)
# What the person shut meanwhile opens nothing, so that there is nothing to open or to end: it
# comes back with the record, until its hour.
_RUNNING = f"""
SELECT c.kind, c.ends, p.uid, p.rid, k.uid AS task_uid, k.rid AS task_rid
FROM care_relation c
JOIN party p ON p.num = c.pat
JOIN resource_key k ON k.key = c.source AND k.rt = {type_number("Task")}
WHERE c.member = $1 AND c.kind IN ({int(Relation.EMERGENCY)}, {int(Relation.CENTRE_15)})
  AND now() >= c.starts AND now() < c.ends AND NOT k.deleted
  AND NOT EXISTS (
    SELECT FROM care_relation f WHERE f.pat = c.pat AND f.member IN (0, $1)
    AND (f.kind IN ({",".join(str(int(one)) for one in _SHUTS)})
      OR f.kind = CASE c.kind WHEN {int(Relation.EMERGENCY)} THEN {int(Relation.REFUSES_EMERGENCY)}
        ELSE {int(Relation.REFUSES_CENTRE_15)} END)
    AND now() >= f.starts AND now() < f.ends)
ORDER BY c.ends
"""


@dataclass(frozen=True, slots=True)
class Running:
    """One emergency access. ``key`` is the id of its Task, ``patient`` the id of the Patient."""

    key: str
    patient: str
    ends: datetime
    centre_15: bool


async def running(repository: Repository, caller: Caller) -> list[Running]:
    """Return the emergency accesses of a professional that open a record, the first to end first.

    It reads what the caller declared, no health data, and leaves no trace: it is asked on every
    page, and the declaration itself is traced.
    """
    async with repository.database.connection() as connection:
        rows = await connection.fetch(_RUNNING, caller.party)
    return [
        Running(
            id_of(row["task_uid"], row["task_rid"]),
            id_of(row["uid"], row["rid"]),
            row["ends"],
            centre_15=row["kind"] == Relation.CENTRE_15,
        )
        for row in rows
    ]
