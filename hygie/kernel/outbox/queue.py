"""The statements of the outbox: put, claim, keep, finish, fail, give back."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.errors import HygieError
from hygie.kernel.outbox.job import Event, Job

if TYPE_CHECKING:
    from asyncpg import Connection

CHANNEL = "hygie_job"
"""Notified when a transaction that put something commits."""

MOST_TRIES = 10
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(hours=1)
REMEMBERED = timedelta(days=7)
"""How long the key of a job that is done is remembered."""

_PUT = f"""
WITH made AS (
  INSERT INTO job (kind, key, payload, due)
  SELECT kind, key, payload, coalesce(not_before, now())
  FROM unnest($1::text[], $2::text[], $3::bytea[], $4::timestamptz[])
    AS given (kind, key, payload, not_before)
  ON CONFLICT (kind, key) WHERE key IS NOT NULL DO NOTHING
  RETURNING id
), told AS (SELECT pg_notify('{CHANNEL}', '') FROM made LIMIT 1)
SELECT count(*) FROM made, (SELECT count(*) FROM told) AS once
"""
# Only a worker that dies leaves a lease behind: a job that kills its worker ends here.
_BURY = """
UPDATE job SET state = 2, ended = $1, lease = NULL,
  reason = concat_ws('; ', reason, 'the worker ended during the last try')
WHERE state = 0 AND due <= $1 AND lease IS NOT NULL AND tries >= $2
"""
_CLAIM = """
WITH picked AS (
  SELECT id FROM job WHERE state = 0 AND due <= $1 AND kind = ANY ($2::text[])
  ORDER BY due, id LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE job SET lease = $4, due = $5, tries = tries + 1
FROM picked WHERE job.id = picked.id
RETURNING job.id, job.kind, job.payload, job.key, job.tries, job.lease
"""
_KEEP = """
UPDATE job SET due = $3 FROM unnest($1::bigint[], $2::uuid[]) AS held (id, lease)
WHERE job.id = held.id AND job.lease = held.lease AND state = 0 RETURNING job.id
"""
_FORGET = "DELETE FROM job WHERE id = $1 AND lease = $2 AND state = 0 RETURNING id"
_FINISH = """
UPDATE job SET state = 1, ended = $3, lease = NULL, payload = '', reason = NULL
WHERE id = $1 AND lease = $2 AND state = 0 RETURNING id
"""
_RETRY = "UPDATE job SET lease = NULL, reason = $3, due = $4 WHERE id = $1 AND lease = $2"
_DIE = """
UPDATE job SET state = 2, lease = NULL, reason = $3, ended = $4 WHERE id = $1 AND lease = $2
"""
_GIVE_BACK = """
UPDATE job SET lease = NULL, due = $3, tries = tries - 1
FROM unnest($1::bigint[], $2::uuid[]) AS held (id, lease)
WHERE job.id = held.id AND job.lease = held.lease AND state = 0
"""
_REVIVE = """
UPDATE job SET state = 0, ended = NULL, tries = 0, due = $2 WHERE id = $1 AND state = 2 RETURNING id
"""
_NEXT_DUE = "SELECT min(due) FROM job WHERE state = 0 AND kind = ANY ($1::text[])"
_PURGE = "DELETE FROM job WHERE state = 1 AND ended < $1"


class LeaseLost(HygieError):
    """Another worker has this job: what this one did is rolled back."""

    status = 503
    code = "transient"


async def put(connection: Connection, events: Sequence[Event]) -> int:
    """Add events in the caller's transaction; return how many were not there yet.

    They run after that transaction commits, and never when it rolls back.
    """
    if not events:
        return 0
    arrays = zip(*((e.kind, e.key, e.payload, e.not_before) for e in events), strict=True)
    added: int = await connection.fetchval(_PUT, *arrays)
    return added


async def claim(
    connection: Connection, kinds: Collection[str], *, now: datetime, lease: timedelta, limit: int
) -> list[Job]:
    """Take jobs that are due, oldest first, for the length of a lease."""
    await connection.execute(_BURY, now, MOST_TRIES)
    rows = await connection.fetch(_CLAIM, now, list(kinds), limit, uuid.uuid4(), now + lease)
    return sorted((Job(*row.values()) for row in rows), key=lambda job: job.id)


async def keep(connection: Connection, jobs: Collection[Job], *, until: datetime) -> frozenset[int]:
    """Prolong the leases; return the ids of the jobs still held."""
    rows = await connection.fetch(_KEEP, *_held(jobs), until)
    return frozenset(row["id"] for row in rows)


async def finish(connection: Connection, job: Job, *, now: datetime) -> None:
    """End a job in the transaction of its effects.

    Raises:
        LeaseLost: another worker has the job; the transaction is to be rolled back.
    """
    if job.key is None:
        ended = await connection.fetchval(_FORGET, job.id, job.lease)
    else:
        ended = await connection.fetchval(_FINISH, job.id, job.lease, now)
    if ended is None:
        raise LeaseLost("The lease of this job ended before its work did.")


async def fail(
    connection: Connection, job: Job, *, reason: str, now: datetime, jitter: float
) -> bool:
    """Plan another try, or give the job up after the last one; return whether it will run again.

    ``jitter``, 0 to 1, spreads the tries of jobs that failed together.
    """
    if job.tries >= MOST_TRIES:
        await connection.execute(_DIE, job.id, job.lease, reason, now)
        return False
    due = now + delay(job.tries, jitter=jitter)
    await connection.execute(_RETRY, job.id, job.lease, reason, due)
    return True


def delay(tries: int, *, jitter: float) -> timedelta:
    """Return the pause after so many tries: it doubles, from half to one and a half times.

    >>> [delay(tries, jitter=0.5).total_seconds() for tries in (1, 2, 3, 20)]
    [2.0, 4.0, 8.0, 3600.0]
    """
    whole = min(FIRST_DELAY * 2.0 ** min(tries - 1, 12), LONGEST_DELAY)
    return whole * (0.5 + jitter)


async def give_back(connection: Connection, jobs: Collection[Job], *, now: datetime) -> None:
    """Return jobs that were not done, as if they had never been claimed."""
    await connection.execute(_GIVE_BACK, *_held(jobs), now)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def revive(connection: Connection, job_id: int, *, now: datetime) -> bool:
    """Let a dead job run again, with all its tries; False when there is no such dead job."""
    found = await connection.fetchval(_REVIVE, job_id, now) is not None
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    return found


async def next_due(connection: Connection, kinds: Collection[str]) -> datetime | None:
    """Return when the next job is due or the next lease ends; None when nothing waits."""
    due: datetime | None = await connection.fetchval(_NEXT_DUE, list(kinds))
    return due


async def purge(connection: Connection, *, now: datetime) -> None:
    """Forget the keys of jobs done a week ago; dead jobs stay."""
    await connection.execute(_PURGE, now - REMEMBERED)


def _held(jobs: Iterable[Job]) -> tuple[list[int], list[uuid.UUID]]:
    jobs = list(jobs)
    return [job.id for job in jobs], [job.lease for job in jobs]
