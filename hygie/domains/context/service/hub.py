"""The hub of one worker: its connected followers by topic, woken when a topic changes.

An event stands in the database before anybody hears of it; a worker reads it from there, so that
any worker may take a request and any other hold the connections.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hygie.domains.context.service import following, publishing
from hygie.domains.context.service.lines import Line, Sending
from hygie.domains.context.service.listening import EVERYTHING, Ear
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from hygie.domains.context.service.following import Follower
    from hygie.kernel.store import Repository

log = logging.getLogger(__name__)
MOST_LINES = 2000
"""Followers of one worker: each is a connection, a task and some kilobytes."""
AGAIN = 1.0
"""Seconds before a topic is looked at again, where the database did not answer."""


@dataclass
class Room:
    """The connected followers of one topic, and how far its events were handed to them."""

    topic: int
    last: int = 0
    lines: dict[int, Line] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Hub:
    """Connects followers to what is published; ``base`` is the FHIR base URL."""

    def __init__(self, repository: Repository, base: str) -> None:
        self.repository = repository
        self.base = base
        self._rooms: dict[int, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ear = Ear(repository.database, self._heard)
        self._open = False

    async def close(self) -> None:
        """Let every follower go; they find their context again where they reconnect."""
        await self._ear.close()
        for room in self._rooms.values():
            for line in room.lines.values():
                line.leave()
        for task in list(self._tasks):
            task.cancel()

    async def attach(self, follower: Follower, sending: Sending) -> Line:
        """Connect a follower: it is told what stands, then each event as it comes.

        A connection made anew for the same subscription replaces the one before.

        Raises:
            Unavailable: this worker has as many followers as it may.
        """
        if sum(len(room.lines) for room in self._rooms.values()) >= MOST_LINES:
            raise Unavailable("This server has too many followers; try again later.")
        if not self._open:
            self._open = True
            self._ear.open()
        room = self._rooms.setdefault(follower.topic.num, Room(follower.topic.num))
        line = Line(self.repository, self.base, follower, sending)
        async with room.turn:
            async with self.repository.database.connection() as connection:
                held = await publishing.held_in(connection, room.topic)
                newest = await publishing.newest(connection, room.topic)
                await following.hold(connection, follower, line.id)
            before = room.lines.get(follower.num)
            if before is not None:
                before.leave()
            if not room.lines:
                room.last = newest
            room.lines[follower.num] = line
            line.begin([one for one in held if one.num <= room.last])
        self._soon(room.topic)
        return line

    async def detach(self, line: Line) -> None:
        """Forget a connection that ended; one of a page has no use without its page."""
        follower = line.follower
        room = self._rooms.get(follower.topic.num)
        if room is None or room.lines.get(follower.num) is not line:
            return
        del room.lines[follower.num]
        if not room.lines:
            del self._rooms[room.topic]
        if follower.bearer is None:
            async with self.repository.database.connection() as connection:
                await following.drop(connection, follower.num)

    def _heard(self, topic: int | None) -> None:
        for one in list(self._rooms) if topic is EVERYTHING else [topic]:
            if one in self._rooms:
                self._soon(one)

    def _soon(self, topic: int) -> None:
        task = asyncio.get_running_loop().create_task(self._look(topic))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self, topic: int) -> None:
        """Hand the new events of a topic to its connected followers."""
        while True:
            room = self._rooms.get(topic)
            if room is None:
                return
            try:
                async with room.turn:
                    await self._hand(room)
            except Unavailable:
                log.warning("context.not_read")
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _hand(self, room: Room) -> None:
        async with self.repository.database.connection() as connection:
            events = await publishing.since(connection, room.topic, room.last)
            standing = await following.of_topic(connection, room.topic)
        for number, line in list(room.lines.items()):
            line.now(standing.get(number))
            for event in events:
                line.hear(event)
        room.last = max((one.num for one in events), default=room.last)
