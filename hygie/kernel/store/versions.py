"""Save new versions: the former one to history, the new one and its search rows in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hygie.kernel.store import rows
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.rows import Version

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_VERSIONED = (
    "key, seq, xid, upd, uid, ver, pat, author, structure, part, rt, class, label, flags, "
    "matter, own_label, deletion, rid, others, body"
)
_TO_HISTORY = f"""
INSERT INTO resource_history ({_VERSIONED})
SELECT r.key, r.seq, r.xid, r.upd, r.uid, r.ver, r.pat, r.author, r.structure, r.part, r.rt,
       r.class, r.label, r.flags, r.matter, r.own_label, FALSE, r.rid, r.others, r.body
FROM unnest($1::bigint[], $2::smallint[]) AS a (key, part)
JOIN resource r ON r.part = a.part AND r.key = a.key
"""
_DELETION = f"""
INSERT INTO resource_history ({_VERSIONED})
SELECT r.key, a.seq, pg_current_xact_id(), a.upd, r.uid, a.ver, r.pat, r.author, r.structure,
       r.part, r.rt, r.class, r.label, r.flags, r.matter, r.own_label, TRUE, r.rid, r.others, NULL
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::timestamptz[], $5::integer[])
     AS a (key, part, seq, upd, ver)
JOIN resource r ON r.part = a.part AND r.key = a.key
"""
_CLEAR = tuple(
    f"DELETE FROM {table} t USING unnest($1::bigint[], $2::smallint[]) AS a (key, part) "
    "WHERE t.part = a.part AND t.key = a.key"
    for table in ("s_string", "s_date", "s_number", "resource")
)
_CLEAR_FACTS = tuple(
    f"DELETE FROM {table} WHERE source = ANY ($1::bigint[])"
    for table in ("care_relation", "practice")
)
_MOVE_KEYS = """
UPDATE resource_key k SET part = a.part, deleted = a.deleted,
  former = CASE WHEN a.part = k.part THEN k.former
                ELSE array_append(array_remove(k.former, a.part), k.part) END
FROM unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::boolean[]) AS a (rt, uid, part, deleted)
WHERE k.rt = a.rt AND k.uid = a.uid
"""


async def save(
    connection: Connection,
    versions: Sequence[Version],
    numbers: Mapping[PartyRef, int],
    *,
    insert: rows.Insert = rows.insert,
) -> None:
    """Write the versions of one transaction, in as many statements whatever their number."""
    if not versions:
        return
    await _retire(connection, [v for v in versions if v.permit.current is not None])
    await _write_keys(connection, versions, insert)
    kept = [v for v in versions if v.body is not None]
    await insert(
        connection, "resource", rows.RESOURCE, [rows.resource_row(v, numbers) for v in kept]
    )
    sides = [rows.side_rows(v) for v in kept]
    for place, (table, columns) in enumerate(rows.SIDES):
        flat = [row for side in sides for row in side[place]]
        await insert(connection, table, columns, flat)
    await _state_facts(connection, versions, numbers, insert)
    blobs = [(d, v.key, v.part, v.permit.version) for v in kept for d in dict.fromkeys(v.blobs)]
    await insert(connection, "blob_use", rows.BLOB, blobs)


async def rewrite(
    connection: Connection, versions: Sequence[Version], numbers: Mapping[PartyRef, int]
) -> None:
    """Write anew what stands beside current bodies; versions and bodies stay as they are."""
    keys, parts = [v.key for v in versions], [v.part for v in versions]
    if not versions:
        return
    for statement in _CLEAR[:-1]:
        await connection.execute(statement, keys, parts)
    for statement in _CLEAR_FACTS:
        await connection.execute(statement, keys)
    names = [name for name, _ in rows.RESOURCE]
    chosen = [names.index(name) for name, _ in rows.RENEWED]
    found = [(v, rows.resource_row(v, numbers)) for v in versions]
    await rows.renew(
        connection, [(v.key, v.part, *(row[place] for place in chosen)) for v, row in found]
    )
    sides = [rows.side_rows(v) for v in versions]
    for place, (table, columns) in enumerate(rows.SIDES):
        await rows.insert(connection, table, columns, [row for s in sides for row in s[place]])
    await _state_facts(connection, versions, numbers, rows.insert)


async def _state_facts(
    connection: Connection,
    versions: Sequence[Version],
    numbers: Mapping[PartyRef, int],
    insert: rows.Insert,
) -> None:
    """Replace the facts, last: the belt judges the rows above by those that held before."""
    keys = [v.key for v in versions if v.permit.current is not None]
    if keys:
        for statement in _CLEAR_FACTS:
            await connection.execute(statement, keys)
    kept = [v for v in versions if v.body is not None]
    facts = [row for v in kept for row in rows.fact_rows(v, numbers)]
    await insert(connection, "care_relation", rows.FACT, facts)
    practised = [row for v in kept for row in rows.practice_rows(v, numbers)]
    await insert(connection, "practice", rows.PRACTICE, practised)


async def _retire(connection: Connection, versions: Sequence[Version]) -> None:
    """Move the current versions to history, and clear what finds them."""
    standing = [v for v in versions if v.permit.current and not v.permit.current.deleted]
    if not standing:
        return
    keys = [v.key for v in standing]
    parts = [v.permit.current.part for v in standing if v.permit.current]
    await connection.execute(_TO_HISTORY, keys, parts)
    gone = [v for v in standing if v.body is None]
    if gone:
        await connection.execute(
            _DELETION,
            [v.key for v in gone],
            [v.part for v in gone],
            [v.seq for v in gone],
            [v.updated for v in gone],
            [v.permit.version for v in gone],
        )
    for statement in _CLEAR:
        await connection.execute(statement, keys, parts)


async def _write_keys(
    connection: Connection, versions: Sequence[Version], insert: rows.Insert
) -> None:
    new = [rows.key_row(v) for v in versions if v.permit.current is None]
    # In one order for all writers: two who make the same ids wait for one another, in no circle.
    new.sort(key=lambda row: (row[2], row[1].int))
    await insert(connection, "resource_key", rows.KEY, new)
    moved = [v for v in versions if v.permit.current is not None and _moves(v)]
    if moved:
        await connection.execute(
            _MOVE_KEYS,
            [v.permit.change.place[0] for v in moved],
            [v.permit.change.place[1] for v in moved],
            [v.part for v in moved],
            [v.body is None for v in moved],
        )


def _moves(version: Version) -> bool:
    current = version.permit.current
    if current is None:
        return False
    return current.part != version.part or current.deleted or version.body is None
