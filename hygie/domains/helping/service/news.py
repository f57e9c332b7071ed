"""What people are told of helps: taken from relations and from the access log, true by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from hygie.domains.helping.model import limits
from hygie.domains.helping.service import records
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Kind, job
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request, Touched

if TYPE_CHECKING:
    from asyncpg import Connection

LOOK_BACK = timedelta(minutes=15)
"""How far back each pass of the job looks for first acts; each notice is put once."""
_IN_THE_NAME = ("helper", "helper-administrative", "parent", "guardian", "manager")
_FIRST = f"""
SELECT t.agent, t.pat, min(t.at) AS at FROM trace t
WHERE t.kind = {int(Kind.PATIENT)} AND t.pat IS NOT NULL AND t.party > 0 AND t.party <> t.pat
  AND t.outcome < 300 AND t.rule = ANY ($2::text[]) AND ($3::integer IS NULL OR t.pat = $3)
  AND t.at >= $1 AND NOT EXISTS (
    SELECT FROM trace b WHERE b.pat = t.pat AND b.agent = t.agent AND b.at < $1
      AND b.outcome < 300 AND b.rule = ANY ($2::text[]))
GROUP BY t.agent, t.pat ORDER BY 3 DESC LIMIT 200
"""
_ENDED = """
SELECT c.pat, c.member, c.kind, c.ends FROM care_relation c
WHERE c.ends >= $1 AND c.ends <= $2 AND c.kind = ANY ($3::smallint[]) AND c.member > 0
  AND ($4::integer IS NULL OR c.pat = $4)
ORDER BY c.ends DESC LIMIT 200
"""
_MAJORITY = f"""
SELECT m.pat, m.ends, c.member FROM care_relation m
LEFT JOIN care_relation c ON c.pat = m.pat AND c.kind = {int(Relation.PARENT)}
  AND c.member > 0 AND c.starts <= m.ends AND c.ends >= m.ends
WHERE m.kind = {int(Relation.MINOR)} AND m.member = 0 AND m.ends BETWEEN $1 AND $2
  AND ($3::integer IS NULL OR m.pat = $3 OR c.member = $3)
ORDER BY m.ends
"""
_HELPERS = [int(Relation.HELPER), int(Relation.HELPER_ADMINISTRATIVE), int(Relation.MANAGES)]


class News(StrEnum):
    """Why somebody is told."""

    FIRST_ACT = "helper-first-act"
    ENDED = "helper-ended"
    MAJORITY_OWN = "majority-own"
    MAJORITY_CHILD = "majority-child"
    RENEWAL = "measure-renewal"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing: what, when, and by or about whom (a reference, empty where nobody is named)."""

    news: News
    at: datetime
    who: str = ""


async def news_of(repository: Repository, caller: Caller, *, at: datetime) -> Sequence[Told]:
    """Return what a person is told on the home page, newest first."""
    party = caller.party
    since = at - limits.days("told-for", at=at.date())
    around = limits.days("majority-notice", at=at.date())
    async with repository.visit(caller) as visit:
        fetch = visit.connection.fetch
        acts = await fetch(_FIRST, since, list(_IN_THE_NAME), party)
        ended = await fetch(_ENDED, since, at, _HELPERS, party)
        grown = await fetch(_MAJORITY, at - around, at + around, party)
        measures = await _to_renew(visit.connection, party, at=at)
        visit.touched.append(Touched(type_number("AuditEvent"), None, None, party, "access-log"))
    found = [Told(News.FIRST_ACT, row["at"], row["agent"] or "") for row in acts]
    found += [Told(News.ENDED, when) for when in sorted({row["ends"] for row in ended})]
    own = {row["ends"] for row in grown if row["pat"] == party}
    found += [Told(News.MAJORITY_OWN, when) for when in own]
    children = {(row["pat"], row["ends"]) for row in grown if row["member"] == party}
    found += [Told(News.MAJORITY_CHILD, when) for _child, when in sorted(children)]
    found += [Told(News.RENEWAL, when) for when in measures]
    return sorted(found, key=lambda one: one.at, reverse=True)


async def put_notices(repository: Repository, *, at: datetime) -> int:
    """Put in the outbox what people are told by letter or message; return how many were seen.

    Each is put once: a first act, an end, a majority on both sides, a renewal.
    """
    since = at - timedelta(days=1)
    around = limits.days("majority-notice", at=at.date())
    async with repository.reading(job("notices"), Request("search-system")) as reading:
        fetch = reading.connection.fetch
        acts = await fetch(_FIRST, at - LOOK_BACK, list(_IN_THE_NAME), None)
        ended = await fetch(_ENDED, since, at, _HELPERS, None)
        grown = await fetch(_MAJORITY, since, at + around, None)
        until = at + limits.days("renewal-reminder", at=at.date())
        due = await fetch(_ENDED, at, until, [int(Relation.GUARDIAN)], None)
        reading.seen({row["pat"] for row in (*acts, *ended, *grown, *due)})
    told = [(News.FIRST_ACT, row["pat"], row["pat"], row["agent"] or "", row["at"]) for row in acts]
    told += [(News.ENDED, row["pat"], row["pat"], "", row["ends"]) for row in ended]
    told += [(News.MAJORITY_OWN, row["pat"], row["pat"], "", row["ends"]) for row in grown]
    told += [
        (News.MAJORITY_CHILD, row["member"], row["pat"], "", row["ends"])
        for row in grown
        if row["member"] is not None
    ]
    told += [(News.RENEWAL, row["member"], row["pat"], "", row["ends"]) for row in due]
    for what, party, about, by, when in told:
        notice = {"what": what.value, "party": party, "about": about, "by": by}
        await records.tell(repository, notice, key=f"{party}:{about}:{by}:{when.date()}")
    return len(told)


async def _to_renew(connection: Connection, party: int, *, at: datetime) -> list[datetime]:
    """Return when the measures end by which somebody is a guardian, of those to renew soon."""
    until = at + limits.days("renewal-reminder", at=at.date())
    rows = await connection.fetch(
        "SELECT DISTINCT ends FROM care_relation WHERE member = $1 AND kind = $2 "
        "AND ends BETWEEN $3 AND $4",
        party,
        int(Relation.GUARDIAN),
        at,
        until,
    )
    return [row["ends"] for row in rows]
