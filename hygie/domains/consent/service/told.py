"""What a person is told on the home page: taken from the access log, so it is true by itself.

The log does not say which change of a care team prolonged a membership: the notice of it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hygie.domains.consent.model.accesses import EMERGENCIES
from hygie.domains.consent.model.choices import Choices
from hygie.domains.consent.model.notices import KIND, Message, Notice
from hygie.domains.consent.service.choices import record_within
from hygie.domains.consent.service.people import names_of
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access, Kind
from hygie.kernel.store import Repository, Visit
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.tracing import Touched

SHOWN_FOR = timedelta(days=30)
MOST = 8
_FIRST = f"""
SELECT t.agent, min(t.at) AS at FROM trace t
WHERE t.pat = $1 AND t.kind = {int(Kind.PROFESSIONAL)} AND t.outcome < 300 AND t.party > 0
  AND t.rule <> ALL ($3::text[])
GROUP BY t.agent HAVING min(t.at) >= $2
"""
_EMERGENCIES = """
SELECT t.agent, min(t.at) AS at FROM trace t
WHERE t.pat = $1 AND t.at >= $2 AND t.outcome < 300 AND t.rule = ANY ($3::text[])
GROUP BY t.agent, t.at::date
"""
_CHOICES = f"""
SELECT t.agent, t.at, t.rt FROM trace t
WHERE t.pat = $1 AND t.at >= $2 AND t.outcome < 300 AND t.kind = {int(Kind.PATIENT)}
  AND t.party <> $1 AND t.interaction IN ('create', 'update', 'delete', 'patch')
  AND t.rt = ANY ($3::smallint[])
"""
# Changes of a care team by one of its professionals; ``ver`` is the version that was written.
_TEAMS = f"""
SELECT t.agent, t.at, t.uid, t.ver, k.rid
FROM trace t JOIN resource_key k ON k.rt = t.rt AND k.uid = t.uid
WHERE t.pat = $1 AND t.at >= $2 AND t.outcome < 300 AND t.kind = {int(Kind.PROFESSIONAL)}
  AND t.rt = {type_number("CareTeam")} AND t.interaction = 'update' AND t.ver > 1
"""
_NOTICES = "SELECT j.key FROM job j WHERE j.kind = $1 AND j.key = ANY ($2::text[])"


class News(StrEnum):
    """Why somebody is told."""

    FIRST_ACCESS = "first-access"
    EMERGENCY = "emergency"
    CHOICE = "choice"
    PROLONGED = "prolonged"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing the person is told: what, when, and by whom; the name is empty where unknown."""

    news: News
    at: datetime
    who: str
    name: str


async def home(
    repository: Repository, access: Access, patient: str, *, at: datetime
) -> tuple[Choices, Sequence[Told]]:
    """Return the choices of a person and what the person is told, in one visit."""
    async with repository.visit(access) as visit:
        record = await record_within(repository, visit, patient, at=at)
        return record.choices, await told(visit, patient, at=at)


async def told(visit: Visit, patient: str, *, at: datetime) -> Sequence[Told]:
    """Return what the person is told of the last thirty days, newest first.

    A professional's first access, each emergency access, each choice that somebody else made,
    each membership of the care team that a professional prolonged for themself.
    """
    since = at - SHOWN_FOR
    types = [type_number("Consent"), type_number("CareTeam")]
    rules = sorted(EMERGENCIES)
    pat, fetch = visit.caller.party, visit.connection.fetch
    found = [
        (News.EMERGENCY, row["at"], row["agent"])
        for row in await fetch(_EMERGENCIES, pat, since, rules)
    ]
    found += [
        (News.FIRST_ACCESS, row["at"], row["agent"])
        for row in await fetch(_FIRST, pat, since, [*rules, "identify"])
    ]
    found += [
        (News.CHOICE, row["at"], row["agent"]) for row in await fetch(_CHOICES, pat, since, types)
    ]
    found += await _prolonged(visit, since)
    newest = sorted(found, key=lambda one: one[1], reverse=True)[:MOST]
    names = await names_of(visit, {one[2] for one in newest}, patient=patient)
    visit.touched.append(Touched(type_number("AuditEvent"), None, None, pat, "access-log"))
    return [Told(news, when, who, names.get(who, "")) for news, when, who in newest]


async def _prolonged(visit: Visit, since: datetime) -> list[tuple[News, datetime, str]]:
    """Return who prolonged their own membership and when: changes of which there is a notice."""
    pat, fetch = visit.caller.party, visit.connection.fetch
    changes = {
        Message(Notice.MEMBERSHIP_PROLONGED, pat, f"{id_of(row['uid'], row['rid'])}:{row['ver']}")
        .event()
        .key: row
        for row in await fetch(_TEAMS, pat, since)
    }
    keys = [row["key"] for row in await fetch(_NOTICES, KIND, list(changes))] if changes else []
    return [(News.PROLONGED, changes[key]["at"], changes[key]["agent"]) for key in keys]
