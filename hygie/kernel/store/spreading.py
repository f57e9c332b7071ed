"""Let the labels of a resource reach what belongs to it (``reach``), in the transaction of a write.

Table ``label_reach`` holds, for each resource with labels of its own, every resource they reach.
``label`` of a row is its own labels and those that reached it; ``own_label`` keeps its own where
they differ. Earlier versions carry at least the labels of the resource today, so that a label set
late hides what came before.

Writers of one record hold a lock in common; who sets or lifts a label there, or writes where some
are, holds it alone. A new Observation of a visit that somebody else is masking right now is so
either found by them, or finds the mask. The locks come before those of the ids, in one order.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.ids import id_of, key_of
from hygie.kernel.store.index import Indexed
from hygie.kernel.store.reach import (
    REACHING,
    Link,
    gifts_of,
    given_to,
    is_concerned,
    reaching,
    taken_by,
)
from hygie.kernel.store.rows import Version

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.change import Change

_SPACE = 0x4C41
"""First word of the advisory locks of this module."""
BUCKETS = 4096
"""Patients share so many locks: a large batch must not fill PostgreSQL's table of locks."""
_ALONE, _TOGETHER = "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"

# Who may not see what stands there will be refused: the belt need not be opened for that.
_HOLD = f"""
WITH p AS (
  SELECT unnest($1::integer[]) AS pat
  UNION
  SELECT r.pat FROM unnest($2::smallint[], $3::uuid[]) AS a (rt, uid)
  JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid AND NOT k.deleted
  JOIN resource r ON r.part = k.part AND r.key = k.key WHERE r.pat IS NOT NULL)
SELECT b.patients, b.alone, CASE WHEN b.alone THEN {_ALONE}({_SPACE}, b.bucket)
                                 ELSE {_TOGETHER}({_SPACE}, b.bucket) END
FROM (SELECT p.pat % {BUCKETS} AS bucket, array_agg(p.pat) AS patients,
             bool_or(p.pat = ANY ($4::integer[])
                     OR EXISTS (SELECT FROM label_reach l WHERE l.pat = p.pat)) AS alone
      FROM p GROUP BY 1 ORDER BY 1) b
"""
_LABELLED = "SELECT DISTINCT l.pat FROM label_reach l WHERE l.pat = ANY ($1::integer[])"
# The caller's belt would hide what the labels must reach, and refuse what becomes hidden from it.
_OPEN, _CLOSE = (
    f"SELECT set_config('hygie.system', '{value}', TRUE)" for value in ("true", "false")
)
# The loader has no belt, and never set it.
_IS_OPEN = "SELECT coalesce(nullif(current_setting('hygie.system', TRUE), '')::boolean, FALSE)"
_COLUMNS = "r.key, r.rt, r.uid, r.rid, r.toks, coalesce(r.own_label, r.label) AS own"
_MINE = "(r.pat = $1 OR r.others @> ARRAY[$1])"
_BY_KEY = f"SELECT {_COLUMNS} FROM resource r WHERE r.key = ANY ($2::bigint[]) AND {_MINE}"
_BY_TOKEN = f"SELECT {_COLUMNS} FROM resource r WHERE r.toks && $2::bigint[] AND {_MINE}"
_BY_TYPE = f"SELECT {_COLUMNS} FROM resource r WHERE r.rt = ANY ($2::smallint[]) AND {_MINE}"
_KEYS = """
SELECT k.key FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
"""
ORIGIN_STANDS = """EXISTS (
  SELECT FROM resource o WHERE o.key = l.origin AND (o.pat = l.pat OR o.others @> ARRAY[l.pat]))"""
