"""Write traces: one row per request and patient whose data leaves, before the answer does."""

from __future__ import annotations

import contextlib
import enum
import math
import time
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import msgspec

from hygie.kernel.audit import emergency
from hygie.kernel.audit.limits import LIMITS
from hygie.kernel.database.connection import LOST
from hygie.kernel.errors import Unavailable

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
        label: bits of the confidentiality labels that *all* the touched resources have: a trace
            of a secret and of an ordinary resource is ordinary.
        flags: bits of :class:`Flag`.
        agent_role: role of the caller that counted, as in the access matrix.
        agent_structure: number of the structure for which the caller acted.
        pats: numbers of the patients, where a named job traces once for many; ``pat`` is None.
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
    label: int = 0
    flags: int = 0
    agent_role: str | None = None
    agent_structure: int | None = None
    pats: Sequence[int] | None = None


APPLICATION = "application "
"""How the detail of a trace begins that an application left in the name of its user."""


def of_application(client: str) -> str:
    """Return the detail of what an application did.

    >>> of_application("notebook")
    'application notebook'
    """
    return f"{APPLICATION}{client}"


class Flag(enum.IntFlag):
    """What is particular about a trace; bits of the column ``flags``."""

    EMERGENCY = 1
    SPOOLED = 2
    """Written to a local spool while the log could not be written, and merged later."""


_COLUMNS = Trace.__struct_fields__
_BITS = (_COLUMNS.index("label"), _COLUMNS.index("flags"))
_SETS = _COLUMNS.index("pats")
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
    "label": "smallint",
    "flags": "smallint",
    "agent_structure": "integer",
}


def insert_with(**added: str) -> str:
    """Return the statement that inserts traces, with more columns (name and type) after them.

    PostgreSQL has no array of arrays of unlike lengths: a set of patients travels as a text.
    """
    types = {name: _TYPES.get(name, "text") for name in _COLUMNS} | added
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types.values(), 1))
    names = ", ".join(types)
    chosen = names.replace("pats", "pats::integer[]")
    return f"INSERT INTO trace ({names}) SELECT {chosen} FROM unnest({arrays}) AS given ({names})"


_INSERT = insert_with()
NOT_WRITABLE = (
    "The access log cannot be written, so nothing is shown or stored; retry, and tell the operator "
    "of this platform."
)

NOT_FOLLOWED = (
    "The access log is not signed any more, so nothing is shown or stored until it is: the "
    "operator of this platform restores its key and runs `hygie jobs`."
)
ASK_EVERY = 10.0
"""Seconds between two questions of a process whether the log is still signed."""


async def write(connection: Connection, rows: Sequence[Trace]) -> None:
    """Append the rows in one statement, inside the caller's transaction.

    They are durable when that transaction commits; no answer may leave before. In emergency mode
    (:mod:`hygie.kernel.audit.emergency`), rows that the log does not take are in a signed local
    spool, durable when this returns.

    Raises:
        Unavailable: the log does not take them; nothing may be answered.
    """
    if not rows:
        return
    spool = emergency.spool()
    try:
        if spool is None:
            await _check_is_followed(connection)
            await append(connection, rows)
        else:
            async with _apart(connection):
                await append(connection, rows)
    except asyncpg.PostgresError as error:
        if isinstance(error, LOST):
            raise
        if spool is None:
            raise Unavailable(NOT_WRITABLE) from error
        spool.write([emergency.encoded(row) for row in rows])


async def _check_is_followed(connection: Connection) -> None:
    """Refuse once traces have waited for too long for a signed head (F26).

    Each process asks from time to time only, since it costs a round trip.

    Raises:
        Unavailable: nothing signs the log.
    """
    now = time.monotonic()
    if now - _Asked.at < ASK_EVERY:
        return
    waiting = await connection.fetchval("SELECT clock_timestamp() - pending_since()")
    if waiting is not None and waiting > LIMITS.refusal:
        raise Unavailable(NOT_FOLLOWED)
    _Asked.at = now


class _Asked:
    at = -math.inf


async def append(connection: Connection, rows: Sequence[Trace]) -> None:
    """Append the rows to the log itself."""
    await connection.execute(_INSERT, *columns(rows))


def columns(rows: Sequence[Trace]) -> list[Sequence[Any]]:
    """Return the rows as one array per column."""
    arrays: list[Sequence[Any]] = list(zip(*map(msgspec.structs.astuple, rows), strict=True))
    # asyncpg takes a flag, which can be iterated over, for an array.
    for place in _BITS:
        arrays[place] = [int(bits) for bits in arrays[place]]
    arrays[_SETS] = [
        None if one is None else f"{{{','.join(map(str, one))}}}" for one in arrays[_SETS]
    ]
    return arrays


@contextlib.asynccontextmanager
async def _apart(connection: Connection) -> AsyncIterator[None]:
    """Keep the caller's transaction usable when the block fails; wait for no lock for long."""
    alone = not connection.is_in_transaction()
    await connection.execute(("BEGIN; " if alone else "") + _SAVEPOINT)
    try:
        yield
    except asyncpg.PostgresError:
        if not connection.is_closed():
            await connection.execute("ROLLBACK" if alone else "ROLLBACK TO SAVEPOINT trace")
        raise
    await connection.execute("COMMIT" if alone else "RELEASE SAVEPOINT trace")


_SAVEPOINT = "SAVEPOINT trace; SET LOCAL lock_timeout = '1s'"


async def ensure_partitions(connection: Connection, *, today: date) -> None:
    """Make the partitions of this month and the next (UTC); at start, then daily.

    Needs the owner role or ``hygie_sequencer``.
    """
    following = today.replace(day=1) + timedelta(days=32)
    for day in (today, following):
        await connection.execute("SELECT ensure_trace_partition($1)", day)
