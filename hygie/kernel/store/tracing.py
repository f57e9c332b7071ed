"""From a request and its outcome to the traces it leaves."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hygie.kernel.audit.trace import Flag, Trace, of_application, write
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.ids import key_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

EMERGENCY_TREATMENT = "ETREAT"
EMERGENCIES = frozenset({"emergency", "centre-15"})
"""Rules that permit in an emergency, whatever purpose is stated."""
_PERSON = "SELECT num FROM party WHERE rt = $1::smallint AND uid = $2::uuid"
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

    ``rule`` permitted it; ``NO_RULE`` where nothing did. ``label`` are its confidentiality labels.
    ``pats`` are all those that one number was about; ``pat`` is None then.
    """

    rt: int | None
    uid: uuid.UUID | None
    ver: int | None
    pat: int | None
    rule: str
    label: int = 0
    pats: tuple[int, ...] = ()


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
        label=touched.label,
        flags=Flag.EMERGENCY if _is_emergency(caller, touched) else 0,
        agent_role=min(caller.roles, default=None),
        agent_structure=_only(caller.structures),
        detail=of_application(caller.limit.client) if caller.limit else None,
        pats=touched.pats or None,
    )


def _is_emergency(caller: Caller, touched: Touched) -> bool:
    return caller.purpose == EMERGENCY_TREATMENT or touched.rule in EMERGENCIES


def _only(structures: frozenset[int]) -> int | None:
    """Return the structure one acts for; None where there are several, since nobody can tell."""
    return next(iter(structures)) if len(structures) == 1 else None


def trace_refusal(
    request: Request,
    caller: Caller,
    *,
    status: int,
    rt: int | None = None,
    uid: uuid.UUID | None = None,
    pat: int | None = None,
) -> Trace:
    """Return the trace of a refused request; it names what was asked.

    It names whose it is (``pat``) only where the request itself named the person; elsewhere the
    database does, which tells the person and not the caller (migration 0016).
    """
    return trace_one(request, caller, Touched(rt, uid, None, pat, NO_RULE), status=status)


@contextlib.asynccontextmanager
async def traced_refusals(
    connection: Connection,
    request: Request,
    caller: Caller,
    *,
    rt: int | None = None,
    uid: uuid.UUID | None = None,
    asked: Callable[[], str | None] = lambda: None,
) -> AsyncIterator[None]:
    """Undo the open transaction and trace durably what the block refuses.

    ``uid`` is the one resource that was asked for. ``asked`` returns the id of the Patient that
    the request named, None where it named none.
    """
    try:
        yield
    except HygieError as refusal:
        await connection.execute("ROLLBACK")
        rid, pat = asked(), None
        if rid is not None:
            # The same question whether the person is known here or not.
            pat = await connection.fetchval(_PERSON, type_number("Patient"), key_of(rid)[0])
        trace = trace_refusal(request, caller, status=refusal.status, rt=rt, uid=uid, pat=pat)
        await write(connection, [trace])
        raise


def trace_many(
    request: Request, caller: Caller, touched: Iterable[Touched], *, rt: int | None
) -> list[Trace]:
    """Return one trace per patient whose data leaves, and one for data of no patient.

    An answer without data leaves one trace too: the question was asked. A number over many people
    is one trace that names them all.
    """
    shares: dict[int | None, Touched] = {}
    sets: list[Touched] = []
    for one in touched:
        if one.pats:
            sets.append(replace(one, rt=rt))
            continue
        before = shares.get(one.pat)
        rule, label = (before.rule, before.label) if before else (one.rule, one.label)
        shares[one.pat] = Touched(rt, None, None, one.pat, rule, label & one.label)
    return [
        trace_one(request, caller, one, status=200)
        for one in [*shares.values(), *sets] or [Touched(rt, None, None, None, NO_RULE)]
    ]


def trace_reading(request: Request, caller: Caller, patients: Iterable[int | None]) -> list[Trace]:
    """Return the traces of reading the access log: one per patient it told about."""
    rt = type_number("AuditEvent")
    return [
        trace_one(request, caller, Touched(rt, None, None, pat, "access-log"), status=200)
        for pat in dict.fromkeys(patients) or {None: None}
    ]
