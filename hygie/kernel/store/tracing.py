"""From a request and its outcome to the traces it leaves."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

NO_RULE = "none"
"""``rule`` of a trace of which no access rule permitted anything."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is traced of a request besides its caller.

    Attributes:
        id: the ``X-Request-Id``.
        interaction: code of ``http://hl7.org/fhir/restful-interaction``.
        query: the search parameters as received.
        peer: network address, None for calls inside the process.
    """

    interaction: str
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    query: str | None = None
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """What left or changed, as its trace names it: a resource, or a patient's data of a type.

    ``rule`` permitted it; ``NO_RULE`` where nothing did.
    """

    rt: int | None
    uid: uuid.UUID | None
    ver: int | None
    pat: int | None
    rule: str


def trace_one(request: Request, caller: Caller, touched: Touched, *, status: int) -> Trace:
    """Return the trace of one resource read or written, or of one patient's share of an answer."""
    return Trace(
        request=request.id,
        kind=int(caller.kind),
        party=caller.party,
        agent=caller.reference,
        purpose=caller.purpose,
        interaction=request.interaction,
        outcome=status,
        rule=touched.rule,
        pat=touched.pat,
        rt=touched.rt,
        uid=touched.uid,
        ver=touched.ver,
        peer=request.peer,
        query=request.query.encode() if request.query else None,
    )


def trace_refusal(
    request: Request,
    caller: Caller,
    *,
    status: int,
    rt: int | None = None,
    uid: uuid.UUID | None = None,
) -> Trace:
    """Return the trace of a refused request; it names what was asked, never whose it is."""
    return trace_one(request, caller, Touched(rt, uid, None, None, NO_RULE), status=status)


@contextlib.asynccontextmanager
async def traced_refusals(
    connection: Connection, request: Request, caller: Caller, *, rt: int | None = None
) -> AsyncIterator[None]:
    """Undo the open transaction and trace durably what the block refuses."""
    try:
        yield
    except HygieError as refusal:
        await connection.execute("ROLLBACK")
        await write(connection, [trace_refusal(request, caller, status=refusal.status, rt=rt)])
        raise


def trace_many(
    request: Request, caller: Caller, touched: Iterable[Touched], *, rt: int | None
) -> list[Trace]:
    """Return one trace per patient whose data leaves, and one for data of no patient.

    An answer without data leaves one trace too: the question was asked.
    """
    rules: dict[int | None, str] = {}
    for one in touched:
        rules.setdefault(one.pat, one.rule)
    return _one_each(request, caller, rules or {None: NO_RULE}, rt=rt)


def trace_reading(request: Request, caller: Caller, patients: Iterable[int | None]) -> list[Trace]:
    """Return the traces of reading the access log: one per patient it told about."""
    rules = dict.fromkeys(patients, "access-log") or {None: "access-log"}
    return _one_each(request, caller, rules, rt=type_number("AuditEvent"))


def _one_each(
    request: Request, caller: Caller, rules: Mapping[int | None, str], *, rt: int | None
) -> list[Trace]:
    return [
        trace_one(request, caller, Touched(rt, None, None, pat, rule), status=200)
        for pat, rule in rules.items()
    ]
