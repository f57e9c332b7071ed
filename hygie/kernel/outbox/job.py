"""What is put in the outbox, what a handler receives, and the states between."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from asyncpg import Connection


class State(enum.IntEnum):
    """Where a job stands; a claimed job still waits, under a lease."""

    WAITING = 0
    DONE = 1
    DEAD = 2


NEXT: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.DONE, State.DEAD}),
    State.DONE: frozenset(),
    State.DEAD: frozenset({State.WAITING}),
}
"""Allowed changes. A job that is done disappears, or stays a week where it has a key."""


class Event(msgspec.Struct, frozen=True):
    """Something to be done after the transaction that says so.

    Attributes:
        kind: name of the handler.
        payload: what the handler reads; references rather than a person's data.
        key: two events of one kind and key are one; remembered a week after it is done.
        not_before: earliest instant, None for at once.
    """

    kind: str
    payload: bytes = b""
    key: str | None = None
    not_before: datetime | None = None


class Job(msgspec.Struct, frozen=True):
    """An event in the hands of a worker.

    Attributes:
        id: number of the job: give it to other systems as an idempotency key.
        tries: how many times it was started, this time included.
        lease: the claim that holds it.
    """

    id: int
    kind: str
    payload: bytes
    key: str | None
    tries: int
    lease: uuid.UUID


Handler = Callable[["Connection", Job], Awaitable[None]]
"""Does one job inside a transaction: what it writes through the connection and the end of the
job commit together, so that its effect there is seen exactly once. Effects elsewhere are seen at
least once, and must carry ``Job.id``."""
