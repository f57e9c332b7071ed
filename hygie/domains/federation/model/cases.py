"""The states of a doubtful case, and what may follow what."""

from __future__ import annotations

import enum

from hygie.kernel.errors import Conflict, InvalidRequest

SHORTEST, LONGEST = 10, 500
"""Characters of a reason."""


class State(enum.StrEnum):
    """Where a case stands."""

    WAITING = "waiting"
    DESK = "desk"
    """The person is asked to come to the desk with an identity document."""
    ACCEPTED = "accepted"
    REFUSED = "refused"


CHANGES: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.DESK, State.ACCEPTED, State.REFUSED}),
    State.DESK: frozenset({State.ACCEPTED, State.REFUSED}),
    State.ACCEPTED: frozenset(),
    State.REFUSED: frozenset(),
}
OPEN = (State.WAITING, State.DESK)


def check_change(before: State, after: State) -> None:
    """Check that a case may go from one state to another.

    Raises:
        Conflict: somebody decided it before.
    """
    if after not in CHANGES[before]:
        raise Conflict("Somebody has decided this case already.")


def check_words(text: str) -> str:
    """Return the reason of a decision.

    Raises:
        InvalidRequest: it is too short to say anything, or too long.
    """
    words = " ".join(text.split())
    if not SHORTEST <= len(words) <= LONGEST:
        raise InvalidRequest(f"Give a reason of {SHORTEST} to {LONGEST} characters.")
    return words
