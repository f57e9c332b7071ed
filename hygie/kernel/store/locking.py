"""Lock what is about to change, then read it under the lock."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hygie.kernel.security.algebra import Columns
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.rules import READ, WRITE
from hygie.kernel.store.change import Change, Current

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_V = Columns("v", "a.kind", "a.party")
_NEW = Columns("a", "a.kind", "a.party")

# In one order for all writers, so that they wait for one another and never in a circle.
_LOCK = """
SELECT k.key FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
ORDER BY k.rt, k.uid FOR UPDATE OF k
"""
# A statement of its own: one that waited for a lock would still see the rows of before the wait.
_CURRENT = f"""
SELECT a.n, k.key, k.part, k.deleted, k.former, v.ver, v.upd, v.pat,
       {READ.rule_name(_V)} AS read_rule, {WRITE.rule_name(_V)} AS write_rule
FROM unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::integer[])
     WITH ORDINALITY AS a (rt, uid, kind, party, n)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
LEFT JOIN LATERAL (
  SELECT r.ver, r.upd, r.pat, r.rt, r.others, r.label, r.author FROM resource r
  WHERE NOT k.deleted AND r.part = k.part AND r.key = k.key
  UNION ALL
  (SELECT h.ver, h.upd, h.pat, h.rt, h.others, h.label, h.author FROM resource_history h
   WHERE k.deleted AND h.part = k.part AND h.key = k.key ORDER BY h.ver DESC LIMIT 1)
) v ON TRUE
"""
_CONTENT = f"""
SELECT a.n, {WRITE.rule_name(_NEW)} AS rule FROM (
  SELECT n, kind, party, pat, rt, others::integer[] AS others, label, author
  FROM unnest($1::smallint[], $2::integer[], $3::integer[], $4::smallint[], $5::text[],
              $6::smallint[], $7::integer[])
       WITH ORDINALITY AS t (kind, party, pat, rt, others, label, author, n)
) a
"""


async def lock(connection: Connection, changes: Sequence[Change]) -> None:
    """Lock the ids of these changes until the transaction ends."""
    places = [change.place for change in changes]
    await connection.execute(_LOCK, [rt for rt, _ in places], [uid for _, uid in places])


async def current_states(
    connection: Connection, changes: Sequence[Change], callers: Sequence[Caller]
) -> list[Current | None]:
    """Return what stands now under each id; None where nothing does."""
    places = [change.place for change in changes]
    rows = await connection.fetch(
        _CURRENT,
        [rt for rt, _ in places],
        [uid for _, uid in places],
        [int(caller.kind) for caller in callers],
        [caller.party for caller in callers],
    )
    found: list[Current | None] = [None] * len(changes)
    for row in rows:
        found[row["n"] - 1] = Current(
            key=row["key"],
            part=row["part"],
            deleted=row["deleted"],
            former=tuple(row["former"] or ()),
            ver=row["ver"] or 0,
            upd=row["upd"],
            pat=row["pat"],
            read_rule=row["read_rule"] if row["ver"] else None,
            write_rule=row["write_rule"] if row["ver"] else None,
        )
    return found


async def content_rules(
    connection: Connection,
    changes: Sequence[Change],
    callers: Sequence[Caller],
    numbers: Mapping[tuple[str, str], int],
) -> list[str | None]:
    """Return, for each change, the rule that permits its new content; None for a delete."""
    patients = [
        [numbers[ref] for ref in change.prepared.indexed.patients] if change.prepared else []
        for change in changes
    ]
    rows = await connection.fetch(
        _CONTENT,
        [int(caller.kind) for caller in callers],
        [caller.party for caller in callers],
        [mine[0] if mine else None for mine in patients],
        [change.place[0] for change in changes],
        [array(mine[1:]) for mine in patients],
        [change.prepared.indexed.label if change.prepared else 0 for change in changes],
        [_author(change, numbers) for change in changes],
    )
    rules: list[str | None] = [None] * len(changes)
    for row in rows:
        rules[row["n"] - 1] = row["rule"]
    return rules


def _author(change: Change, numbers: Mapping[tuple[str, str], int]) -> int | None:
    author = change.prepared.indexed.author if change.prepared else None
    return numbers[author] if author else None


def array(values: Sequence[int | uuid.UUID]) -> str | None:
    """Return a PostgreSQL array literal, or None for an empty one."""
    return f"{{{','.join(map(str, values))}}}" if values else None
