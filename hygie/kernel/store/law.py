"""What the store obeys: rules, facts and guard, as the domains gave them."""

from __future__ import annotations

from dataclasses import dataclass

from hygie.kernel.security.policies import Policies
from hygie.kernel.store.facts import Guard, Projections


@dataclass(frozen=True, slots=True)
class Law:
    """The law of one installation.

    Attributes:
        policies: who may read, write and relabel.
        projections: by resource type, the facts its resources state.
        guard: who may change such facts.
    """

    policies: Policies
    projections: Projections
    guard: Guard
