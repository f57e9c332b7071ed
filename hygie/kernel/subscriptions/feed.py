"""The one change feed that subscriptions, the warehouse and ``_since`` read.

Every version carries the transaction that wrote it and a sequence number. The feed is ordered by
both and read below the oldest transaction still running: a bare sequence would lose the versions
of a transaction that commits after a younger one was read.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_name
from hygie.kernel.store.ids import id_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_READ = """
WITH edge AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xid)
SELECT * FROM (
  (SELECT v.xid, v.seq, v.rt, v.uid, v.rid, v.ver, FALSE AS deletion, FALSE AS purged
   FROM resource v, edge
   WHERE (v.xid, v.seq) > ($1::text::xid8, $2::bigint) AND v.xid < edge.xid
   ORDER BY v.xid, v.seq LIMIT $3)
  UNION ALL
  (SELECT v.xid, v.seq, v.rt, v.uid, v.rid, v.ver, v.deletion, FALSE
   FROM resource_history v, edge
   WHERE (v.xid, v.seq) > ($1::text::xid8, $2::bigint) AND v.xid < edge.xid
   ORDER BY v.xid, v.seq LIMIT $3)
  UNION ALL
  (SELECT v.xid, v.seq, v.rt, v.uid, v.rid, 0, TRUE, TRUE
   FROM resource_purged v, edge
   WHERE (v.xid, v.seq) > ($1::text::xid8, $2::bigint) AND v.xid < edge.xid
   ORDER BY v.xid, v.seq LIMIT $3)
) f ORDER BY f.xid, f.seq LIMIT $3
"""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a reader stands: after this transaction and sequence number."""

    transaction: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One version that was written, one deletion, or one purge.

    A purge takes every version away for ever: whoever follows the feed removes all that it keeps
    of the resource, copies and what it derived from them. It is a deletion too, for followers that
    know no better; its version is 0, and it tells nothing of the content nor of whose it was.
    """

    position: Position
    rt: str
    rid: str
    version: int
    deletion: bool
    purged: bool = False


async def read_feed(connection: Connection, after: Position, *, limit: int = 1000) -> list[Change]:
    """Return the changes after a position, oldest first, those of committed transactions only.

    The connection is in a transaction of a ``system`` caller: the feed tells of everybody.
    An update moves the former version to history, where it keeps its position.
    """
    rows = await connection.fetch(_READ, str(after.transaction), after.sequence, limit)
    return [
        Change(
            Position(int(row["xid"]), row["seq"]),
            type_name(row["rt"]),
            id_of(uuid.UUID(str(row["uid"])), row["rid"]),
            row["ver"],
            row["deletion"],
            row["purged"],
        )
        for row in rows
    ]
