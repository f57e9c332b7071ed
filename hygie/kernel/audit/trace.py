"""Write traces: one row per request and patient whose data leaves, before the answer does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from asyncpg import Connection


class Trace(msgspec.Struct, frozen=True, gc=False):
    """What one request did to the data of one patient, or to data of no patient.

    Attributes:
        request: the ``X-Request-Id`` of the request.
        kind: ``Kind`` of the caller.
        party: number of the caller in table ``party``, 0 for nobody in the record.
        agent: reference of the caller, such as ``Practitioner/5f0c…`` or ``system``.
        purpose: code of ``http://terminology.hl7.org/CodeSystem/v3-ActReason``.
        interaction: code of ``http://hl7.org/fhir/restful-interaction``.
        outcome: HTTP status of the answer.
        rule: name of the access rule that allowed it, or of the refusal.
        pat: number of the patient in table ``party``; None for data of no patient.
        rt: number of the resource type; None for a request on no single type.
        uid: id of the resource, or the UUID derived from it; None for a search.
        ver: version read or written; None where there is none.
        peer: network address of the caller; None when the call came from inside.
        query: raw query string of a search; it may hold identifiers.
        detail: a sentence for the reader of the log; None for most.
    """

    request: UUID
    kind: int
    party: int
    agent: str
    purpose: str
    interaction: str
    outcome: int
    rule: str
    pat: int | None = None
    rt: int | None = None
    uid: UUID | None = None
    ver: int | None = None
    peer: str | None = None
    query: bytes | None = None
    detail: str | None = None


_COLUMNS = Trace.__struct_fields__
_TYPES = {
    "request": "uuid",
    "kind": "smallint",
    "party": "integer",
    "outcome": "smallint",
    "pat": "integer",
    "rt": "smallint",
    "uid": "uuid",
    "ver": "integer",
    "peer": "inet",
    "query": "bytea",
}
_ARRAYS = ", ".join(
    f"${place}::{_TYPES.get(column, 'text')}[]" for place, column in enumerate(_COLUMNS, 1)
)
_INSERT = f"INSERT INTO trace ({', '.join(_COLUMNS)}) SELECT * FROM unnest({_ARRAYS})"


async def write(connection: Connection, rows: Sequence[Trace]) -> None:
    """Append the rows in one statement, inside the caller's transaction.

    They are durable when that transaction commits; no answer may leave before.
    """
    if rows:
        arrays = zip(*map(msgspec.structs.astuple, rows), strict=True)
        await connection.execute(_INSERT, *arrays)


async def ensure_partitions(connection: Connection, *, today: date) -> None:
    """Make the partitions of this month and the next (UTC); at start, then daily.

    Needs the owner role or ``hygie_sequencer``.
    """
    following = today.replace(day=1) + timedelta(days=32)
    for day in (today, following):
        await connection.execute("SELECT ensure_trace_partition($1)", day)
