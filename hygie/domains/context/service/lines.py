"""One connected follower: what it is told, what it answers, when it is let go."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hygie.domains.context.model import messages
from hygie.domains.context.model.events import HEARTBEAT, LOGOUT, SYNC_ERROR, Event
from hygie.domains.context.model.rules import CONFIRM, HEARTBEATS, SILENCES
from hygie.domains.context.service.publishing import publish, sync_error
from hygie.domains.context.service.showing import context_for
from hygie.kernel.errors import HygieError, Unauthenticated

if TYPE_CHECKING:
    from hygie.domains.context.service.following import Follower
    from hygie.kernel.store import Repository

Json = dict[str, Any]
Sending = Callable[[Json], Awaitable[None]]
WAITING = 32
"""Events that may wait for one slow follower."""
TICK = 1.0
SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a follower is let go, and the code its connection closes with (RFC 6455, 7.4.1)."""

    reason: str
    code: int = 1008


GOING_AWAY = Ending("The server stops: connect again.", 1001)


class Line:
    """Tells one follower; ``run`` lasts as long as the connection."""

    def __init__(
        self, repository: Repository, base: str, follower: Follower, sending: Sending
    ) -> None:
        self.id = uuid.uuid4()
        self.follower = follower
        self._repository = repository
        self._base = base
        self._send = sending
        self._waiting: asyncio.Queue[Event | Follower | Ending] = asyncio.Queue()
        self._unanswered: dict[str, tuple[float, Event]] = {}
        self._silences = 0
        self._patient = ""

    def begin(self, held: Sequence[Event]) -> None:
        """Tell what stands, before anything that comes."""
        for event in held:
            self._waiting.put_nowait(event)

    def hear(self, event: Event) -> None:
        """Queue an event; a follower that does not keep up is let go and comes back."""
        if event.source == self.follower.num:
            return
        if self._waiting.qsize() >= WAITING:
            self._waiting = asyncio.Queue()
            self._waiting.put_nowait(Ending("You do not keep up: connect again.", 1013))
        self._waiting.put_nowait(event)

    def now(self, follower: Follower | None) -> None:
        """Take over what the subscription has become; None where it was ended."""
        if follower is None:
            self._waiting.put_nowait(Ending("The subscription was ended.", 1000))
        elif follower.holder not in (None, self.id):
            self.leave()
        elif (follower.events, follower.expires) != (self.follower.events, self.follower.expires):
            self._waiting.put_nowait(follower)
        self.follower = follower or self.follower

    def leave(self) -> None:
        """End the connection, not the subscription."""
        self._waiting.put_nowait(GOING_AWAY)

    async def run(self) -> Ending:
        """Tell events until the follower is let go; return why."""
        await self._confirm()
        looked = beat = time.monotonic()
        while True:
            ending = await self._next()
            now = time.monotonic()
            if ending is None and now - looked >= TICK:
                looked, ending = now, await self._silence()
            if ending is None and now - beat >= HEARTBEATS.total_seconds():
                beat = now
                await self._beat()
            if ending is not None:
                if ending is not GOING_AWAY:
                    await self._deny(ending.reason)
                return ending

    async def _next(self) -> Ending | None:
        """Tell the next event, if one comes soon."""
        try:
            heard = await asyncio.wait_for(self._waiting.get(), TICK)
        except TimeoutError:
            return None
        if isinstance(heard, Ending):
            return heard
        if not isinstance(heard, Event):
            await self._confirm()
            return None
        try:
            await self._tell(heard)
        except Unauthenticated:
            return Ending("The token is no longer valid: subscribe anew.")
        except HygieError:
            # Nothing of a patient leaves without its trace; the follower finds its context later.
            return Ending("The event could not be read: connect again.", 1011)
        return Ending("The user left.", 1000) if heard.name == LOGOUT and not heard.sender else None

    async def _confirm(self) -> None:
        follower = self.follower
        left = (follower.expires - datetime.now(UTC)).total_seconds()
        await self._send(messages.confirmation(follower.topic.name, follower.events, left))

    async def _tell(self, heard: Event) -> None:
        event = heard.within(self.follower.events)
        if event is None or (event is not heard and event.patient == self._patient):
            return
        context = await self._context(event)
        if context is None:
            return
        if event.focus == "Patient" or event.opens:
            self._patient = event.patient if event.opens else ""
        if self.follower.bearer is not None and event.name != SYNC_ERROR:
            self._unanswered[event.id] = (time.monotonic(), event)
        await self._send(messages.notification(event, self.follower.topic.name, context))

    async def _context(self, event: Event) -> list[Json] | None:
        """Return what this follower may see; the pages are told of an event and nothing of it."""
        if self.follower.bearer is None:
            return []
        return await context_for(self._repository, self.follower.bearer, event, base=self._base)

    async def _beat(self) -> None:
        if HEARTBEAT in self.follower.events:
            beat = messages.heartbeat(self.follower.topic.name, datetime.now(UTC), HEARTBEATS)
            await self._send(beat)

    async def _silence(self) -> Ending | None:
        """Look for notifications that were not answered in time, and for the end of the lease."""
        if self.follower.expires <= datetime.now(UTC):
            return Ending("The subscription is over: subscribe anew.", 1000)
        late = time.monotonic() - CONFIRM.total_seconds()
        overdue = [event for sent, event in self._unanswered.values() if sent < late]
        for event in overdue:
            del self._unanswered[event.id]
            self._silences += 1
            await self._report(event, "gave no answer")
        if self._silences >= SILENCES:
            return Ending("You gave no answer to several events: subscribe anew.")
        return None

    async def answered(self, told: object) -> None:
        """Take an answer; a refusal is told to the others (FHIRcast 3.0.0, section 2.5)."""
        name, status = messages.read_answer(told)
        _, event = self._unanswered.pop(name, (0.0, None))
        if event is None:
            return
        self._silences = 0
        if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15
            told_of = "could not follow" if status >= SERVER_FAULT else "does not follow"
            await self._report(event, told_of)

    async def lost(self) -> None:
        """Tell the others that this follower went without a goodbye."""
        held = next(reversed(self._unanswered.values()), None)
        about = held[1] if held else Event("", "", datetime.now(UTC), {})
        await self._report(about, "is no longer connected")

    async def _report(self, event: Event, why: str) -> None:
        name = self.follower.name or self.follower.client
        about = {
            "id": event.id,
            "event": event.name,
            "subscriber": name,
            "why": f"{name} {why}",
        }
        error = sync_error(about, sender=self.follower.client, source=self.follower.num)
        # A session that ended meanwhile, or that sends too much, has nobody to tell.
        with contextlib.suppress(HygieError):
            await publish(self._repository.database, self.follower.topic, error)

    async def _deny(self, reason: str) -> None:
        follower = self.follower
        await self._send(messages.denial(follower.topic.name, follower.events, reason))
