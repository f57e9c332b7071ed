"""Hear from the other workers that a topic changed (PostgreSQL LISTEN), for as long as we serve.

What is heard names a topic and nothing else; a connection that is lost is made again, and every
topic is then looked at, so that nothing said meanwhile is missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import asyncpg

from hygie.domains.context.service.topics import CHANNEL
from hygie.kernel.database.connection import LOST, Database
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

log = logging.getLogger(__name__)
EVERYTHING = None
"""Heard after a silence: any topic may have changed."""
Heard = Callable[[int | None], None]
LOOK = 5.0
"""Seconds between two looks at whether the connection still answers."""
PAUSE = 0.5


class Ear:
    """Calls ``heard`` with the number of each topic that changes."""

    def __init__(self, database: Database, heard: Heard) -> None:
        self._database = database.beside(role=database.role, size=1)
        self._heard = heard
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to listen; called on the loop."""
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _listen(self) -> None:
        while True:
            try:
                async with self._database.connection() as connection:
                    await self._hear(connection)
            except (Unavailable, asyncpg.PostgresError, asyncpg.InterfaceError):
                log.warning("context.ear_lost")
            await asyncio.sleep(PAUSE)

    async def _hear(self, connection: Connection) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._told)
        try:
            self._heard(EVERYTHING)
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), LOOK)
                await connection.execute("SELECT 1", timeout=LOOK)
        except LOST as error:
            raise Unavailable("The database went away.") from error
        finally:
            if not connection.is_closed():
                await connection.remove_listener(CHANNEL, self._told)

    def _told(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        text = str(payload)
        if text.isdecimal():
            self._heard(int(text))
