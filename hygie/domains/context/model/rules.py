"""When an event may follow the ones before it: no replay, no way back, no flood.

Source: FHIRcast 3.0.0, sections 2.5 (affinity by timestamp) and 2.6 (a request may be refused).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hygie.domains.context.model.events import Event
from hygie.kernel.errors import Conflict, InvalidRequest, Unavailable

OLDEST = timedelta(minutes=10)
"""An event that occurred before is not sent any more: an id need not be remembered longer."""
AHEAD = timedelta(seconds=60)
"""How far a clock may be ahead of ours; further, nobody else could change the context."""
REMEMBERED = timedelta(minutes=15)
"""How long an event that no longer stands is kept, to refuse that it comes back."""
BURST, WITHIN = 30, timedelta(seconds=10)
"""Events of one session in so long."""
IDLE = timedelta(hours=1)
"""A session nobody used for so long is over, with all that it held."""
LEASE = timedelta(hours=1)
"""The longest subscription; never longer than its token."""
CONFIRM = timedelta(seconds=10)
"""How long a follower has to answer a notification."""
SILENCES = 2
"""Notifications in a row left without an answer, after which a follower is let go."""
HEARTBEATS = timedelta(seconds=10)
FOLLOWERS = 20
"""Followers of one session at once."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the session knows when an event comes.

    Attributes:
        seen: whether an event of this id came before.
        newest: when the newest change of context occurred, None for none.
        lately: events of the last seconds.
    """

    seen: bool
    newest: datetime | None
    lately: int


def check_may_follow(event: Event, past: Past, *, now: datetime) -> None:
    """Refuse an event that cannot be the next one.

    Raises:
        InvalidRequest: its time is too old or in the future.
        Conflict: it came before, or a newer context stands.
        Unavailable: the session sends too many.
    """
    if event.at > now + AHEAD:
        raise InvalidRequest("The timestamp is in the future: set your clock.")
    if past.seen:
        raise Conflict("An event with this id came before; a new event has a new id.")
    if event.at < now - OLDEST:
        raise Conflict("This event is too old; send what is open now.")
    if event.focus and past.newest is not None and event.at < past.newest:
        raise Conflict("A newer context stands: read it and follow it.")
    if past.lately >= BURST:
        raise Unavailable("This session changes too fast; send again in ten seconds.")
