"""A recovery at the desk: one asks, another approves, the person is there, then a day passes."""

from __future__ import annotations

import enum
from datetime import date, timedelta
from functools import cache

from hygie.kernel.security.dated import Columns, DatedTable, load


class Stage(enum.StrEnum):
    """Where a recovery stands."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    STOPPED = "stopped"
    """By the person, who never asked for it."""
    DONE = "done"


NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.ASKED: frozenset({Stage.APPROVED, Stage.REFUSED, Stage.STOPPED}),
    Stage.APPROVED: frozenset({Stage.DONE, Stage.STOPPED}),
    Stage.REFUSED: frozenset(),
    Stage.STOPPED: frozenset(),
    Stage.DONE: frozenset(),
}
"""Allowed changes."""
OPEN = frozenset({Stage.ASKED, Stage.APPROVED})


def delay_of(realm: str, *, at: date) -> timedelta:
    """Return how long after the approval a sheet opens.

    >>> delay_of("production", at=date(2026, 1, 1))
    datetime.timedelta(days=1)
    """
    rows = _delays().holding(at)
    return rows.get((realm,), rows[("any",)])


@cache
def _delays() -> DatedTable[timedelta]:
    return load("hygie.domains.sign_in", "definitions/recovery.csv", key=("realm",), make=_delay)


def _delay(columns: Columns) -> timedelta:
    return timedelta(hours=float(columns["delay_hours"]))
