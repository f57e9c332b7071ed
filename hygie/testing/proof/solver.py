"""Proofs about whole policies with z3: what holds of every case, or a case where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import z3  # type: ignore[import-untyped]

from hygie.kernel.security.algebra import Policy
from hygie.testing.proof.facts import BIT, FACTS, OWN, PRINCIPAL, PURPOSES, READERS, RECORD
from hygie.testing.proof.symbols import MEANING
from hygie.testing.proof.tables import Oracle

MILLISECONDS = 5000
"""The longest a proof may take."""
Formula = Any
"""A formula of z3, which has no types of its own for mypy."""
RELATED = ("self", *OWN, *RECORD, *PRINCIPAL)
"""Facts that only a patient's record has."""
SYMBOL: dict[str, Formula] = {name: z3.Bool(name) for name in FACTS}


class Unproved(AssertionError):
    """What was to be proved does not hold: the text is a case where it does not."""


@dataclass(frozen=True, slots=True)
class Solver:
    """The connectives of z3, for ``Policy.formula``."""

    def every(self, parts: Sequence[Formula]) -> Formula:
        """Return the conjunction."""
        return z3.And(*parts)

    def some(self, parts: Sequence[Formula]) -> Formula:
        """Return the disjunction."""
        return z3.Or(*parts)

    def negation(self, part: Formula) -> Formula:
        """Return the negation."""
        return z3.Not(part)


def formula(policy: Policy) -> Formula:
    """Return when a policy permits."""
    return policy.formula(
        lambda atom: z3.Or(*(SYMBOL[name] for name in MEANING[atom.name])), Solver()
    )


def told(oracle: Oracle) -> Formula:
    """Return when the tables permit."""
    cubes = []
    for cube in oracle.cubes:
        needs = [SYMBOL[name] for name, bit in BIT.items() if cube.needs & bit]
        bars = [z3.Not(SYMBOL[name]) for name, bit in BIT.items() if cube.bars & bit]
        cubes.append(z3.And(*needs, *bars))
    return z3.Or(*cubes)


def possible() -> Formula:
    """Return what every case has: one reader, one purpose, and no patient in the directory."""
    readers = [SYMBOL[f"reader {one}"] for one in READERS]
    purposes = [SYMBOL[f"purpose {one}"] for one in PURPOSES]
    exact = [z3.PbEq([(one, 1) for one in group], 1) for group in (readers, purposes)]
    no_patient = [z3.Not(SYMBOL[name]) for name in RELATED]
    return z3.And(*exact, z3.Implies(SYMBOL["directory"], z3.And(*no_patient)))


def when(formula: Formula, **facts: bool | str) -> Formula:
    """Return a formula with some facts settled, or renamed to other facts."""
    pairs = [
        (SYMBOL[name], SYMBOL[value] if isinstance(value, str) else z3.BoolVal(value))
        for name, value in facts.items()
    ]
    return z3.substitute(formula, *pairs)


def prove(claim: Formula) -> None:
    """Check that a claim holds of every possible case.

    Raises:
        Unproved: it does not; the text names the facts of a case.
        TimeoutError: five seconds were not enough.
    """
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(possible(), z3.Not(claim))
    answer = solver.check()
    if answer == z3.unknown:
        raise TimeoutError("the proof took longer than five seconds")
    if answer == z3.sat:
        model = solver.model()
        facts = [name for name in FACTS if z3.is_true(model.eval(SYMBOL[name]))]
        raise Unproved(f"It does not hold of: {', '.join(facts)}.")


def holds_for_all(claim: Formula) -> bool:
    """Tell whether a claim holds of every possible case."""
    try:
        prove(claim)
    except Unproved:
        return False
    return True
