"""The states of a review, and who waits for what."""

from __future__ import annotations

import enum

from hygie.kernel.errors import Conflict


class Origin(enum.IntEnum):
    """Where an item comes from; stored in ``oversight_item.kind``."""

    UNUSUAL = 1
    """The daily job found it."""
    EMERGENCY = 2
    """A professional declared an emergency."""
    REPORTED = 3
    """The patient, or who represents them, reported it: it comes first."""


class State(enum.IntEnum):
    """Where a review stands; stored in ``oversight_item.state``."""

    PROPOSED = 0
    IN_REVIEW = 1
    ASKED = 2
    """The professional was asked to explain."""
    JUSTIFIED = 3
    ABNORMAL = 4
    CLOSED = 5


NEXT: dict[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.IN_REVIEW}),
    State.IN_REVIEW: frozenset({State.PROPOSED, State.ASKED, State.JUSTIFIED, State.ABNORMAL}),
    State.ASKED: frozenset({State.IN_REVIEW, State.JUSTIFIED, State.ABNORMAL}),
    State.JUSTIFIED: frozenset({State.CLOSED}),
    State.ABNORMAL: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}
"""Allowed changes."""

DECISIONS = frozenset({State.JUSTIFIED, State.ABNORMAL})
DECIDED = DECISIONS | {State.CLOSED}


def check_change(before: State, after: State) -> None:
    """Raise when a review cannot go from one state to another.

    >>> check_change(State.PROPOSED, State.IN_REVIEW)

    Raises:
        Conflict: somebody else changed it meanwhile, or the step is not allowed.
    """
    if after not in NEXT[before]:
        raise Conflict(
            f"This review is {before.name.lower()}: it cannot become {after.name.lower()}. "
            "Read it again."
        )
