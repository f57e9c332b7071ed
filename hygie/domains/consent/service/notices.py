"""Find what people are to be told of, and put it in the outbox.

Each pass looks back a little further than the time between two passes: a notice has a key, so that
what is found twice is told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.domains.consent.fhir.teams import care_team_facts
from hygie.domains.consent.model.notices import Message, Notice
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.fhir.validate import parse
from hygie.kernel.outbox import queue
from hygie.kernel.security.caller import Kind, job
from hygie.kernel.security.labels import Label
from hygie.kernel.security.matters import EMERGENCY_DECLARATION
from hygie.kernel.security.relations import OF_THE_RECORD, Relation
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Record

LOOK_BACK = timedelta(minutes=15)
A_DAY = timedelta(days=1)

_ACCESSES = f"""
SELECT t.pat, t.party, t.agent, bool_and((t.label & {int(Label.HIDDEN_FROM_REPRESENTATIVES)}) <> 0)
  AS secret
FROM trace t
WHERE t.at > $1 AND t.at <= $2 AND t.kind = {int(Kind.PROFESSIONAL)} AND t.outcome < 300
  AND t.pat IS NOT NULL AND t.party > 0
  AND NOT EXISTS (SELECT 1 FROM trace e WHERE e.party = t.party AND e.pat = t.pat AND e.at <= $1
                  AND e.outcome < 300)
GROUP BY t.pat, t.party, t.agent
"""
_WRITTEN = """
SELECT r.pat, r.rt, r.uid, r.rid, r.label, p.rt AS author_rt, p.uid AS author_uid,
  p.rid AS author_rid
FROM resource r LEFT JOIN party p ON p.num = r.author
WHERE r.upd > $1 AND r.upd <= $2 AND r.pat IS NOT NULL AND ({which})
  AND NOT EXISTS (SELECT 1 FROM resource_history h WHERE h.key = r.key AND h.upd <= $1
    AND h.matter = r.matter AND NOT h.deletion)
"""
_DECLARED = _WRITTEN.format(which=f"r.matter = {EMERGENCY_DECLARATION}")
_DOCUMENTS = _WRITTEN.format(
    which=f"r.rt = {type_number('DocumentReference')} "
    f"AND (r.label & {int(Label.HIDDEN_FROM_PATIENT)}) = 0 AND r.author IS DISTINCT FROM r.pat"
)
_OVER = f"""
SELECT c.pat, c.member, c.ends, p.rt, p.uid, p.rid, coalesce(
    (SELECT (r.label & {int(Label.HIDDEN_FROM_REPRESENTATIVES)}) <> 0
     FROM resource r WHERE r.pat = c.pat AND r.key = c.source), FALSE) AS secret
FROM care_relation c JOIN party p ON p.num = c.member
WHERE c.kind = {int(Relation.CARE_TEAM)} AND c.member <> {OF_THE_RECORD}
  AND c.ends > $1 AND c.ends <= $2
"""
# The number of a trace's version is the version that was written.
_PROLONGING = f"""
SELECT t.pat, t.agent, t.uid, t.ver, k.rid, t.label
FROM trace t JOIN resource_key k ON k.rt = t.rt AND k.uid = t.uid
WHERE t.at > $1 AND t.at <= $2 AND t.kind = {int(Kind.PROFESSIONAL)} AND t.outcome < 300
  AND t.rt = {type_number("CareTeam")} AND t.interaction = 'update' AND t.pat IS NOT NULL
  AND t.ver > 1
