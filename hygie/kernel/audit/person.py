"""Export one person's traces, each with the proof of its place in the log (``hygie_verify``).

The form stands in :mod:`hygie_verify.bundle`. The head is the last one that a witness cosigned, so
that the person need not trust this platform alone, or else the last one.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from hygie.kernel.audit import leaf
from hygie.kernel.audit.export import first_key, head_of, line
from hygie.kernel.audit.proofs import Proofs
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection

FORMAT = 1
CHUNK = 500

# A cosigned head may be some minutes older than the last one; an older one would hide too much.
_HEAD = """
WITH last AS (SELECT size, at FROM trace_head ORDER BY size DESC LIMIT 1),
  cosigned AS (SELECT h.size FROM trace_head h, last
    WHERE h.size = (SELECT max(size) FROM trace_cosignature)
      AND h.at > last.at - interval '10 minutes')
SELECT h.size, h.checkpoint, t.token, (SELECT origin FROM trace_tree) AS origin,
  (SELECT string_agg(c.line, '' ORDER BY c.witness) FROM trace_cosignature c WHERE c.size = h.size)
    AS cosignatures
FROM trace_head h LEFT JOIN trace_timestamp t ON t.size = h.size
WHERE h.size = coalesce((SELECT size FROM cosigned), (SELECT size FROM last))
"""
_HANDOVERS = "SELECT handover FROM trace_key WHERE size BETWEEN 1 AND $1 ORDER BY size"
_TRACES = f"""
SELECT {leaf.COLUMNS}, body_hash FROM (
  SELECT trace.*, trace_leaf.body_hash FROM trace JOIN trace_leaf USING (place, id, at)
  WHERE (pat = $1 OR pats @> ARRAY[$1::integer]) AND place >= $2 AND place < $3
  ORDER BY place LIMIT {CHUNK}) AS chosen
ORDER BY place
"""


async def export_person(connection: Connection, pat: int) -> AsyncIterator[bytes]:
    """Yield the lines of a person's traces under one signed head.

    ``pat`` is the number of the person in table ``party``. Works under the belt: the transaction
    names the person, a representative, or ``system``. The body of a trace that a named job left
    for many people names them, so it stays here and its place alone is proved.

    Raises:
        Unavailable: the log has no signed head yet.
    """
    head, key = await connection.fetchrow(_HEAD), await first_key(connection)
    if head is None or key is None:
        raise Unavailable("The access log has no signed head yet; retry in a few seconds.")
    size = head["size"]
    yield line({"hygie_proofs": FORMAT, "origin": head["origin"], "key": key})
    for row in await connection.fetch(_HANDOVERS, size):
        yield line({"handover": row["handover"]})
    yield line(head_of(head))
    proofs, events, place = Proofs(connection), 0, 0
    while rows := await connection.fetch(_TRACES, pat, place, size):
        paths = await proofs.inclusion([row["place"] for row in rows], size)
        for row, path in zip(rows, paths, strict=True):
            events, place = events + 1, row["place"] + 1
            yield line(_event(row, path))
    yield line({"end": {"events": events}})


def _event(row: leaf.Row, path: list[bytes]) -> dict[str, object]:
    told: dict[str, object] = {
        "place": row["place"],
        "header": leaf.header(row, row["body_hash"]).decode(),
    }
    if row["salt"] is not None and row["pats"] is None:
        told["salt"] = row["salt"].bytes.hex()
        told["body"] = leaf.body(row).decode()
    told["proof"] = [base64.b64encode(one).decode() for one in path]
    return told