"""Whether what a row ``l`` of ``label_reach`` comes from is still there, in the same record."""
_ORIGINS = """
SELECT DISTINCT l.origin FROM label_reach l WHERE l.pat = $1 AND l.key = ANY ($2::bigint[])
"""
_FORGET = """
DELETE FROM label_reach l WHERE l.pat = $1 AND l.origin = ANY ($2::bigint[])
RETURNING l.origin, l.key, l.label
"""
_REMEMBER = """
INSERT INTO label_reach (pat, origin, key, label)
SELECT $1, a.origin, a.key, a.label
FROM unnest($2::bigint[], $3::bigint[], $4::smallint[]) AS a (origin, key, label)
"""
_REACHED = """
WITH n AS (
  SELECT a.key, coalesce(bit_or(l.label) FILTER (WHERE l.origin <> a.key), 0::smallint) AS given
  FROM unnest($1::bigint[]) AS a (key) LEFT JOIN label_reach l
    ON l.pat = ANY ($2::integer[]) AND l.key = a.key
  GROUP BY a.key)
"""
_CURRENT = f"""{_REACHED}
UPDATE resource r SET label = s.own | s.given,
  own_label = CASE WHEN (s.own | s.given) <> s.own THEN s.own END
FROM (SELECT c.key, c.part, coalesce(c.own_label, c.label) AS own, n.given
      FROM n JOIN resource c ON c.key = n.key) s
WHERE r.key = s.key AND r.part = s.part AND r.label <> (s.own | s.given)
"""
_EARLIER = f"""
UPDATE resource_history h SET label = s.own | s.given,
  own_label = CASE WHEN (s.own | s.given) <> s.own THEN s.own END
FROM (SELECT o.key, o.part, o.ver, coalesce(o.own_label, o.label) AS own,
             (c.label & {int(REACHING)})::smallint AS given
      FROM unnest($1::bigint[]) AS a (key)
      JOIN resource c ON c.key = a.key JOIN resource_history o ON o.key = a.key) s
WHERE h.key = s.key AND h.part = s.part AND h.ver = s.ver AND h.label <> (s.own | s.given)
"""
_LABELS = "SELECT r.key, r.label FROM resource r WHERE r.key = ANY ($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Held:
    """The records a transaction holds, and those among them that have labels, now or soon."""

    patients: frozenset[int] = frozenset()
    labelled: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Reach:
    """What the labels of one origin reach in one record."""

    origin: int
    label: int
    nodes: set[int] = field(default_factory=set)


async def hold(
    connection: Connection,
    changes: Sequence[Change],
    numbers: Mapping[PartyRef, int],
    *,
    new: bool = False,
) -> Held:
    """Hold the records of these changes until the transaction ends.

    Two statements, whatever their number; none where labels can play no part. ``new`` tells that
    nothing stands under these ids.
    """
    concerned = [one for one in changes if _plays_a_part(one, new=new)]
    if not concerned:
        return Held()
    named: set[int] = set()
    labelling: set[int] = set()
    for change in concerned:
        if change.prepared is not None:
            patients = {numbers[ref] for ref in change.prepared.indexed.patients}
            named |= patients
            if reaching(change.prepared.indexed.label):
                labelling |= patients
    places = [one.place for one in concerned if not (new or one.method == "create")]
    return await hold_records(connection, named, labelling, places)


async def hold_records(
    connection: Connection,
    named: Iterable[int],
    labelling: Collection[int] = (),
    places: Sequence[tuple[int, uuid.UUID]] = (),
) -> Held:
    """Hold the records of these patients, and of what stands at these places; some alone."""
    rows = await connection.fetch(
        _HOLD,
        sorted(named),
        [rt for rt, _ in places],
        [uid for _, uid in places],
        sorted(labelling),
    )
    patients = {pat for row in rows for pat in row["patients"]}
    labelled = {row["pat"] for row in await connection.fetch(_LABELLED, sorted(patients))}
    together = {pat for row in rows if not row["alone"] for pat in row["patients"]}
    # Somebody labelled this record while we waited for our place beside them.
    await _hold_alone(connection, together & labelled)
    return Held(frozenset(patients), frozenset({*labelled, *labelling}))


async def hold_more(connection: Connection, held: Held, labelling: Collection[int]) -> Held:
    """Hold alone the records that turn out to get labels."""
    new = frozenset(labelling) - held.labelled
    await _hold_alone(connection, new)
    return Held(held.patients | new, held.labelled | new)


async def _hold_alone(connection: Connection, patients: Iterable[int]) -> None:
    for pat in sorted(patients):
        await connection.execute(f"SELECT {_ALONE}({_SPACE}, $1)", pat % BUCKETS)


def _plays_a_part(change: Change, *, new: bool) -> bool:
    """Tell whether labels can reach, or come from, what is written; a change may lift some."""
    if change.prepared is None or not (new or change.method == "create"):
        return True
    return is_concerned(change.rt) or bool(reaching(change.prepared.indexed.label))


async def spread(
    connection: Connection, held: Held, versions: Sequence[Version], numbers: Mapping[PartyRef, int]
) -> dict[int, int]:
    """Bring every label up to date after these versions; return those of the versions, by key.

    A deleted resource keeps the labels it had, and so does what belonged to it, until a change of
    its own lifts them (``Change.lifts``).
    """
    written = [one for one in versions if one.permit.change.prepared is not None]
    if not held.labelled or not written:
        return {}
    async with opened(connection):
        touched: set[int] = set()
        for pat in sorted(held.labelled):
            touched |= await _in_record(connection, pat, _of(pat, written, numbers))
        keys = sorted(touched)
        if keys:
            await connection.execute(_CURRENT, keys, sorted(held.patients))
            await connection.execute(_EARLIER, keys)
        labels = await connection.fetch(_LABELS, [one.key for one in written])
    return {row["key"]: row["label"] for row in labels}


