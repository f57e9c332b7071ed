"""Erase what can name a person from traces, once the law no longer wants them: proofs stay valid.

Only what has its place in the tree is erased, and only by role ``hygie_sequencer``; the act leaves
a trace of its own, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from hygie.kernel.audit.trace import Trace, append

if TYPE_CHECKING:
    from asyncpg import Connection

_ERASE = "SELECT erase_trace_bodies($1::timestamptz[], $2::bigint[])"
_OF_PERSON = """
SELECT at, id FROM trace
WHERE (pat = $1 OR (party = $1 AND $1 > 0)) AND at < $2 AND place IS NOT NULL AND salt IS NOT NULL
ORDER BY at, id LIMIT $3
"""
CHUNK = 5_000


async def erase(
    connection: Connection, events: Sequence[tuple[datetime, int]], *, by: Trace
) -> int:
    """Erase the bodies of traces, named by instant and row id; return how many were erased.

    ``by`` is the trace of the act. What was erased already, or waits for its place, is left.
    """
    async with connection.transaction():
        instants, ids = [at for at, _ in events], [number for _, number in events]
        erased: int = await connection.fetchval(_ERASE, instants, ids)
        await append(connection, [by])
    return erased


async def erase_person(connection: Connection, party: int, *, before: datetime, by: Trace) -> int:
    """Erase the traces about a person, and of their own acts, from before an instant.

    Traces that a named job left for many people stay until their own time: they name the others.
    """
    total = 0
    while rows := await connection.fetch(_OF_PERSON, party, before, CHUNK):
        total += await erase(connection, [(row["at"], row["id"]) for row in rows], by=by)
    return total
