"""Who saw a record: one access in plain values, and what a reader asks of the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from hygie.domains.consent.model.choices import Emergency


class How(StrEnum):
    """What was done."""

    READ = "read"
    SEARCH = "search"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    OPERATION = "operation"
    COUNTED = "counted"
    """Counted with others: a number was told, nothing of the record."""


EMERGENCIES = frozenset({"emergency", "centre-15", "emergency-declaration"})
"""Rules by which an emergency opens a record."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One access.

    Attributes:
        id: of its AuditEvent.
        at: when.
        who: reference or name of who asked.
        name: as the reader may know it; empty where the log names a program.
        role: profession or role that counted.
        structure: where they acted for.
        how: what was done.
        kind: resource type; empty where several.
        item: literal reference of the one resource; empty for a list.
        rule: name of the rule that permitted, or of the refusal.
        reason: that rule in one sentence.
        refused: whether it was refused.
        emergency: whether an emergency opened it.
        own: whether the reader did it.
        program: whether a program of the platform did it, a named job or the operator's.
    """

    id: str
    at: datetime
    who: str
    name: str
    role: str
    structure: str
    how: How
    kind: str
    item: str
    rule: str
    reason: str
    refused: bool
    emergency: bool
    own: bool
    program: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the list is asked; everything where nothing is said.

    ``who`` is a reference; ``own`` shows the reader's own accesses and those of programs too;
    ``item`` is ``Type/id``; ``after`` is the id of the last access of the
    page before.
    """

    since: date | None = None
    until: date | None = None
    who: str = ""
    how: How | None = None
    emergencies: bool = False
    refusals: bool = False
    own: bool = False
    item: str = ""
    after: str = ""

    def holds(self, seen: Seen) -> bool:
        """Tell whether an access is asked for."""
        return (
            (self.own or bool(self.who) or not (seen.own or seen.program))
            and (self.how is None or seen.how is self.how)
            and (not self.emergencies or seen.emergency)
            and (not self.refusals or seen.refused)
        )


@dataclass(frozen=True, slots=True)
class SeenPage:
    """One page of accesses, newest first; ``after`` asks for the next one.

    ``told`` is False for who may not know: a helper.
    """

    entries: Sequence[Seen]
    after: str = ""
    told: bool = True
    declared: Sequence[Emergency] = ()
    """Emergency accesses that were declared, newest first; on the first page of a record only."""
