"""The rules of one installation, as a domain gives them to the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.caller import Duty
from hygie.kernel.security.labels import NO_LABEL, Label


class Matrix(Protocol):
    """What each role may read, and what the law reserves to it, by date."""

    def readable(self, roles: Collection[str], at: date) -> bytes:
        """Return 32 bytes: bit ``n`` is set where one of the roles may read matter ``n``."""
        ...

    def duties(self, roles: Collection[str], at: date) -> frozenset[Duty]:
        """Return what is reserved to one of the roles."""
        ...


@dataclass(frozen=True, slots=True)
class Moves:
    """Labels that are added to a resource, and labels that are removed from it."""

    adds: Label = NO_LABEL
    removes: Label = NO_LABEL

    @classmethod
    def both(cls, labels: Label) -> Moves:
        """Return the moves of labels either way."""
        return cls(labels, labels)

    @classmethod
    def between(cls, before: int, after: int) -> Moves:
        """Return the moves from the labels before to those after."""
        return cls(Label(after & ~before), Label(before & ~after))

    def covers(self, other: Moves) -> bool:
        """Tell whether the other moves are among these."""
        return not (other.adds & ~self.adds or other.removes & ~self.removes)

    def __bool__(self) -> bool:
        return bool(self.adds or self.removes)


@dataclass(frozen=True, slots=True)
class Policies:
    """Who may read, write, and change labels.

    Attributes:
        read: who reads a resource, a version of it, or counts it.
        write: who creates, changes or deletes a resource, before and after the change.
        relabel: who changes the labels of a resource.
        relabels: by rule of ``relabel``, the labels that it lets add, and those it lets remove.
        matrix: what each role may read, and what is reserved to it.
    """

    read: Policy
    write: Policy
    relabel: Policy
    relabels: Mapping[str, Moves]
    matrix: Matrix

    def moving(self, moves: Moves) -> int:
        """Return the number whose bits are the rules of ``relabel`` that let all of this move."""
        return sum(
            1 << place
            for place, rule in enumerate(self.relabel.rules)
            if self.relabels.get(rule.name, Moves()).covers(moves)
        )
