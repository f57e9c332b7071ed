"""How long a session lasts, and what happens when nobody is there."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hygie.kernel.security.dated import Columns, DatedTable, load

DESK = "desk"
"""The kind of a session on a computer that others use next."""


class WhenIdle(enum.StrEnum):
    """What becomes of a session that nobody uses."""

    LOCK = "lock"
    END = "end"


class Standing(enum.StrEnum):
    """Where a session stands at one instant."""

    OPEN = "open"
    LOCKED = "locked"
    IDLE = "idle"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Limits:
    """``idle`` without a request, then ``when_idle``; over after ``absolute`` in any case."""

    idle: timedelta
    absolute: timedelta
    when_idle: WhenIdle

    def standing(self, *, since: float, seen: float, now: float) -> Standing:
        """Return where a session stands; the three in seconds since 1970."""
        if now - since >= self.absolute.total_seconds():
            return Standing.OVER
        if now - seen < self.idle.total_seconds():
            return Standing.OPEN
        return Standing.LOCKED if self.when_idle is WhenIdle.LOCK else Standing.IDLE


def limits_of(kind: str, *, at: date) -> Limits:
    """Return the limits of a kind of account, or of ``DESK``, on a day.

    >>> limits_of("professional", at=date(2026, 1, 1)).when_idle
    <WhenIdle.LOCK: 'lock'>
    """
    return _limits().value(kind, at=at)


@cache
def _limits() -> DatedTable[Limits]:
    return load("hygie.domains.sign_in", "definitions/sessions.csv", key=("kind",), make=_row)


def _row(columns: Columns) -> Limits:
    return Limits(
        timedelta(minutes=float(columns["idle_minutes"])),
        timedelta(hours=float(columns["absolute_hours"])),
        WhenIdle(columns["when_idle"]),
    )
