"""Facts the access rules read: projections of FHIR resources, written in the same transaction.

The store knows no rule of care: a domain registers, through the platform, one function per resource
type that states the facts of one resource, and a guard that says who may change which facts. When
the resource changes, its facts are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from hygie.kernel.security.caller import Caller
from hygie.kernel.security.relations import Relation

PartyRef = tuple[str, str]
"""Resource type and logical id of a person or structure."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A relation with a patient, or a fact of a record, from ``starts`` to ``ends`` (excluded).

    ``member`` is None for what holds of the record itself. Of ``ACTS_UNDER``, ``patient`` is the
    professional under whom the member acts.
    """

    patient: PartyRef
    member: PartyRef | None
    kind: Relation
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Practice:
    """A role of the matrix that a professional practises, and the structure where."""

    member: PartyRef
    role: str
    structure: PartyRef | None
    starts: datetime
    ends: datetime


Stated = Fact | Practice
Projection = Callable[[Any, tzinfo], Iterable[Stated]]
"""From a validated resource (its generated Struct) to the facts it states.

The zone is that of dates written without one."""

Projections = Mapping[str, Projection]

Guard = Callable[[Caller, str, frozenset[Stated], frozenset[Stated]], None]
"""Checks who may change the facts a resource of a type states, from those before to those after.

It raises ``Forbidden`` with a sentence that says who may. It only narrows what the rules permit.
"""

Protection = Callable[[Caller, str, bytes, bytes | None], None]
"""Checks who may change elements of a type, from the body before to that after (None: deleted).

It raises ``Forbidden`` with a sentence that says who may. It only narrows what the rules permit.
"""


def facts_of(
    projections: Projections, rt: str, resource: object, *, zone: tzinfo
) -> frozenset[Stated]:
    """Return the facts one resource states; most state none."""
    projection = projections.get(rt)
    return frozenset(projection(resource, zone)) if projection else frozenset()


def parties_of(facts: Iterable[Stated]) -> list[PartyRef]:
    """Return the people and structures that facts name."""
    named = [
        (one.patient, one.member) if isinstance(one, Fact) else (one.member, one.structure)
        for one in facts
    ]
    return [ref for pair in named for ref in pair if ref is not None]