@asynccontextmanager
async def opened(connection: Connection) -> AsyncIterator[None]:
    """Open the belt of the transaction for a while; after an error it is rolled back anyway."""
    was_open = await connection.fetchval(_IS_OPEN)
    await connection.execute(_OPEN)
    yield
    if not was_open:
        await connection.execute(_CLOSE)


def _of(pat: int, versions: Iterable[Version], numbers: Mapping[PartyRef, int]) -> list[Version]:
    """Return the versions about a patient, and those that may have been before."""
    return [
        one
        for one in versions
        if one.permit.current is not None
        or any(numbers[ref] == pat for ref in _indexed(one).patients)
    ]


def _indexed(version: Version) -> Indexed:
    prepared = version.permit.change.prepared
    if prepared is None:
        raise ValueError("a deletion reaches nothing")
    return prepared.indexed


async def _in_record(connection: Connection, pat: int, written: Sequence[Version]) -> set[int]:
    """Follow again the labels that the versions may have moved; return whom they reach or left."""
    origins = {one.key for one in written}
    near = await _neighbours(connection, pat, written)
    rows = await connection.fetch(_ORIGINS, pat, sorted(origins | near))
    origins |= {row["origin"] for row in rows}
    before = await connection.fetch(_FORGET, pat, sorted(origins))
    standing = {row["key"]: row for row in await connection.fetch(_BY_KEY, pat, sorted(origins))}
    after: list[_Reach] = []
    for origin, row in standing.items():
        if reaching(row["own"]):
            after.append(_Reach(origin, reaching(row["own"]), {origin}))
            await _follow(connection, pat, after[-1], [row])
    # What a deleted resource reached stays as it was, unless it is lifted there.
    lifts = {one.key: int(one.permit.change.lifts) for one in written}
    left = [row for row in before if row["origin"] not in standing]
    kept = {
        (row["origin"], row["key"]): label
        for row in left
        if (label := row["label"] & ~lifts.get(row["key"], 0))
    }
    kept |= {(one.origin, key): one.label for one in after for key in one.nodes}
    if kept:
        await connection.execute(
            _REMEMBER, pat, [o for o, _ in kept], [k for _, k in kept], list(kept.values())
        )
    return {row["key"] for row in before} | {key for _, key in kept}


async def _neighbours(connection: Connection, pat: int, written: Sequence[Version]) -> set[int]:
    """Return the keys of what the versions take from, and of what gives to them."""
    taken = [ref for one in written for ref in _indexed(one).takes]
    rows = await connection.fetch(
        _KEYS, [type_number(rt) for rt, _ in taken], [key_of(rid)[0] for _, rid in taken]
    )
    found = {row["key"] for row in rows}
    changes = [one.permit.change for one in written]
    tokens = [link.token(one.rt, one.rid) for one in changes for link in given_to(one.rt)]
    if tokens:
        found |= {row["key"] for row in await connection.fetch(_BY_TOKEN, pat, tokens)}
    return found


async def _follow(
    connection: Connection, pat: int, reach: _Reach, frontier: Sequence[Record]
) -> None:
    """Add everything that the labels of an origin reach, step by step, each once."""
    while frontier:
        found = await _takers(connection, pat, frontier)
        found += await _gifts(connection, pat, frontier)
        new = {row["key"]: row for row in found if row["key"] not in reach.nodes}
        reach.nodes |= new.keys()
        frontier = list(new.values())


async def _takers(connection: Connection, pat: int, nodes: Sequence[Record]) -> list[Record]:
    tokens = [
        link.token(rt, id_of(row["uid"], row["rid"]))
        for row in nodes
        for rt in [type_name(row["rt"])]
        for link in taken_by(rt)
    ]
    return list(await connection.fetch(_BY_TOKEN, pat, tokens)) if tokens else []


async def _gifts(connection: Connection, pat: int, nodes: Sequence[Record]) -> list[Record]:
    """Return what nodes give to: candidates of the record whose token stands in a node."""
    given: dict[Link, set[int]] = {}
    for row in nodes:
        for link in gifts_of(_rt(row)):
            given.setdefault(link, set()).update(row["toks"])
    types = {type_number(rt) for link in given for rt in link.targets}
    if not types:
        return []
    rows = await connection.fetch(_BY_TYPE, pat, sorted(types))
    return [row for row in rows if _is_given(row, given)]


def _is_given(row: Record, given: Mapping[Link, set[int]]) -> bool:
    rt, rid = _rt(row), id_of(row["uid"], row["rid"])
    return any(link.may_name(rt) and link.token(rt, rid) in toks for link, toks in given.items())


def _rt(row: Record) -> str:
    return type_name(row["rt"])
