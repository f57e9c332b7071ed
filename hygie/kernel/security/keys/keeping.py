"""Rotate and destroy key-encryption keys when it is time, and tell when that did not happen.

What is due is read from the table of keys, never from when a job last ran: called twice, late, or
after an interruption, it does what is left and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hygie.kernel.database.connection import Database
from hygie.kernel.security.keys.periods import periods
from hygie.kernel.security.keys.port import KeyPort
from hygie.kernel.security.keys.rotation import destroy_superseded, rewrap, rotate

if TYPE_CHECKING:
    from asyncpg import Connection

ROTATION, DESTRUCTION = "rotation", "destruction"
# Held by the session, since a rotation is many transactions.
_TURN = "SELECT pg_try_advisory_lock(hashtext('hygie.keys.keeping'))"
_TURN_OVER = "SELECT pg_advisory_unlock(hashtext('hygie.keys.keeping'))"
# Since when the newest key-encryption key wraps; null where it wraps nothing yet.
_SINCE = """
SELECT coalesce((SELECT max(superseded) FROM hygie_keys.kek),
  (SELECT min(made) FROM hygie_keys.patient_key WHERE wrapped IS NOT NULL))
"""
_OLDEST = "SELECT min(superseded) FROM hygie_keys.kek WHERE destroyed IS NULL"
_UNFINISHED = """
SELECT min(s.superseded) FROM hygie_keys.kek s WHERE EXISTS (
  SELECT 1 FROM hygie_keys.patient_key k WHERE k.kek = s.version AND k.wrapped IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done.

    Attributes:
        rotated: a new key-encryption key was made.
        wrapped: how many data keys were wrapped anew.
        destroyed: versions of key-encryption keys that were destroyed.
    """

    rotated: bool = False
    wrapped: int = 0
    destroyed: tuple[int, ...] = ()

    @property
    def anything(self) -> bool:
        """Tell whether anything was done."""
        return self != Kept()

    @property
    def told(self) -> str:
        """Return it as a sentence of the access log.

        >>> Kept(True, 3, (1,)).told
        'key-encryption key rotated; 3 data keys wrapped anew; destroyed: 1'
        """
        parts = [
            "key-encryption key rotated" if self.rotated else "",
            f"{self.wrapped} data keys wrapped anew" if self.wrapped else "",
            f"destroyed: {', '.join(map(str, self.destroyed))}" if self.destroyed else "",
        ]
        return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Late:
    """Something that should have been done: ``ROTATION`` or ``DESTRUCTION``, and a sentence."""

    subject: str
    detail: str


async def keep(database: Database, port: KeyPort, *, at: datetime) -> Kept:
    """Finish an interrupted rotation, rotate when it is time, destroy what was superseded.

    ``database`` connects under the role of keys, with two connections at least. Nothing is done
    while another programme does it.

    Raises:
        Unavailable: the key service does not answer; what is left is done at the next call.
    """
    held = periods(at.date())
    async with database.connection() as connection:
        if not await connection.fetchval(_TURN):
            return Kept()
        try:
            wrapped = await rewrap(database, port, at=at)
            since = await connection.fetchval(_SINCE)
            due = since is not None and at >= since + held.rotate
            if due:
                wrapped += await rotate(database, port, at=at)
            destroyed = await destroy_superseded(database, port, at=at, kept=held.keep)
        finally:
            await connection.execute(_TURN_OVER)
    return Kept(due, wrapped, tuple(destroyed))


async def lateness(connection: Connection, *, at: datetime) -> Sequence[Late]:
    """Return what is late, without asking the key service; needs the role of keys."""
    held = periods(at.date())
    since, oldest, unfinished = [
        await connection.fetchval(statement) for statement in (_SINCE, _OLDEST, _UNFINISHED)
    ]
    found = []
    if since is not None and at >= since + held.rotate + held.late:
        found.append(
            Late(ROTATION, f"no rotation since {since:%Y-%m-%d}: start hygie jobs, or rotate")
        )
    elif unfinished is not None and at >= unfinished + held.late:
        found.append(
            Late(
                ROTATION,
                f"the rotation of {unfinished:%Y-%m-%d} is unfinished: run hygie keys rotate "
                "--resume",
            )
        )
    if oldest is not None and at >= oldest + held.keep + held.late:
        found.append(
            Late(
                DESTRUCTION,
                f"a key-encryption key superseded on {oldest:%Y-%m-%d} still stands: start hygie "
                "jobs, or run hygie keys destroy",
            )
        )
    return found
