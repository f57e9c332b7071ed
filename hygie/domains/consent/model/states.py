"""States of a record and the changes allowed between them; printed in the documentation."""

from __future__ import annotations

from enum import StrEnum

from hygie.kernel.errors import Conflict


class RecordState(StrEnum):
    """Where a record stands (public health code, L.1111-14 and R.1111-34)."""

    PENDING = "pending"
    """The person was told and may still oppose, or has not yet agreed."""
    OPENED = "opened"
    OPPOSED = "opposed"
    CLOSED = "closed"
    REOPENED = "reopened"
    DESTROYED = "destroyed"


CHANGES: dict[RecordState, frozenset[RecordState]] = {
    RecordState.PENDING: frozenset({RecordState.OPENED, RecordState.OPPOSED}),
    RecordState.OPENED: frozenset({RecordState.CLOSED, RecordState.OPPOSED}),
    RecordState.OPPOSED: frozenset({RecordState.OPENED}),
    RecordState.CLOSED: frozenset({RecordState.REOPENED, RecordState.DESTROYED}),
    RecordState.REOPENED: frozenset({RecordState.CLOSED}),
    RecordState.DESTROYED: frozenset(),
}
"""Allowed changes. Only a closed record is destroyed, after its retention, by a decision."""

_WORDS = {
    RecordState.PENDING: ("en attente", "pending"),
    RecordState.OPENED: ("ouvert", "opened"),
    RecordState.OPPOSED: ("refusé", "opposed"),
    RecordState.CLOSED: ("fermé", "closed"),
    RecordState.REOPENED: ("rouvert", "reopened"),
    RecordState.DESTROYED: ("détruit", "destroyed"),
}


def label(state: RecordState, language: str) -> str:
    """Return a state in words, ``fr`` or ``en``."""
    return _WORDS[state][language == "en"]


def check_change(before: RecordState, after: RecordState) -> None:
    """Check that a record may go from one state to another.

    Raises:
        Conflict: it may not; the sentence says which states it may go to.
    """
    if after not in CHANGES[before]:
        reachable = " or ".join(sorted(CHANGES[before])) or "nothing else"
        raise Conflict(
            f"A record that is {before} cannot become {after}; it may become {reachable}."
        )
