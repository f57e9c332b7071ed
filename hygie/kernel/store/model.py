"""What goes in and comes out of the repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Mode = Literal["match", "include", "outcome"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource, with the bytes that are served.

    ``body`` is None for a deletion (only in a history). ``updated`` is in UTC, to the millisecond.
    """

    rt: str
    rid: str
    version: int
    updated: datetime
    body: bytes | None

    @property
    def reference(self) -> str:
        """Return the literal reference, such as ``Patient/123``."""
        return f"{self.rt}/{self.rid}"


@dataclass(frozen=True, slots=True)
class Written:
    """The effect of a write: what is stored now, and whether it was made by this request."""

    stored: Stored
    created: bool
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a search answer."""

    stored: Stored
    mode: Mode = "match"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search.

    ``total`` counts every match visible to the caller; None where it was not asked for or not
    known. ``next`` and ``self_query`` are query strings without the base.
    """

    entries: list[Entry] = field(default_factory=list)
    total: int | None = None
    next: str | None = None
    self_query: str = ""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a history: a version, and the interaction that made it."""

    stored: Stored
    method: Literal["POST", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """One page of a history, newest first."""

    entries: list[HistoryEntry]
    total: int | None
    next: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """What a search for a person answers: identity only, under the name in use.

    Attributes:
        birth_family: the family name of birth, empty where it is the one in use.
    """

    reference: str
    family: str
    given: str
    birth_date: str
    sex: str
    ins: str | None
    birth_family: str = ""
