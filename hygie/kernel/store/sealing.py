"""Seal what earlier versions of Hygie stored in clear, beside the requests.

Bodies are changed in place: the same version, the same bytes of a read. What is sealed already is
passed over, so an interrupted run is simply run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hygie.kernel.database.blobs import is_plain
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import LOADER
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.rewrite import may_hold_data
from hygie.kernel.store import rows
from hygie.kernel.store.bodies import Packed, Whole, place_of

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.repository import Repository

AT_ONCE = 500
# The first byte of a zstd frame: what is sealed begins with another.
_PLAIN = """
SELECT key, part, rt, uid, ver, pat, body FROM {table}
WHERE (key, ver) > ($1::bigint, $2::integer) AND body IS NOT NULL AND get_byte(body, 0) = 40
ORDER BY key, ver LIMIT $3
"""
_REPLACE = """
UPDATE {table} SET body = $4 WHERE key = $1 AND part = $2 AND ver = $3 AND body = $5
RETURNING key
"""
_FREE = """
DELETE FROM blob_use WHERE key = $1 AND part = $2 AND ver = $3 AND octet_length(digest) = 32
RETURNING digest
"""
_USED = "SELECT digest FROM blob_use WHERE digest = ANY ($1::bytea[])"


@dataclass(slots=True)
class Sealed:
    """What a run did: versions that were sealed, plain files that were removed."""

    versions: int = 0
    files: int = 0


async def seal_all(repository: Repository) -> Sealed:
    """Seal every document that still stands in clear, in current and earlier versions.

    Raises:
        Unavailable: the key service does not answer; run it again to go on.
    """
    done = Sealed()
    database = await Database.open(repository.database.dsn, role=LOADER, size=1)
    try:
        async with database.connection() as connection:
            # What an update moves to history in the meantime is met there.
            for table in ("resource", "resource_history"):
                await _Sealing(repository, connection, table, done).run()
    finally:
        await database.close()
    return done


@dataclass(frozen=True, slots=True)
class _Sealing:
    repository: Repository
    connection: Connection
    table: str
    done: Sealed

    async def run(self) -> None:
        statement = _PLAIN.format(table=self.table)
        key, ver = 0, 0
        while found := await self.connection.fetch(statement, key, ver, AT_ONCE):
            key, ver = found[-1]["key"], found[-1]["ver"]
            freed: set[bytes] = set()
            async with self.connection.transaction():
                for row in found:
                    freed |= await self._seal(row)
                used = {row["digest"] for row in await self.connection.fetch(_USED, list(freed))}
            for name in freed - used:
                self.repository.bodies.forget(name)
                self.done.files += 1

    async def _seal(self, row: Record) -> set[bytes]:
        """Seal one version; return the plain files it no longer uses."""
        bodies = self.repository.bodies
        body = await bodies.load(row)
        if not may_hold_data(body):
            return set()
        packed = _checked(await bodies.pack(self.connection, [Whole(place_of(row), body)]))
        if packed.body[0] == row["body"][0]:
            return set()
        here = row["key"], row["part"], row["ver"]
        statement = _REPLACE.format(table=self.table)
        if await self.connection.fetchval(statement, *here, packed.body, row["body"]) is None:
            return set()
        freed = {found["digest"] for found in await self.connection.fetch(_FREE, *here)}
        names = [(name, *here) for name in packed.blobs]
        await rows.insert(self.connection, "blob_use", rows.BLOB, names)
        self.done.versions += 1
        return {name for name in freed if is_plain(name)}


def _checked(packed: Sequence[Packed | HygieError]) -> Packed:
    (one,) = packed
    if isinstance(one, HygieError):
        raise one
    return one
