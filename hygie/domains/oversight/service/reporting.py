"""What a patient says of an access, what a professional answers, which records are protected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hygie.domains.oversight.model.queue import Item, check_words
from hygie.domains.oversight.model.states import Origin, State
from hygie.domains.oversight.model.tables import weights
from hygie.domains.oversight.policy import check_can_report, check_can_review
from hygie.domains.oversight.service.rows import initials, item_of
from hygie.kernel.audit.events import place_of
from hygie.kernel.errors import Conflict, Forbidden, NotFound
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_ACCESS = """
SELECT id, at, party, pat, kind, agent, rt, rule FROM trace
WHERE at = $1 AND id = $2 AND pat IS NOT NULL AND outcome < 400
"""
_REPORT = """
INSERT INTO oversight_item (kind, day, due, trace_at, trace, party, agent, pat, initials, looks,
  types, rule, score, reasons, words)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, 0, '{}', $12)
ON CONFLICT (kind, trace_at, trace) DO NOTHING RETURNING id
"""
_ASKED = f"""
SELECT * FROM oversight_item WHERE party = $1 AND state = {int(State.ASKED)}
  AND answer IS NULL ORDER BY due, id
"""
_ANSWER = f"""
UPDATE oversight_item SET answer = $3, answered = $4, state = {int(State.IN_REVIEW)}
WHERE id = $1 AND party = $2 AND state = {int(State.ASKED)} RETURNING pat
"""


@dataclass(frozen=True, slots=True)
class Access:
    """One access as the person it concerns sees it, before and after reporting it.

    ``state`` is that of its review, or the decision; None where it was not reported. ``note`` is
    the reason of the decision.
    """

    event: str
    at: datetime
    agent: str
    type: str
    state: State | None
    note: str


async def read_access(repository: Repository, caller: Caller, event: str) -> Access:
    """Return one access to the caller's record, or to that of somebody they represent.

    Raises:
        NotFound: there is none that the caller may see.
        Forbidden: the access is the caller's own.
    """
    async with repository.reading(caller, Request("read")) as reading:
        row = await _access(reading.connection, reading.caller, event)
        known = await reading.connection.fetchrow(
            "SELECT coalesce(decision, state) AS state, coalesce(note, '') AS note "
            "FROM oversight_item WHERE kind = $1 AND trace_at = $2 AND trace = $3",
            *(int(Origin.REPORTED), row["at"], row["id"]),
        )
        reading.seen([row["pat"]])
    kind = type_name(row["rt"]) if row["rt"] is not None else ""
    state = State(known["state"]) if known else None
    note = known["note"] if known else ""
    return Access(event, row["at"], row["agent"] or "", kind, state, note)


async def report_access(
    repository: Repository, caller: Caller, event: str, *, words: str, at: datetime
) -> None:
    """Report an access as abnormal: it comes first in the queue of the reviewers.

    ``event`` is the id of its AuditEvent; ``words`` say why, in the person's own words.

    Raises:
        NotFound: there is no such access that the caller may see.
        Conflict: it was reported already.
    """
    said = check_words(words)
    zone = ZoneInfo(str(repository.site.zone))
    due = at.astimezone(zone).date()
    due += timedelta(days=weights(due).whole("report_days"))
    async with repository.reading(caller, Request("create")) as reading:
        row = await _access(reading.connection, reading.caller, event)
        names = await initials(reading.connection, [row["pat"]])
        types = [type_name(row["rt"])] if row["rt"] is not None else []
        made = await reading.connection.fetchval(
            _REPORT,
            *(int(Origin.REPORTED), row["at"].astimezone(zone).date(), due, row["at"], row["id"]),
            *(row["party"] or None if row["kind"] == Kind.PROFESSIONAL else None, row["agent"]),
            *(row["pat"], names.get(row["pat"], ""), types, row["rule"], said),
        )
        if made is None:
            raise Conflict("This access was reported already; its review is under way.")
        reading.seen([row["pat"]])


async def _access(connection: Connection, caller: Caller, event: str) -> Record:
    """Return the trace, which the belt shows to the person and to who represents them."""
    check_can_report(caller)
    at, number = place_of(event)
    row = await connection.fetchrow(_ACCESS, at, number)
    if row is None:
        raise NotFound("There is no such access.")
    if row["party"] == caller.party:
        raise Forbidden("This access is your own.")
    return row


async def questions(repository: Repository, caller: Caller) -> tuple[Item, ...]:
    """Return the accesses that a professional is asked to explain."""
    async with repository.reading(caller, Request("search-type")) as reading:
        rows = await reading.connection.fetch(_ASKED, _professional(reading.caller))
        reading.seen(row["pat"] for row in rows)
    return tuple(item_of(row) for row in rows)


async def answer(
    repository: Repository, caller: Caller, number: int, *, words: str, at: datetime
) -> None:
    """Answer the question about one's own access.

    Raises:
        NotFound: no question of this number is put to the caller.
    """
    said = check_words(words)
    async with repository.reading(caller, Request("update")) as reading:
        pat = await reading.connection.fetchval(
            _ANSWER, number, _professional(reading.caller), said, at
        )
        if pat is None:
            raise NotFound("This question is not put to you, or was answered.")
        reading.seen([pat])


def _professional(caller: Caller) -> int:
    if caller.kind != Kind.PROFESSIONAL:
        raise Forbidden("Only the professional who opened the record is asked.")
    return caller.party


async def protect(repository: Repository, caller: Caller, number: int, *, reason: str) -> None:
    """Protect the record of an item's patient: any unexplained access to it weighs more.

    Raises:
        Forbidden: the account has not the right *review*.
        NotFound: there is no such item.
    """
    said = check_words(reason)
    async with repository.reading(caller, Request("create")) as reading:
        check_can_review(reading.caller)
        pat = await reading.connection.fetchval(
            "SELECT pat FROM oversight_item WHERE id = $1", number
        )
        if pat is None:
            raise NotFound("There is no such review.")
        await reading.connection.execute(
            "INSERT INTO oversight_protected (pat, by, reason) VALUES ($1, $2, $3) "
            "ON CONFLICT (pat) DO UPDATE SET reason = excluded.reason, by = excluded.by",
            *(pat, caller.reference, said[:500]),
        )
        reading.seen([pat])
