"""The atoms of the policies as facts of the tables, and formulas over many cases at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.clauses import Atom
from hygie.testing.proof.facts import BIT, DUTIES, OWN, PRINCIPAL, PURPOSES, READERS, RECORD
from hygie.testing.proof.tables import Oracle

MEANING: dict[str, tuple[str, ...]] = {
    "is_system": ("reader operator",),
    "is_job": ("reader job",),
    "is_patient": ("reader person",),
    "is_professional": ("reader professional",),
    "for_care": ("purpose TREAT", "purpose ETREAT"),
    "for_payment": ("purpose HPAYMT",),
    "may_review": ("right_review",),
    "own_record": ("self",),
    "in_directory": ("directory",),
    "declaration": ("emergency_declaration",),
    "secret": ("hidden_from_representatives",),
    **{
        name: (name,)
        for name in (
            *("author", "in_matrix", "administrative", "billing", "personal", "choice"),
            "decision",
            *("masked", "unannounced", "very_restricted", "withdrawn", *OWN, *RECORD, *PRINCIPAL),
            *DUTIES,
        )
    },
}
"""By the name of an atom, the facts of which one is enough."""
WIDTH = 20
"""Facts that vary in one slice: a slice has two to that power cases."""


@dataclass(frozen=True, slots=True)
class Many:
    """The logic of many cases at once: a formula is a number, bit ``n`` is of case ``n``."""

    ones: int

    def every(self, parts: Sequence[int]) -> int:
        """Return the conjunction."""
        held = self.ones
        for part in parts:
            held &= part
        return held

    def some(self, parts: Sequence[int]) -> int:
        """Return the disjunction."""
        held = 0
        for part in parts:
            held |= part
        return held

    def negation(self, part: int) -> int:
        """Return the negation."""
        return self.ones ^ part


@dataclass(frozen=True, slots=True)
class Slice:
    """Cases laid side by side: a column for each fact that may hold."""

    columns: Mapping[str, int]
    ones: int

    def answers(self, policy: Policy) -> int:
        """Return what a policy answers to each case."""
        return policy.formula(self.symbol, Many(self.ones))

    def symbol(self, atom: Atom) -> int:
        """Return the column of an atom."""
        return Many(self.ones).some([self.columns.get(name, 0) for name in MEANING[atom.name]])

    def case(self, answers: int) -> list[str]:
        """Return the facts of the first case that is set in ``answers``, in words."""
        bit = answers & -answers
        return [name for name, column in self.columns.items() if column & bit]


def slices(policy: Policy, oracle: Oracle) -> Iterator[Slice]:
    """Yield all the cases that can differ, for every reader and purpose.

    Of a reader and a purpose, only the facts that a rule or a line still open to them names can
    matter. Up to ``WIDTH`` of them vary in each slice; those beyond are held still, in every
    combination.
    """
    for reader, purpose in product(READERS, PURPOSES):
        settled = {f"reader {reader}", f"purpose {purpose}"}
        free = sorted(_free(policy, oracle, settled))
        moving, still = free[:WIDTH], free[WIDTH:]
        ones = (1 << (1 << len(moving))) - 1
        table = {name: _alternating(place, len(moving)) for place, name in enumerate(moving)}
        for values in product((0, ones), repeat=len(still)):
            held = dict(zip(still, values, strict=True))
            yield Slice({**table, **held, **dict.fromkeys(settled, ones)}, ones)


def _free(policy: Policy, oracle: Oracle, settled: set[str]) -> set[str]:
    """Return the facts, beyond reader and purpose, that a live rule or cube names."""
    found: set[str] = set()
    for rule in policy.rules:
        clauses = [
            {fact for atom in clause.atoms() for fact in MEANING[atom.name]}
            for clause in rule.clauses
        ]
        known = [one for one in clauses if all(_settles(fact) for fact in one)]
        if all(one & settled for one in known):
            found |= set().union(*clauses)
    for cube in oracle.cubes:
        needs = {name for name, bit in BIT.items() if cube.needs & bit}
        if {one for one in needs if _settles(one)} <= settled:
            found |= {name for name, bit in BIT.items() if (cube.needs | cube.bars) & bit}
    return {one for one in found if not _settles(one)}


def _settles(fact: str) -> bool:
    return fact.startswith(("reader ", "purpose "))


def columns_of(cases: Sequence[int], bits: Mapping[str, int]) -> Slice:
    """Return cases, given as numbers, side by side."""
    return Slice(
        {name: _gathered(cases, lambda case, bit=bit: case & bit) for name, bit in bits.items()},  # type: ignore[misc]
        (1 << len(cases)) - 1,
    )


def _gathered(cases: Sequence[int], holds: Callable[[int], int]) -> int:
    return int("".join("1" if holds(case) else "0" for case in reversed(cases)), 2)


def _alternating(place: int, width: int) -> int:
    """Return the column of fact ``place`` in the table of all combinations of ``width`` facts."""
    run = 1 << place
    column = ((1 << run) - 1) << run
    size = run * 2
    while size < 1 << width:
        column |= column << size
        size *= 2
    return column
