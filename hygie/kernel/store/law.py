"""What the store obeys: rules, facts and guard, as the domains gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hygie.kernel.security.policies import Policies
from hygie.kernel.store.facts import Guard, Projections, Protection


@dataclass(frozen=True, slots=True)
class Law:
    """The law of one installation.

    Attributes:
        policies: who may read, write and relabel.
        projections: by resource type, the facts its resources state.
        guard: who may change such facts.
        protections: by resource type, who may change its protected elements.
    """

    policies: Policies
    projections: Projections
    guard: Guard
    protections: Mapping[str, Protection] = field(default_factory=dict)
