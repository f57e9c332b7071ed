"""Facts the access rules read: projections of FHIR resources, written in the same transaction.

The store knows no rule of care: domains register, through the platform, one function per resource
type that states the facts of one resource. When the resource changes, its facts are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

PartyRef = tuple[str, str]
"""Resource type and logical id of a person or structure."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A relation that opens a patient's record, from ``starts`` (included) to ``ends`` (not).

    ``kind`` is ``CARE_TEAM`` or ``HELPER`` of ``hygie.kernel.security.rules``.
    """

    patient: PartyRef
    member: PartyRef
    kind: int
    starts: datetime
    ends: datetime


Projection = Callable[[Any, tzinfo], Iterable[Fact]]
"""From a validated resource (its generated Struct) to the facts it states.

The zone is that of dates written without one."""

Projections = Mapping[str, Projection]


def facts_of(
    projections: Projections, rt: str, resource: object, *, zone: tzinfo
) -> tuple[Fact, ...]:
    """Return the facts one resource states; most state none."""
    projection = projections.get(rt)
    return tuple(projection(resource, zone)) if projection else ()
