from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import Conflict
from hygie.kernel.outbox import queue
from hygie.kernel.outbox.job import Event, Job, State
from hygie.kernel.outbox.tests.conftest import HandClock, Working, until
from hygie.kernel.outbox.worker import BATCH, LANES, Worker, run
from hygie.testing.database import ScratchDatabase

if TYPE_CHECKING:
    from asyncpg import Connection

WAITING = "SELECT count(*) FROM job WHERE state = 0 AND kind <> 'outbox.purge'"


async def note(connection: Connection, job: Job) -> None:
    """Handle a job: leave an effect."""
    await connection.execute("INSERT INTO effect VALUES ($1, $2)", job.id, job.payload.decode())


async def refuse(connection: Connection, job: Job) -> None:
    await note(connection, job)
    raise ValueError("Madame Martin")


async def test_a_job_put_while_the_worker_sleeps_runs_at_once(
    connection: Connection, working: Working
) -> None:
    async with working({"mail": note}):
        await asyncio.sleep(0.2)
        await queue.put(connection, [Event("mail", b"hello")])
        await until(connection, "SELECT note FROM effect", "hello", within=1)
        await until(connection, WAITING, 0)


async def test_many_jobs_run_once_each(connection: Connection, working: Working) -> None:
    await queue.put(connection, [Event("mail", str(number).encode()) for number in range(150)])
    async with working({"mail": note}), working({"mail": note}):
        await until(connection, WAITING, 0)
    rows = await connection.fetch("SELECT note FROM effect")
    assert sorted(int(row["note"]) for row in rows) == list(range(150))


async def test_a_bad_job_never_fails_its_neighbours(
    connection: Connection, working: Working
) -> None:
    await queue.put(connection, [Event("bad"), *[Event("mail")] * 30, Event("bad")])
    async with working({"mail": note, "bad": refuse}):
        await until(connection, "SELECT count(*) FROM effect", 30)
        await until(connection, "SELECT count(*) FROM job WHERE reason IS NOT NULL", 2)


async def test_a_failed_job_leaves_no_effect_and_no_personal_word(
    connection: Connection, working: Working
) -> None:
    await queue.put(connection, [Event("bad")])
    async with working({"bad": refuse}):
        await until(connection, "SELECT reason FROM job WHERE kind = 'bad'", "ValueError")
    assert await connection.fetchval("SELECT count(*) FROM effect") == 0


async def test_the_sentence_of_our_own_errors_is_kept(
    connection: Connection, working: Working
) -> None:
    async def conflict(_: Connection, __: Job) -> None:
        raise Conflict("Read again.")

    await queue.put(connection, [Event("bad")])
    async with working({"bad": conflict}):
        await until(
            connection, "SELECT reason FROM job WHERE kind = 'bad'", "Conflict: Read again."
        )


async def test_a_failed_job_is_tried_again(
    connection: Connection, working: Working, clock: HandClock
) -> None:
    async def second_time(connection: Connection, job: Job) -> None:
        if job.tries == 1:
            raise ConnectionError
        await note(connection, job)

    await queue.put(connection, [Event("mail", not_before=clock.now())])
    async with working({"mail": second_time}, clock=clock) as worker:
        await until(connection, "SELECT tries FROM job WHERE reason IS NOT NULL", 1)
        clock.move(seconds=3)
        await connection.execute("SELECT pg_notify($1, '')", queue.CHANNEL)
        await until(connection, "SELECT count(*) FROM effect", 1)
    assert isinstance(worker, Worker)


async def test_a_long_job_keeps_its_lease(connection: Connection, working: Working) -> None:
    async def long(connection: Connection, job: Job) -> None:
        await asyncio.sleep(1)
        await note(connection, job)

    await queue.put(connection, [Event("mail")])
    lease = timedelta(seconds=0.3)
    async with working({"mail": long}, lease=lease), working({"mail": long}, lease=lease):
        await until(connection, WAITING, 0)
    assert await connection.fetchval("SELECT count(*) FROM effect") == 1


async def test_a_worker_that_lost_its_lease_leaves_no_effect(
    connection: Connection, working: Working
) -> None:
    started, go = asyncio.Event(), asyncio.Event()

    async def paused(connection: Connection, job: Job) -> None:
        await note(connection, job)
        started.set()
        await go.wait()

    await queue.put(connection, [Event("mail", b"late", "k")])
    async with working({"mail": paused}):
        await started.wait()
        await connection.execute("UPDATE job SET lease = gen_random_uuid() WHERE kind = 'mail'")
        go.set()
        await asyncio.sleep(0.2)
    assert await connection.fetchval("SELECT count(*) FROM effect") == 0
    assert await connection.fetchval("SELECT state FROM job WHERE key = 'k'") == State.WAITING


