"""Change the key-encryption key: every data key is wrapped anew, no document is touched.

It runs beside the requests, in short transactions; interrupted, it goes on at the next call, since
the rows themselves say what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.database.connection import Database
from hygie.kernel.errors import Conflict
from hygie.kernel.security.keys.keyring import KeyName, about
from hygie.kernel.security.keys.periods import periods
from hygie.kernel.security.keys.port import KeyPort, Wrapped

if TYPE_CHECKING:
    from asyncpg import Record

AT_ONCE = 2_000
_OLD = """
SELECT patient, version, id, kek, wrapped FROM hygie_keys.patient_key
WHERE kek < $1 AND wrapped IS NOT NULL LIMIT $2 FOR UPDATE
"""
_REWRAP = """
UPDATE hygie_keys.patient_key k SET kek = a.kek, wrapped = a.wrapped
FROM unnest($1::integer[], $2::smallint[], $3::integer[], $4::bytea[])
  AS a (patient, version, kek, wrapped)
WHERE k.patient = a.patient AND k.version = a.version
"""
_LEFT = (
    "SELECT EXISTS (SELECT 1 FROM hygie_keys.patient_key WHERE kek < $1 AND wrapped IS NOT NULL)"
)
_USES = "SELECT count(*) FROM hygie_keys.patient_key WHERE kek = $1 AND wrapped IS NOT NULL"
_SUPERSEDE = """
INSERT INTO hygie_keys.kek (version, superseded)
SELECT v, $2 FROM unnest($1::integer[]) AS v ON CONFLICT DO NOTHING
"""
_OVER = "SELECT version FROM hygie_keys.kek WHERE destroyed IS NULL AND superseded <= $1"

Show = Callable[[int], None]
"""Called with how many keys are wrapped anew so far."""


def _quiet(_: int) -> None:
    """Show nothing."""


async def rotate(database: Database, port: KeyPort, *, at: datetime, show: Show = _quiet) -> int:
    """Make a new key-encryption key and wrap every data key with it; return how many were.

    ``database`` connects under the role of keys.

    Raises:
        Unavailable: the key service does not answer; call ``rewrap`` to go on.
    """
    await asyncio.to_thread(port.rotate)
    return await rewrap(database, port, at=at, show=show)


async def rewrap(database: Database, port: KeyPort, *, at: datetime, show: Show = _quiet) -> int:
    """Wrap with the newest version what an older one still wraps; return how many keys were."""
    *former, newest = port.versions()
    async with database.connection() as connection:
        await connection.execute(_SUPERSEDE, former, at)
    done = 0
    while await _left(database, newest):
        async with database.connection() as connection, connection.transaction():
            rows = await connection.fetch(_OLD, newest, AT_ONCE)
            # In a thread: a token takes its time, and requests go on beside.
            fresh = await asyncio.to_thread(_all_again, port, rows)
            await connection.execute(
                _REWRAP,
                [row["patient"] for row in rows],
                [row["version"] for row in rows],
                [wrapped.version for wrapped in fresh],
                [wrapped.text for wrapped in fresh],
            )
        done += len(rows)
        show(done)
    return done


async def destroy_superseded(
    database: Database, port: KeyPort, *, at: datetime, kept: timedelta | None = None
) -> list[int]:
    """Destroy the versions that stopped wrapping longer ago than ``kept``; return their numbers.

    ``kept`` is how long a backup of keys may live, from the table of periods where it is None.

    From then on nothing that was shredded can be read, not even with a copy of the data from
    before the shredding.

    Raises:
        Conflict: a data key is still wrapped by one of them; call ``rewrap`` first.
    """
    before = at - (periods(at.date()).keep if kept is None else kept)
    async with database.connection() as connection, connection.transaction():
        # Nobody wraps a new key with one of them from here on.
        await connection.execute("LOCK TABLE hygie_keys.patient_key IN SHARE ROW EXCLUSIVE MODE")
        over = [row["version"] for row in await connection.fetch(_OVER, before)]
        for version in over:
            if await connection.fetchval(_USES, version):
                raise Conflict(
                    f"Key-encryption key {version} still wraps data keys: run hygie keys rotate "
                    "--resume, then repeat."
                )
            await connection.execute(
                "UPDATE hygie_keys.kek SET destroyed = $2 WHERE version = $1", version, at
            )
            if version in port.versions():
                port.destroy(version)
    return over


async def _left(database: Database, newest: int) -> bool:
    async with database.connection() as connection:
        return bool(await connection.fetchval(_LEFT, newest))


def _all_again(port: KeyPort, rows: Sequence[Record]) -> list[Wrapped]:
    return [_again(port, row) for row in rows]


def _again(port: KeyPort, row: Record) -> Wrapped:
    meant = about(KeyName(row["patient"], row["version"]), row["id"])
    key = port.unwrap(Wrapped(row["kek"], row["wrapped"]), about=meant)
    return port.wrap(key, about=meant)
