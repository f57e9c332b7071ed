"""AuditEvent as a resource: read and searched, never stored or posted.

Reading the log leaves a trace like any reading: the store writes it with
:func:`hygie.kernel.audit.trace.write`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from hygie.kernel.audit.events import audit_event, event_id, place_of
from hygie.kernel.audit.leaf import Row
from hygie.kernel.audit.query import REFUSED, KeyOf, Where, is_unnamed
from hygie.kernel.clock import Clock
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Kind

if TYPE_CHECKING:
    from asyncpg import Connection

PARAMETERS = ("patient", "date", "agent", "altid", "entity", "action", "outcome")
USUAL_COUNT = 50
HIGHEST_COUNT = 500

# The page is chosen before the joins; the belt and the predicate stand before its LIMIT.
_SELECT = """
SELECT page.*, patient.rt AS patient_rt, patient.uid AS patient_uid, patient.rid AS patient_rid,
  structure.rt AS structure_rt, structure.uid AS structure_uid, structure.rid AS structure_rid,
  k.rid AS resource_rid, coalesce(label_now(page.rt, page.uid), page.label) AS label_of_resource
FROM (
  SELECT t.id, t.at, t.request, t.kind, t.interaction, t.outcome, t.rule, t.purpose, t.agent,
    host(t.peer) AS peer, t.query, t.pat, t.party, t.rt, t.uid, t.ver, t.label, t.flags,
    t.agent_role, t.agent_structure, t.pats, t.detail
  FROM trace t WHERE {where} ORDER BY t.at DESC, t.id DESC LIMIT {limit}
) AS page
LEFT JOIN party AS patient ON patient.num = coalesce(page.pat,
  CASE WHEN page.pats @> ARRAY[{viewer}::integer] THEN {viewer}::integer END)
LEFT JOIN party AS structure ON structure.num = page.agent_structure
LEFT JOIN resource_key AS k ON k.rt = page.rt AND k.uid = page.uid
  AND (page.outcome < 400 OR page.pat IS NOT NULL AND page.party IS DISTINCT FROM {viewer})
ORDER BY page.at DESC, page.id DESC
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One AuditEvent: its logical id, its JSON, and whose data it tells of (None: nobody's)."""

    id: str
    body: bytes
    pat: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Events, newest first; ``after`` asks for the next page, None on the last one."""

    events: tuple[Event, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class AuditEvents:
    """Serves the access log.

    Attributes:
        base: FHIR service base URL.
        key_of: how the store keys a logical id.
        zone: time zone of dates written without one.
        clock: for dates about now.
    """

    base: str
    key_of: KeyOf
    zone: tzinfo
    clock: Clock

    async def read(self, connection: Connection, caller: Caller, event_id: str) -> Event:
        """Return one AuditEvent.

        The transaction of ``connection`` names the caller to row-level security.

        Raises:
            NotFound: there is none that this caller may see.
            Forbidden: this kind of caller reads no access log.
        """
        at, number = place_of(event_id)
        where = self._where(caller, "r")
        where.add(f"t.at = {where.bind(at)} AND t.id = {where.bind(number)}")
        row = await connection.fetchrow(_statement(where, caller, limit=1), *where.values)
        if row is None:
            raise NotFound("There is no such AuditEvent.")
        return self._event(row, caller)

    async def search(
        self,
        connection: Connection,
        caller: Caller,
        parameters: Sequence[tuple[str, str]],
        *,
        after: str | None = None,
    ) -> Page:
        """Return a page of AuditEvents, newest first; later events never move a page.

        ``parameters`` are those of :data:`PARAMETERS` and ``_count``.

        Raises:
            NotSupported: an unknown parameter.
            InvalidRequest: a value cannot be read.
            Forbidden: this kind of caller reads no access log.
        """
        count = _count(parameters)
        where = self._where(caller, "s")
        where.search([(name, text) for name, text in parameters if name != "_count"])
        if after is not None:
            at, number = place_of(after)
            where.add(f"(t.at, t.id) < ({where.bind(at)}, {where.bind(number)})")
        rows = await connection.fetch(_statement(where, caller, limit=count + 1), *where.values)
        shown = tuple(self._event(row, caller) for row in rows[:count])
        return Page(shown, shown[-1].id if shown and len(rows) > count else None)

    def _where(self, caller: Caller, permission: str) -> Where:
        where = Where(base=self.base, key_of=self.key_of, zone=self.zone, clock=self.clock)
        if caller.limit is not None:
            caller.limit.check_own(permission, "AuditEvent", caller.party)
            if caller.limit.launches(permission, "AuditEvent"):
                where.only(caller.party)
        where.permit(caller)
        return where

    def _event(self, row: Row, caller: Caller) -> Event:
        if caller.kind == Kind.PROFESSIONAL and row["outcome"] >= REFUSED:
            row = _nobodys(row)
        in_full = caller.kind == Kind.SYSTEM or row["party"] == caller.party
        shown = row if in_full or not is_unnamed(row["label_of_resource"]) else _unnamed(row)
        body = audit_event(shown, base=self.base, in_full=in_full)
        named = row["pats"] is not None and caller.kind == Kind.PATIENT
        pat = caller.party if named else row["pat"]
        return Event(event_id(row["at"], row["id"]), body, pat)


def _statement(where: Where, caller: Caller, *, limit: int) -> str:
    return _SELECT.format(where=where, limit=limit, viewer=int(caller.party))


def _unnamed(row: Row) -> Row:
    """Return the row without its resource: the person sees the access, not what was not told."""
    return {**row, "rt": None, "uid": None, "ver": None, "resource_rid": None}  # type: ignore[dict-item]


def _nobodys(row: Row) -> Row:
    """Return the row without whose it was: who was refused does not learn that it is there."""
    return {**row, "pat": None, "pats": None, "patient_uid": None}  # type: ignore[dict-item]


def _count(parameters: Sequence[tuple[str, str]]) -> int:
    asked = [text for name, text in parameters if name == "_count"]
    if not asked:
        return USUAL_COUNT
    if len(asked) > 1 or not asked[0].isascii() or not asked[0].isdigit():
        raise InvalidRequest("_count is one whole number.")
    return min(int(asked[0][:9]), HIGHEST_COUNT)