async def test_a_stopping_worker_gives_back_what_it_did_not_do(
    connection: Connection, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hygie.kernel.outbox.worker.GRACE", 0.1)

    async def endless(_: Connection, __: Job) -> None:
        await asyncio.Event().wait()

    await queue.put(connection, [Event("mail")] * (BATCH + LANES))
    async with working({"mail": endless}):
        await until(connection, "SELECT count(*) FROM job WHERE lease IS NOT NULL", BATCH)
    rows = await connection.fetch("SELECT lease, tries FROM job WHERE kind = 'mail'")
    assert {(row["lease"], row["tries"]) for row in rows} == {(None, 0)}


async def test_a_stopping_worker_lets_a_running_job_end(
    connection: Connection, working: Working
) -> None:
    started = asyncio.Event()

    async def short(connection: Connection, job: Job) -> None:
        started.set()
        await asyncio.sleep(0.2)
        await note(connection, job)

    await queue.put(connection, [Event("mail")])
    async with working({"mail": short}):
        await started.wait()
    assert await connection.fetchval("SELECT count(*) FROM effect") == 1


async def test_an_idle_worker_asks_the_database_nothing(
    connection: Connection, working: Working
) -> None:
    async with working({"mail": note}) as worker:
        await until(connection, "SELECT count(*) FROM job", 0)
        await asyncio.sleep(0.5)
        claims = 0
        claim = worker._claim

        async def counted() -> float | None:
            nonlocal claims
            claims += 1
            return await claim()

        worker._claim = counted  # type: ignore[method-assign]
        await asyncio.sleep(0.5)
        assert claims == 0


async def test_a_lost_listener_comes_back(
    connection: Connection, working: Working, database: ScratchDatabase
) -> None:
    async with working({"mail": note}):
        await asyncio.sleep(0.2)
        with connect(database.admin_dsn) as admin:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            ).fetchall()
        assert len(ended) == 1
        await queue.put(connection, [Event("mail")])
        await until(connection, "SELECT count(*) FROM effect", 1)


async def test_a_periodic_job_starts_once_an_interval_whatever_the_workers(
    connection: Connection, working: Working, clock: HandClock
) -> None:
    periodic = {"daily": timedelta(days=1)}
    options = {"periodic": periodic, "clock": clock}
    async with working({"daily": note}, **options), working({"daily": note}, **options):
        for days in range(1, 4):
            await until(connection, "SELECT count(*) FROM effect", days)
            await asyncio.sleep(0.1)
            clock.move(days=1)
            await connection.execute("SELECT pg_notify($1, '')", queue.CHANNEL)
        await until(connection, "SELECT count(*) FROM effect", 4)
    assert await connection.fetchval("SELECT count(*) FROM effect") == 4


async def test_missed_starts_are_not_made_up_for(
    connection: Connection, working: Working, clock: HandClock
) -> None:
    periodic = {"daily": timedelta(days=1)}
    async with working({"daily": note}, periodic=periodic, clock=clock):
        await until(connection, "SELECT count(*) FROM effect", 1)
    clock.move(days=10)
    async with working({"daily": note}, periodic=periodic, clock=clock):
        await until(connection, "SELECT count(*) FROM effect", 2)
        await asyncio.sleep(0.2)
    assert await connection.fetchval("SELECT count(*) FROM effect") == 2


async def test_a_periodic_job_without_handler_is_refused(opened: Database) -> None:
    with pytest.raises(ValueError, match="weekly"):
        await run(opened, {}, {"weekly": timedelta(weeks=1)}, stop=asyncio.Event())


KILLED = """
import asyncio, sys
from datetime import timedelta
from hygie.kernel.database.connection import Database
from hygie.kernel.outbox.worker import Worker

async def handle(connection, job):
    await connection.execute("INSERT INTO effect VALUES ($1, 'killed')", job.id)
    print("inside", flush=True)
    await asyncio.sleep(60)

async def main():
    database = await Database.open(sys.argv[1], size=6)
    await Worker(database, {"mail": handle}, {}, lease=timedelta(seconds=1)).run(asyncio.Event())

asyncio.run(main())
"""


async def test_a_job_whose_worker_is_killed_has_one_effect(
    connection: Connection, working: Working, database: ScratchDatabase
) -> None:
    await queue.put(connection, [Event("mail", b"second", "once")])
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, database.dsn, stdout=subprocess.PIPE
    )
    assert killed.stdout
    assert await killed.stdout.readline() == b"inside\n"
    killed.kill()
    await killed.wait()
    async with working({"mail": note}):
        await until(connection, WAITING, 0, within=10)
    rows = await connection.fetch("SELECT note FROM effect")
    assert [row["note"] for row in rows] == ["second"]
    assert await connection.fetchval("SELECT tries FROM job WHERE key = 'once'") == 2