"""


async def tell_of_accesses(repository: Repository, *, at: datetime) -> int:
    """Tell of first accesses and declared emergencies; return how many notices are new."""
    since = at - LOOK_BACK
    async with repository.reading(job("notices"), Request("search-system")) as reading:
        fetch = reading.connection.fetch
        messages = [
            Message(
                Notice.FIRST_ACCESS,
                row["pat"],
                f"{row['pat']}:{row['party']}",
                by=row["agent"],
                secret=row["secret"],
            )
            for row in await fetch(_ACCESSES, since, at)
        ]
        messages += [
            Message(
                Notice.EMERGENCY_ACCESS,
                row["pat"],
                _reference(row, ""),
                by=_reference(row, "author_"),
                item=_reference(row, ""),
            )
            for row in await fetch(_DECLARED, since, at)
        ]
        reading.seen({one.party for one in messages})
    return await put(repository, messages)


async def tell_of_documents(repository: Repository, *, at: datetime) -> int:
    """Tell of documents that arrived and that the person may read; return how many.

    One that waits for its announcement is told when it is announced.
    """
    async with repository.reading(job("new-documents"), Request("search-system")) as reading:
        rows = await reading.connection.fetch(_DOCUMENTS, at - LOOK_BACK, at)
        reading.seen({row["pat"] for row in rows})
    messages = [
        Message(
            Notice.NEW_DOCUMENT,
            row["pat"],
            _reference(row, ""),
            by=_reference(row, "author_"),
            item=_reference(row, ""),
            secret=bool(row["label"] & Label.HIDDEN_FROM_REPRESENTATIVES),
        )
        for row in rows
    ]
    return await put(repository, messages)


async def tell_of_ended_memberships(repository: Repository, *, at: datetime) -> int:
    """Tell of memberships that ended since the day before; return how many."""
    async with repository.reading(job("notices"), Request("search-system")) as reading:
        rows = await reading.connection.fetch(_OVER, at - A_DAY - LOOK_BACK, at)
        reading.seen({row["pat"] for row in rows})
    messages = [
        Message(
            Notice.MEMBERSHIP_ENDED,
            row["pat"],
            f"{row['pat']}:{row['member']}:{row['ends'].date()}",
            by=_reference(row, ""),
            secret=row["secret"],
        )
        for row in rows
    ]
    return await put(repository, messages)


async def tell_of_prolonged_memberships(repository: Repository, *, at: datetime) -> int:
    """Tell of memberships that a professional prolonged for themself; return how many."""
    caller = job("notices")
    async with repository.reading(caller, Request("search-system")) as reading:
        rows = await reading.connection.fetch(_PROLONGING, at - LOOK_BACK, at)
        reading.seen({row["pat"] for row in rows})
    messages = []
    for row in rows:
        rid = id_of(row["uid"], row["rid"])
        before, after = [
            await _ends(repository, rid, version, member=row["agent"])
            for version in (row["ver"] - 1, row["ver"])
        ]
        # A version that is withdrawn cannot be compared: better told than not.
        if after is None or (before is not None and after <= before):
            continue
        messages.append(
            Message(
                Notice.MEMBERSHIP_PROLONGED,
                row["pat"],
                f"{rid}:{row['ver']}",
                by=row["agent"],
                item=f"CareTeam/{rid}",
                secret=bool(row["label"] & Label.HIDDEN_FROM_REPRESENTATIVES),
            )
        )
    return await put(repository, messages)


async def _ends(repository: Repository, rid: str, version: int, *, member: str) -> datetime | None:
    """Return until when a version of a CareTeam has a member; None where it has them not."""
    try:
        stored = await repository.vread(job("notices"), "CareTeam", rid, version=version)
    except HygieError:  # withdrawn, deleted or purged since
        return None
    team = parse(stored.body or b"{}", expect="CareTeam").resource
    facts = care_team_facts(team, repository.site.zone)
    return max(
        (one.ends for one in facts if one.member and "/".join(one.member) == member), default=None
    )


async def put(repository: Repository, messages: Sequence[Message]) -> int:
    """Put notices in the outbox; return how many were not there yet."""
    if not messages:
        return 0
    async with repository.database.connection() as connection, connection.transaction():
        return await queue.put(connection, [one.event() for one in messages])


def _reference(row: Record, prefix: str) -> str:
    rt, uid, rid = (row[f"{prefix}{name}"] for name in ("rt", "uid", "rid"))
    return "" if uid is None else f"{type_name(rt)}/{id_of(uid, rid)}"
