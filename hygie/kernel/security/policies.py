"""The rules of one installation, as a domain gives them to the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.labels import Label


class Matrix(Protocol):
    """What each role may read, by date."""

    def readable(self, roles: Collection[str], at: date) -> bytes:
        """Return 32 bytes: bit ``n`` is set where one of the roles may read matter ``n``."""
        ...


@dataclass(frozen=True, slots=True)
class Policies:
    """Who may read, write, and change labels.

    Attributes:
        read: who reads a resource, a version of it, or counts it.
        write: who creates, changes or deletes a resource, before and after the change.
        relabel: who changes the labels of a resource.
        relabels: by rule of ``relabel``, the labels that it lets add and remove.
        matrix: what each role may read.
    """

    read: Policy
    write: Policy
    relabel: Policy
    relabels: Mapping[str, Label]
    matrix: Matrix
