"""What an operator must look at: rows of ``trace_alarm`` and lines of the operators' log.

=============  ===================================================================================
late-head      traces wait for their place: the sequencer or its key is missing
fork           a witness knows another history of the same log
rollback       a witness knows a longer log: its tail was removed, or an old backup restored
witness        a witness does not answer
timestamp      the timestamp authority does not answer, or answers wrongly
clock          a head is dated before the one it follows
keys           a rotation or a destruction of keys is late (``kernel/store/key_jobs``)
spool          a spool of an emergency was changed, or cannot be merged
=============  ===================================================================================
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection

log = logging.getLogger(__name__)

_SOUND = """
INSERT INTO trace_alarm (kind, subject, detail) VALUES ($1, $2, $3)
ON CONFLICT (kind, subject) WHERE ended IS NULL DO UPDATE SET detail = excluded.detail
RETURNING xmax = 0
"""
_END = """
UPDATE trace_alarm SET ended = clock_timestamp() WHERE kind = $1 AND subject = $2
  AND ended IS NULL RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An open alarm; ``subject`` is the witness, head or file it is about."""

    kind: str
    subject: str
    detail: str
    at: datetime


async def sound(connection: Connection, kind: str, subject: str, detail: str) -> None:
    """Open an alarm, or tell more about one that is open; needs role ``hygie_sequencer``."""
    if await connection.fetchval(_SOUND, kind, subject, detail):
        log.error("audit.alarm", extra={"kind": kind, "subject": subject, "detail": detail})


async def end(connection: Connection, kind: str, subject: str) -> None:
    """Close an alarm, if one is open."""
    if await connection.fetchval(_END, kind, subject):
        log.info("audit.alarm_ended", extra={"kind": kind, "subject": subject})


async def standing(connection: Connection) -> list[Alarm]:
    """Return the open alarms, oldest first; ``hygie_app`` may ask too."""
    rows = await connection.fetch(
        "SELECT kind, subject, detail, at FROM trace_alarm WHERE ended IS NULL ORDER BY id"
    )
    return [Alarm(row["kind"], row["subject"], row["detail"], row["at"]) for row in rows]
