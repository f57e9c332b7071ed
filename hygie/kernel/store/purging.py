"""Remove resources for ever: every version, what finds them, their files. For the right to erasure.

Nothing else in the store takes a version away. A purge is a named job of the local operator; one
trace of it stays, and the change feed tells type and id of what went, without a content. It removes
only what is about one patient and nobody else. What a backup still holds is removed again when the
erasure ledger is repeated (docs/adr/0016, docs/adr/0020-rights.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.audit.trace import write
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.database.roles import LOADER
from hygie.kernel.errors import Conflict
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import job
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Request, Touched, trace_one

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.repository import Repository

ERASURE = job("erasure")
"""The caller of every purge; its trace says why."""
_FIND = """
SELECT k.key, k.rt, k.uid, k.former || k.part AS parts
FROM unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid FOR UPDATE OF k
"""
# A version that is about anybody else, at any time, keeps the whole resource.
_SHARED = """
SELECT key FROM {table} WHERE key = ANY ($1::bigint[])
  AND (pat IS DISTINCT FROM $2 OR cardinality(others) > 0) LIMIT 1
"""
_BLOBS = """
DELETE FROM blob_use b USING unnest($1::bigint[], $2::smallint[]) AS a (key, part)
WHERE b.part = a.part AND b.key = a.key RETURNING b.digest
"""
# Followers of the change feed learn that it is gone, and nothing more.
_KEYS = """
WITH gone AS (
  DELETE FROM resource_key k USING unnest($1::smallint[], $2::uuid[]) AS a (rt, uid)
  WHERE k.rt = a.rt AND k.uid = a.uid RETURNING k.rt, k.uid, k.rid)
INSERT INTO resource_purged (rt, uid, rid) SELECT rt, uid, rid FROM gone
"""
_STILL_USED = "SELECT DISTINCT digest FROM blob_use WHERE digest = ANY ($1::bytea[])"
_REMOVE = (
    *(
        f"DELETE FROM {table} WHERE key = ANY ($1::bigint[])"
        for table in (
            "s_string",
            "s_date",
            "s_number",
            "label_reach",
            "resource",
            "resource_history",
        )
    ),
    *(
        f"DELETE FROM {table} WHERE source = ANY ($1::bigint[])"
        for table in ("care_relation", "practice")
    ),
)


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge removed.

    Attributes:
        resources: how many resources.
        versions: how many versions, current ones included.
        files: how many files of the blob store.
    """

    resources: int
    versions: int
    files: int


async def purge(
    repository: Repository,
    patient: int,
    references: Collection[str],
    *,
    why: str,
    before_commit: Callable[[Connection], Awaitable[None]] | None = None,
) -> Purged:
    """Remove resources of one patient for ever; what is not there is passed over.

    Args:
        repository: where they are.
        patient: surrogate number of the patient they are about.
        references: ``Type/id`` of each.
        why: the legal reason, which the trace tells.
        before_commit: done last in the transaction, such as destroying keys.

    Raises:
        Conflict: a resource, or an earlier version of one, is about somebody else too.
    """
    database = await Database.open(repository.database.dsn, role=LOADER, size=1)
    try:
        async with database.connection() as connection:
            await connection.execute(begin(system=True))
            purged, unused = await _purge(connection, patient, references)
            await _trace(connection, patient, f"{why}: {purged.resources} resources removed")
            if before_commit is not None:
                await before_commit(connection)
            await connection.execute("COMMIT")
    finally:
        await database.close()
    for digest in unused:
        repository.bodies.forget(digest)
    return purged


async def _purge(
    connection: Connection, patient: int, references: Collection[str]
) -> tuple[Purged, Sequence[bytes]]:
    places = [_place(reference) for reference in references]
    rows = await connection.fetch(_FIND, [rt for rt, _ in places], [uid for _, uid in places])
    keys = [row["key"] for row in rows]
    for table in ("resource", "resource_history"):
        if await connection.fetchval(_SHARED.format(table=table), keys, patient) is not None:
            raise Conflict("A resource to erase is about somebody else too: it is kept.")
    pairs = [(row["key"], part) for row in rows for part in row["parts"]]
    found = await connection.fetch(_BLOBS, [key for key, _ in pairs], [part for _, part in pairs])
    blobs = {row["digest"] for row in found}
    used = {row["digest"] for row in await connection.fetch(_STILL_USED, list(blobs))}
    versions = 0
    for statement in _REMOVE:
        done = await connection.execute(statement, keys)
        if " resource " in statement or "resource_history" in statement:
            versions += int(done.rpartition(" ")[2])
    await connection.execute(_KEYS, [row["rt"] for row in rows], [row["uid"] for row in rows])
    unused = sorted(blobs - used)
    return Purged(len(keys), versions, len(unused)), unused


def _place(reference: str) -> tuple[int, object]:
    rt, _, rid = reference.partition("/")
    return type_number(rt), key_of(rid)[0]


async def _trace(connection: Connection, patient: int, detail: str) -> None:
    touched = Touched(None, None, None, patient, "erasure")
    trace = trace_one(Request("delete"), ERASURE, touched, status=204)
    await write(connection, [msgspec.structs.replace(trace, detail=detail)])
