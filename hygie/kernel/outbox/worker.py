"""Run jobs: claim them in batches, keep their leases alive, end each with its effects.

A worker that is killed leaves leases behind; when they end, another worker starts those jobs
again. Nothing of the first try was committed, so the effect is seen once.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.errors import HygieError, Unavailable
from hygie.kernel.outbox import queue, schedule
from hygie.kernel.outbox.job import Handler, Job

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
LANES = 4
"""Jobs of one worker that run at the same time; the database needs two connections more."""
BATCH = 20
LEASE = timedelta(seconds=30)
GRACE = 2.0
"""Seconds that running jobs have to end when the worker stops; then they are given back."""
LONGEST_WAIT = 60.0
SHORTEST_WAIT = 0.05
_PURGE = "outbox.purge"
_AFTER_LOSS = 1.0


async def run(
    database: Database,
    handlers: Mapping[str, Handler],
    periodic: Mapping[str, timedelta],
    *,
    stop: asyncio.Event,
) -> None:
    """Run jobs until ``stop`` is set; then finish those that run and give the others back.

    ``handlers`` are by kind. ``periodic`` are kinds that start by themselves at an interval.
    ``database`` has at least ``LANES + 2`` connections.
    """
    await Worker(database, handlers, periodic).run(stop)


class Worker:
    """One worker process."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        periodic: Mapping[str, timedelta],
        *,
        clock: Clock | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        self._clock = clock or SystemClock()
        self._database = database
        self._handlers = {**handlers, _PURGE: self._purge}
        self._periodic = {**periodic, _PURGE: timedelta(hours=1)}
        self._lease = lease
        self._next_start: datetime | None = None
        self._held: dict[int, Job] = {}
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._queue: asyncio.Queue[Job] = asyncio.Queue()
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Run jobs until ``stop`` is set.

        Raises:
            ValueError: a periodic job has no handler.
        """
        missing = set(self._periodic) - set(self._handlers)
        if missing:
            raise ValueError(f"periodic jobs without handler: {', '.join(sorted(missing))}")
        helpers = [
            asyncio.create_task(helper)
            for helper in (self._listen(), self._keep_leases(), self._wake_at(stop))
        ]
        lanes = [asyncio.create_task(self._lane()) for _ in range(LANES)]
        try:
            while not stop.is_set():
                await self._wait(await self._claim())
        finally:
            await self._wind_up(helpers, lanes)

    async def _claim(self) -> float | None:
        """Fill the queue; return the seconds until there may be more, None for when room comes."""
        self._wake.clear()
        room = BATCH - len(self._held)
        if room <= 0:
            return None
        now = self._clock.now()
        try:
            async with self._database.connection() as connection:
                if self._next_start is None or self._next_start <= now:
                    self._next_start = await schedule.start_due(connection, self._periodic, now=now)
                jobs = await queue.claim(
                    connection, self._handlers, now=now, lease=self._lease, limit=room
                )
                due = await queue.next_due(connection, self._handlers)
        except Unavailable:
            log.warning("jobs.database_lost")
            return _AFTER_LOSS
        for job in jobs:
            self._held[job.id] = job
            self._queue.put_nowait(job)
        return None if len(jobs) == room else self._seconds_until(self._next_start, due, now=now)

    def _seconds_until(self, *instants: datetime | None, now: datetime) -> float:
        waits = [(instant - now).total_seconds() for instant in instants if instant is not None]
        return max(SHORTEST_WAIT, min([*waits, LONGEST_WAIT]))

    async def _wait(self, seconds: float | None) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _lane(self) -> None:
        while True:
            job = await self._queue.get()
            task = self._running[job] = asyncio.create_task(self._run_one(job))
            try:
                await asyncio.wait([task])
            finally:
                task.cancel()
                del self._running[job]
            if self._held.get(job.id) is job:
                del self._held[job.id]
            if len(self._held) in {BATCH // 2, 0}:
                self._wake.set()

    async def _run_one(self, job: Job) -> None:
        if self._held.get(job.id) is not job:
            return
        try:
            async with self._database.transaction(system=True) as connection:
                await self._handlers[job.kind](connection, job)
                await queue.finish(connection, job, now=self._clock.now())
        except queue.LeaseLost:
            log.warning("jobs.lease_lost", extra={"job": job.id, "kind": job.kind})
        except Exception as error:  # noqa: BLE001 - the edge: a handler may raise anything
            await self._failed(job, error)

    async def _failed(self, job: Job, error: Exception) -> None:
        # The words of another library's error may quote a person's data: only its name is kept.
        sentence = f": {error}" if isinstance(error, HygieError) else ""
        reason = f"{type(error).__name__}{sentence}"
        log.warning(
            "jobs.failed",
            extra={"job": job.id, "kind": job.kind, "tries": job.tries, "reason": reason},
        )
        try:
            async with self._database.connection() as connection:
                await queue.fail(
                    connection,
                    job,
                    reason=reason,
                    now=self._clock.now(),
                    jitter=random.random(),  # noqa: S311 - spreads load, hides nothing
                )
        except Unavailable:
            log.warning("jobs.database_lost")
        self._wake.set()

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            held = list(self._held.values())
            try:
                async with self._database.connection() as connection:
                    until = self._clock.now() + self._lease
                    kept = await queue.keep(connection, held, until=until)
            except Unavailable:
                continue
            for job in held:
                if job.id not in kept and self._held.get(job.id) is job:
                    self._drop(job)

    def _drop(self, job: Job) -> None:
        """Leave a job that ended meanwhile, or that another worker took."""
        self._held.pop(job.id, None)
        if job in self._running:
            self._running[job].cancel()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.connection() as connection:
                    await self._listen_on(connection)
            except Unavailable:
                log.warning("jobs.database_lost")
            await asyncio.sleep(_AFTER_LOSS)

    async def _listen_on(self, connection: Connection) -> None:
        gone = asyncio.Event()

        def wake(*_: object) -> None:
            self._wake.set()

        connection.add_termination_listener(lambda _: gone.set())
        await connection.add_listener(queue.CHANNEL, wake)
        self._wake.set()
        try:
            await gone.wait()
        finally:
            if not connection.is_closed():
                await connection.remove_listener(queue.CHANNEL, wake)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()

    async def _wind_up(
        self, helpers: list[asyncio.Task[None]], lanes: list[asyncio.Task[None]]
    ) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=GRACE)
        for task in (*helpers, *lanes):
            task.cancel()
        await asyncio.gather(*helpers, *lanes, *self._running.values(), return_exceptions=True)
        try:
            async with self._database.connection() as connection:
                held = list(self._held.values())
                await queue.give_back(connection, held, now=self._clock.now())
        except Unavailable:
            log.warning("jobs.database_lost")

    async def _purge(self, connection: Connection, _: Job) -> None:
        await queue.purge(connection, now=self._clock.now())
