"""Periodic jobs: each start is put in the outbox by one worker only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection

# The row lock elects: a second worker finds `due` moved and starts nothing. A start is skipped
# while the one before it still waits or runs, and what was missed is not made up for.
_START = """
WITH fired AS (
  INSERT INTO job_schedule (name, due)
  SELECT name, $1::timestamptz + every
  FROM unnest($2::text[], $3::interval[]) AS given (name, every)
  ON CONFLICT (name) DO UPDATE SET due = excluded.due WHERE job_schedule.due <= $1::timestamptz
  RETURNING job_schedule.name
)
INSERT INTO job (kind, payload, due) SELECT name, '', $1::timestamptz FROM fired
WHERE NOT EXISTS (SELECT FROM job WHERE job.kind = fired.name AND state = 0)
"""
_NEXT = "SELECT min(due) FROM job_schedule WHERE name = ANY ($1::text[])"


async def start_due(
    connection: Connection, periodic: Mapping[str, timedelta], *, now: datetime
) -> datetime | None:
    """Put the jobs that are due, new ones at once; return when the next one is.

    None when there are none.
    """
    names = sorted(periodic)  # in one order, so that two workers wait for one another
    await connection.execute(_START, now, names, [periodic[name] for name in names])
    due: datetime | None = await connection.fetchval(_NEXT, list(periodic))
    return due
