from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.outbox.job import Handler
from hygie.kernel.outbox.worker import LANES, Worker
from hygie.testing.database import ScratchDatabase

if TYPE_CHECKING:
    from asyncpg import Connection

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class HandClock:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def opened(database: ScratchDatabase) -> AsyncIterator[Database]:
    """Return connections of the application on an empty outbox, with a table for effects."""
    async with database.open(role=roles.OWNER, size=1) as owners, owners.connection() as owner:
        await owner.execute(
            "CREATE TABLE IF NOT EXISTS effect (job bigint, note text);"
            f"GRANT ALL ON effect TO {roles.APP};"
            "TRUNCATE job, job_schedule, effect"
        )
    async with database.open(size=LANES + 4) as opened:
        yield opened


@pytest.fixture
async def connection(opened: Database) -> AsyncIterator[Connection]:
    async with opened.connection() as connection:
        yield connection


Working = Callable[..., AbstractAsyncContextManager[Worker]]


@pytest.fixture
def working(opened: Database) -> Working:
    """Return a maker of workers that run for the length of a block."""

    @contextlib.asynccontextmanager
    async def working(
        handlers: Mapping[str, Handler], *, periodic: Mapping[str, timedelta] = {}, **options: Any
    ) -> AsyncIterator[Worker]:
        stop = asyncio.Event()
        worker = Worker(opened, handlers, periodic, **options)
        task = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await task

    return working


async def until(
    connection: Connection, statement: str, value: object, *, within: float = 5
) -> None:
    """Wait until a statement gives a value."""
    async with asyncio.timeout(within):
        while await connection.fetchval(statement) != value:  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0.01)
