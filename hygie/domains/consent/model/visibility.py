"""Who can see a record or one item of it, and why: what the page tells, in plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hygie.kernel.security.relations import Relation


class Way(StrEnum):
    """How an access ends, or what changes it; the page has one link for each."""

    MEMBERSHIP = "membership"
    ACCESS = "access"
    DELEGATE = "delegate"
    BLOCK = "block"
    UNBLOCK = "unblock"
    TEAM = "team"
    TREATING = "treating"
    EMERGENCY = "emergency"
    PRINCIPAL = "principal"
    MAJORITY = "majority"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody, and whether they see.

    Attributes:
        reference: who, such as ``Practitioner/12``.
        name: empty where the caller may not know it.
        role: profession, or what they are to the person.
        structures: names of the structures where they practise.
        allowed: whether they see now.
        reason: the rule that permits, or what the refusal lacks, in one sentence.
        relations: what they are to the person now.
        until: when it ends, None where nothing ends it.
        kinds: how many of the 114 types of document they may read; None where it has no bound.
        way: how to change it.
        under: name of the professional they act under, empty where none.
    """

    reference: str
    name: str
    role: str
    structures: Sequence[str]
    allowed: bool
    reason: str
    relations: frozenset[Relation]
    until: datetime | None = None
    kinds: int | None = None
    way: Way | None = None
    under: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """People nobody can name beforehand: an emergency, the regulators of Centre 15."""

    relation: Relation
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Visibility:
    """The answer to “who can see this, and why”."""

    viewers: Sequence[Viewer]
    categories: Sequence[Category]
    item: str = ""
    """Literal reference of the item; empty for the whole record."""
    masked: bool = False
    very_restricted: bool = False
    unannounced: bool = False
    secret: bool = False

    @property
    def seeing(self) -> list[Viewer]:
        """Return who sees."""
        return [one for one in self.viewers if one.allowed]

    @property
    def excluded(self) -> list[Viewer]:
        """Return who does not, though something links them to the record."""
        return [one for one in self.viewers if not one.allowed]
