"""What drives a search over many patients: the relations of the caller, read once.

Row by row, a rule looks its relations up. Over the thousands of patients of a professional this
would be done for every row, so the same rule is printed the other way round: its part that reads
relations alone becomes the set of patients for whom it holds, which PostgreSQL reads once and
hashes. The rule says the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hygie.kernel.security.algebra import Live
from hygie.kernel.security.atoms import IN_DIRECTORY, OWN_RECORD
from hygie.kernel.security.clauses import Atom, Clause, Either
from hygie.kernel.security.relations import Relation

_OF_THE_CALLER = frozenset(one for one in Relation if one < Relation.MINOR)


@dataclass(frozen=True, slots=True)
class Halves:
    """A rule in two: what it asks of the relations, and of the rest; ``kinds`` lead to it."""

    relations: tuple[Clause, ...]
    rest: tuple[Clause, ...]
    kinds: frozenset[int]


def halves(one: Live) -> Halves | None:
    """Return the halves of a rule; None where no relation of the caller leads to it."""
    related: list[Clause] = []
    rest: list[Clause] = []
    for clause in one.clauses:
        reads = [atom.relation is not None for atom in clause.atoms()]
        if any(reads) and not all(reads):
            return None
        (related if all(reads) else rest).append(clause)
    leading = [kinds for clause in related if (kinds := _leading(clause))]
    if not leading:
        return None
    return Halves(tuple(related), tuple(rest), min(leading, key=len))


def is_driven(live: Sequence[Live]) -> bool:
    """Tell whether every rule needs a relation of the caller with the patient, or the own record.

    The caller's patients then hold all the caller may see, the directory left aside.
    """
    return all({OWN_RECORD, IN_DIRECTORY} & set(one.clauses) or _led(one) for one in live)


def _led(one: Live) -> bool:
    return any(_leading(clause) for clause in one.clauses)


def _leading(clause: Clause) -> frozenset[int]:
    """Return the relations of the caller one of which must hold for a clause; none: nobody can say.

    >>> from hygie.kernel.security.atoms import related
    >>> from hygie.kernel.security.clauses import Words
    >>> team = related(Relation.CARE_TEAM, Words("", "", "", ""))
    >>> _leading(team), _leading(~team)
    (frozenset({1}), frozenset())
    """
    if isinstance(clause, Atom):
        return _kinds(clause)
    if isinstance(clause, Either):
        branches = [
            [_kinds(one) for one in branch if isinstance(one, Atom)] for branch in clause.branches
        ]
        first = [next((kinds for kinds in branch if kinds), frozenset()) for branch in branches]
        return frozenset[int]().union(*first) if all(first) else frozenset()
    return frozenset()


def _kinds(atom: Atom) -> frozenset[int]:
    return frozenset({atom.relation}) if atom.relation in _OF_THE_CALLER else frozenset()
