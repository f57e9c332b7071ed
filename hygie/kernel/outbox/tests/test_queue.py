from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygie.kernel.database.connection import Database
from hygie.kernel.outbox import queue
from hygie.kernel.outbox.job import NEXT, Event, Job, State
from hygie.kernel.outbox.tests.conftest import NOW

if TYPE_CHECKING:
    from asyncpg import Connection

LEASE = timedelta(seconds=30)


def events(count: int, *, kind: str = "mail") -> list[Event]:
    return [Event(kind, str(number).encode(), not_before=NOW) for number in range(count)]


async def claimed(
    connection: Connection, *, limit: int = 100, after: timedelta = LEASE * 0
) -> list[Job]:
    return await queue.claim(connection, ["mail"], now=NOW + after, lease=LEASE, limit=limit)


async def state_of(connection: Connection) -> asyncpg.Record:
    row = await connection.fetchrow("SELECT * FROM job")
    assert row is not None
    return row


async def test_what_is_put_is_claimed_oldest_first(connection: Connection) -> None:
    assert await queue.put(connection, events(3)) == 3
    jobs = await claimed(connection, limit=2)
    assert [(job.payload, job.tries) for job in jobs] == [(b"0", 1), (b"1", 1)]


async def test_nothing_put_is_nothing(connection: Connection) -> None:
    assert await queue.put(connection, []) == 0


async def test_an_event_falls_with_its_transaction(connection: Connection) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await queue.put(connection, events(1))
    await transaction.rollback()
    assert await claimed(connection) == []


async def test_events_of_one_kind_and_key_are_one(connection: Connection) -> None:
    twice = [
        Event("mail", b"", "a", NOW),
        Event("mail", b"", "a", NOW),
        Event("sms", b"", "a", NOW),
    ]
    assert await queue.put(connection, twice) == 2
    assert await queue.put(connection, twice) == 0


async def test_a_key_is_remembered_a_week_after_the_job_is_done(connection: Connection) -> None:
    event = Event("mail", b"secret", "a", NOW)
    await queue.put(connection, [event])
    [job] = await claimed(connection)
    await queue.finish(connection, job, now=NOW)
    row = await state_of(connection)
    assert (row["state"], row["payload"]) == (State.DONE, b"")
    await queue.purge(connection, now=NOW + timedelta(days=6))
    assert await queue.put(connection, [event]) == 0
    await queue.purge(connection, now=NOW + timedelta(days=8))
    assert await queue.put(connection, [event]) == 1


async def test_two_transactions_that_put_one_key_put_one_job(opened: Database) -> None:
    async def put() -> int:
        async with opened.transaction() as connection:
            return await queue.put(connection, [Event("mail", b"", "a", NOW)])

    assert sum(await asyncio.gather(*(put() for _ in range(6)))) == 1


async def test_a_job_without_key_disappears_when_done(connection: Connection) -> None:
    await queue.put(connection, events(1))
    [job] = await claimed(connection)
    await queue.finish(connection, job, now=NOW)
    assert await connection.fetchval("SELECT count(*) FROM job") == 0


async def test_a_job_waits_for_its_instant(connection: Connection) -> None:
    await queue.put(connection, [Event("mail", not_before=NOW + timedelta(hours=1))])
    assert await claimed(connection) == []
    assert await queue.next_due(connection, ["mail"]) == NOW + timedelta(hours=1)
    assert len(await claimed(connection, after=timedelta(hours=1))) == 1


async def test_another_kind_is_left(connection: Connection) -> None:
    await queue.put(connection, events(1, kind="sms"))
    assert await claimed(connection) == []
    assert await queue.next_due(connection, ["mail"]) is None


async def test_a_leased_job_is_claimed_again_only_after_its_lease(connection: Connection) -> None:
    await queue.put(connection, events(1))
    [first] = await claimed(connection)
    assert await claimed(connection, after=LEASE * 0.9) == []
    [second] = await claimed(connection, after=LEASE)
    assert (second.tries, second.id) == (2, first.id)
    with pytest.raises(queue.LeaseLost):
        await queue.finish(connection, first, now=NOW)
    await queue.finish(connection, second, now=NOW)


async def test_a_kept_lease_lasts_longer_and_a_lost_one_is_told(connection: Connection) -> None:
    await queue.put(connection, events(2))
    kept, lost = await claimed(connection)
    stolen = Job(lost.id, lost.kind, lost.payload, None, 1, uuid.uuid4())
    assert await queue.keep(connection, [kept, stolen], until=NOW + LEASE * 2) == {kept.id}
    [again] = await claimed(connection, after=LEASE * 1.5)
    assert again.id == lost.id


async def test_concurrent_workers_never_share_a_job(opened: Database) -> None:
    async with opened.connection() as connection:
        await queue.put(connection, events(200))

    async def drain() -> list[int]:
        mine: list[int] = []
        async with opened.connection() as connection:
            while jobs := await claimed(connection, limit=7):
                mine += [job.id for job in jobs]
        return mine

    taken = await asyncio.gather(*(drain() for _ in range(5)))
    ids = [job for mine in taken for job in mine]
    assert len(ids) == len(set(ids)) == 200


async def test_a_failed_job_waits_longer_each_time_then_dies_with_its_reason(
    connection: Connection,
) -> None:
    await queue.put(connection, events(1))
    now, waits = NOW, []
    for tries in range(1, queue.MOST_TRIES + 1):
        [job] = await queue.claim(connection, ["mail"], now=now, lease=LEASE, limit=1)
        again = await queue.fail(connection, job, reason=f"no {tries}", now=now, jitter=0.5)
        assert again == (tries < queue.MOST_TRIES)
        due = await queue.next_due(connection, ["mail"])
        waits += [(due - now).total_seconds()] if due else []
        now = due or now
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    row = await state_of(connection)
    assert (row["state"], row["reason"], row["payload"]) == (State.DEAD, "no 10", b"0")


async def test_a_job_that_kills_its_worker_every_time_dies_too(connection: Connection) -> None:
    await queue.put(connection, events(1))
    for tries in range(queue.MOST_TRIES):
        assert len(await claimed(connection, after=LEASE * tries)) == 1
    assert await claimed(connection, after=LEASE * queue.MOST_TRIES) == []
    row = await state_of(connection)
    assert row["state"] == State.DEAD
    assert "the worker ended" in row["reason"]


async def test_a_dead_job_can_be_revived(connection: Connection) -> None:
    await queue.put(connection, events(1))
    await connection.execute("UPDATE job SET state = 2, tries = 10")
    number = (await state_of(connection))["id"]
    assert await queue.revive(connection, number, now=NOW)
    assert not await queue.revive(connection, number, now=NOW)
    [job] = await claimed(connection)
    assert job.tries == 1


async def test_a_job_given_back_is_as_if_never_claimed(connection: Connection) -> None:
    await queue.put(connection, events(1))
    [job] = await claimed(connection)
    await queue.give_back(connection, [job], now=NOW)
    [again] = await claimed(connection)
    assert again.tries == 1


@given(st.integers(1, 60), st.floats(0, 1))
def test_delays_stay_between_a_second_and_an_hour_and_a_half(tries: int, jitter: float) -> None:
    pause = queue.delay(tries, jitter=jitter)
    assert timedelta(seconds=1) <= pause <= timedelta(hours=1.5)


def test_every_state_says_what_may_follow() -> None:
    assert set(NEXT) == set(State)
