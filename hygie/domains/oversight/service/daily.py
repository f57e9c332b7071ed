"""What the job does each day: score it, list the most unusual, gather declared emergencies."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hygie.domains.oversight.model.states import Origin
from hygie.domains.oversight.model.tables import Weights, weights
from hygie.domains.oversight.service import gathering, scoring
from hygie.domains.oversight.service.rows import initials
from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.security.caller import Caller, Kind, job
from hygie.kernel.security.matters import EMERGENCY_DECLARATION
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection, Record

log = logging.getLogger(__name__)
NAME = "oversight"
MOST_DAYS = 7
"""Days that are made up for after a stop; what is older is left."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('hygie.oversight'))"
_REVIEWERS = """
SELECT greatest(1, count(DISTINCT reviewer)) FROM oversight_item
WHERE taken > $1::timestamptz - interval '30 days'
"""
_TOLD = """
SELECT t.agent, t.rule, array_agg(DISTINCT o.rt) FILTER (WHERE o.rt IS NOT NULL) AS types
FROM trace t LEFT JOIN trace o ON o.pat = t.pat AND o.party = t.party
  AND o.at >= t.at AND o.at < t.at + interval '1 day' AND o.outcome < 400
WHERE t.at = $1 AND t.id = $2 GROUP BY t.agent, t.rule
"""
_LIST = """
INSERT INTO oversight_item (kind, day, due, trace_at, trace, party, agent, pat, initials, looks,
  types, rule, score, reasons)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (kind, trace_at, trace) DO NOTHING
"""
# The declaration of an emergency is a Task of its own matter; what it opened is in the log, and
# so is when it was written, whatever it says itself.
_DECLARED = """
INSERT INTO oversight_item (kind, day, due, trace_at, trace, party, agent, pat, initials, looks,
  types, rule, score, reasons, declared)
SELECT {kind}::smallint, (t.at AT TIME ZONE {zone})::date, {due}::date, t.at, t.id, r.author,
  coalesce(t.agent, ''), r.pat, '', (
    SELECT count(*) FROM trace o WHERE o.pat = r.pat AND o.party = r.author
      AND o.rule IN ('emergency', 'centre-15') AND o.at >= t.at AND o.at < t.at + interval '1 day'),
  '{{}}', 'emergency-declaration', 0, '{{}}', 'Task/' || coalesce(r.rid, r.uid::text)
FROM resource r CROSS JOIN LATERAL (
  SELECT t.at, t.id, t.agent FROM trace t
  WHERE t.pat = r.pat AND t.rt = r.rt AND t.uid = r.uid AND t.outcome < 400
    AND t.interaction IN ('create', 'update')
  ORDER BY t.rule = 'emergency-declaration' DESC, t.at, t.id LIMIT 1) t
WHERE r.rt = {task}::smallint AND r.matter = {matter}::smallint AND r.upd >= {since}
  AND r.pat IS NOT NULL AND NOT EXISTS (
    SELECT FROM oversight_item i
    WHERE i.kind = {kind}::smallint AND i.declared = 'Task/' || coalesce(r.rid, r.uid::text))
ON CONFLICT (kind, trace_at, trace) DO NOTHING
RETURNING id, pat
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """What one day gave."""

    day: date
    pairs: int
    listed: int


async def run(repository: Repository, *, at: datetime) -> list[Scored]:
    """Score the local days that are complete and not scored yet, and gather emergencies."""
    zone = ZoneInfo(str(repository.site.zone))
    done = [await score_day(repository, day, at=at) for day in await _missing(repository, at, zone)]
    await gather_emergencies(repository, at=at)
    return done


async def score_day(repository: Repository, day: date, *, at: datetime) -> Scored:
    """Score one local day and list its best; the job leaves one trace with all the patients."""
    zone = ZoneInfo(str(repository.site.zone))
    held = weights(day)
    async with repository.reading(job(NAME), Request("search-system")) as reading:
        connection = reading.connection
        await connection.execute(_LOCK)
        if await connection.fetchval("SELECT true FROM oversight_day WHERE day = $1", day):
            return Scored(day, 0, 0)
        await gathering.lay_out(connection, day, zone)
        pairs = await scoring.score(connection, day, held)
        reviewers = await connection.fetchval(_REVIEWERS, at)
        chosen = await scoring.choose(connection, day, held, reviewers=reviewers)
        await _list(connection, chosen, held, at=at)
        await scoring.forget(connection, day, held)
        await connection.execute(
            "INSERT INTO oversight_day (day, at, pairs, listed) VALUES ($1, $2, $3, $4)",
            *(day, at, pairs, len(chosen)),
        )
        patients = await connection.fetch("SELECT DISTINCT pat FROM seen ORDER BY pat")
        await write(connection, [_trace(reading.caller, [row["pat"] for row in patients])])
    log.info("oversight.scored", extra={"pairs": pairs, "listed": len(chosen)})
    return Scored(day, pairs, len(chosen))


async def gather_emergencies(repository: Repository, *, at: datetime) -> int:
    """Put declared emergencies in the queue; return how many are new."""
    zone = ZoneInfo(str(repository.site.zone))
    today = at.astimezone(zone).date()
    values = {
        "kind": int(Origin.EMERGENCY),
        "zone": zone.key,
        "due": today + timedelta(days=weights(today).whole("emergency_days")),
        "task": type_number("Task"),
        "matter": EMERGENCY_DECLARATION,
        "since": at - timedelta(days=90),
    }
    text, arguments = scoring.bound(_DECLARED, values)
    async with repository.reading(job(NAME), Request("search-system")) as reading:
        rows = await reading.connection.fetch(text, *arguments)
        names = await initials(reading.connection, {row["pat"] for row in rows})
        await reading.connection.executemany(
            "UPDATE oversight_item SET initials = $2 WHERE id = $1",
            [(row["id"], names.get(row["pat"], "")) for row in rows],
        )
        reading.seen(row["pat"] for row in rows)
    return len(rows)


async def _missing(repository: Repository, at: datetime, zone: ZoneInfo) -> list[date]:
    """Return the complete days to score, oldest first; only yesterday the first time."""
    yesterday = at.astimezone(zone).date() - timedelta(days=1)
    async with repository.database.transaction(system=True) as connection:
        last = await connection.fetchval("SELECT max(day) FROM oversight_day")
    first = max(last, yesterday - timedelta(days=MOST_DAYS)) if last else None
    count = (yesterday - first).days if first else 1
    return [yesterday - timedelta(days=back) for back in reversed(range(count))]


async def _list(
    connection: Connection, chosen: Sequence[Record], held: Weights, *, at: datetime
) -> None:
    names = await initials(connection, {row["pat"] for row in chosen})
    due = at.date() + timedelta(days=held.whole("review_days"))
    for row in chosen:
        told = await connection.fetchrow(_TOLD, row["first"], row["trace"])
        types = [type_name(number) for number in (told["types"] if told else None) or ()]
        await connection.execute(
            _LIST,
            *(int(Origin.UNUSUAL), row["day"], due, row["first"], row["trace"], row["party"]),
            *((told and told["agent"]) or "", row["pat"], names.get(row["pat"], "")),
            *(row["looks"], types, told["rule"] if told else "", row["score"], row["reasons"]),
        )


def _trace(caller: Caller, patients: Sequence[int]) -> Trace:
    return Trace(
        request=Request("search-system").id,
        kind=int(Kind.JOB),
        party=0,
        agent=caller.reference,
        purpose=caller.purpose,
        interaction="search-system",
        outcome=200,
        rule="access-log",
        rt=type_number("AuditEvent"),
        pats=patients,
    )
