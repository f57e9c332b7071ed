"""An invitation to help: a code that one named person may use once, for a few days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from hygie.domains.helping.model import limits
from hygie.kernel.errors import Conflict, InvalidRequest
from hygie.kernel.fhir.search.fold import fold

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Letters and digits that are not taken for one another when they are told by telephone."""
LENGTH = 12
_GROUP = 4


class Scope(StrEnum):
    """What the helper may do; codes of the code system ``representative``."""

    WHOLE = "helper"
    """Reads the whole record."""
    ADMINISTRATIVE = "helper-administrative"
    """Reads what is administrative."""
    MANDATE = "mandate"
    """Reads the whole record and states choices in the person's name."""


class State(StrEnum):
    """Where an invitation stands; one that waited too long is still ``sent``, and opens nothing."""

    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LOST = "lost"
    """The name or the birth date was wrong too often."""
    LEFT = "left"
    """The helper stopped."""


CHANGES: dict[State, frozenset[State]] = {
    State.SENT: frozenset({State.ACCEPTED, State.DECLINED, State.WITHDRAWN, State.LOST}),
    State.ACCEPTED: frozenset({State.LEFT}),
    State.DECLINED: frozenset(),
    State.WITHDRAWN: frozenset(),
    State.LOST: frozenset(),
    State.LEFT: frozenset(),
}
"""What may follow what."""


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is invited, as the person says and as the helper must say too."""

    given: str
    family: str
    birth: date

    @property
    def name(self) -> str:
        """Return the name as it is shown."""
        return f"{self.given.strip()} {self.family.strip()}"

    def said(self) -> str:
        """Return the same text for the same person, whatever accents, case or hyphens.

        >>> Invited("Zoé", "Le-Roy", date(1990, 1, 2)).said()
        'zoe|le roy|1990-01-02'
        """
        return f"{_plain(self.given)}|{_plain(self.family)}|{self.birth.isoformat()}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person wishes: who helps, with what, until when (not included)."""

    invited: Invited
    scope: Scope
    until: datetime


def longest_help(*, own: bool, at: date) -> timedelta:
    """Return how long a help lasts at most, that the person or a representative gives."""
    return limits.days("helper-longest" if own else "helper-by-representative-longest", at=at)


def check_wish(wish: Wish, *, own: bool, at: datetime) -> None:
    """Check an invitation before it is made.

    Raises:
        InvalidRequest: its end is past or too far, or somebody else than the person would let a
            third one decide.
    """
    longest = longest_help(own=own, at=at.date())
    if not at < wish.until <= at + longest:
        raise InvalidRequest(f"Choose an end within {longest.days} days from today.")
    if wish.scope is Scope.MANDATE and not own:
        raise InvalidRequest("Only the person names who decides in the person's name.")


def check_change(before: State, after: State) -> None:
    """Check that an invitation may pass to another state.

    Raises:
        Conflict: it was answered, or withdrawn.
    """
    if after not in CHANGES[before]:
        raise Conflict("This invitation was answered or withdrawn already.")


def new_code(choose: Callable[[Sequence[str]], str]) -> str:
    """Return a code; ``choose`` takes one of a sequence by chance."""
    return "".join(choose(ALPHABET) for _place in range(LENGTH))


def shown(code: str) -> str:
    """Return a code as it is printed and told.

    >>> shown("ABCDEFGHJKMN")
    'ABCD-EFGH-JKMN'
    """
    return "-".join(code[place : place + _GROUP] for place in range(0, len(code), _GROUP))


def typed(text: str) -> str:
    """Return a code as somebody typed it.

    >>> typed(" abcd efgh-JKMN ")
    'ABCDEFGHJKMN'
    """
    return "".join(text.upper().split()).replace("-", "")


def _plain(text: str) -> str:
    return " ".join(fold(text).replace("-", " ").replace("'", " ").replace("’", " ").split())
