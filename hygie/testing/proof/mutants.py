"""Faults somebody might make in a policy: each is the policy with one small change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hygie.kernel.security.algebra import Policy, Rule
from hygie.kernel.security.clauses import Atom, Clause, Either, Not

Literal = Atom | Not


@dataclass(frozen=True, slots=True)
class Mutant:
    """A policy with one fault, and the fault in words."""

    fault: str
    policy: Policy


def mutants(policy: Policy) -> Iterator[Mutant]:
    """Yield the policy with each fault: a rule or clause less, a negation, another atom."""
    atoms = policy.atoms()
    for place, rule in enumerate(policy.rules):
        yield _with(policy, place, None, f"{rule.name}: no such rule")
        for number, clause in enumerate(rule.clauses):
            rest = rule.clauses[:number], rule.clauses[number + 1 :]
            yield _with(
                policy, place, (*rest[0], *rest[1]), f"{rule.name}: without {_text(clause)}"
            )
            for fault, changed in _changes(clause, atoms):
                kept = (*rest[0], changed, *rest[1])
                yield _with(policy, place, kept, f"{rule.name}: {fault}")


def _with(policy: Policy, place: int, clauses: tuple[Clause, ...] | None, fault: str) -> Mutant:
    before, after = policy.rules[:place], policy.rules[place + 1 :]
    rule: tuple[Rule, ...] = ()
    if clauses is not None:
        rule = (replace(policy.rules[place], clauses=clauses),)
    return Mutant(fault, Policy((*before, *rule, *after), every=policy.every))


def _changes(clause: Clause, atoms: list[Atom]) -> Iterator[tuple[str, Clause]]:
    if isinstance(clause, Atom | Not):
        for literal in _other_literals(clause, atoms):
            yield f"{_text(literal)} for {_text(clause)}", literal
    elif isinstance(clause, Either):
        yield from _changed_branches(clause, atoms)


def _changed_branches(clause: Either, atoms: list[Atom]) -> Iterator[tuple[str, Clause]]:
    for place, branch in enumerate(clause.branches):
        others = clause.branches[:place], clause.branches[place + 1 :]
        told = " and ".join(map(_text, branch))
        if len(clause.branches) > 1:
            yield f"without the way {told}", Either((*others[0], *others[1]))
        for number, literal in enumerate(branch):
            rest = branch[:number], branch[number + 1 :]
            less = (*rest[0], *rest[1])
            if less:
                yield f"{told} without {_text(literal)}", Either((*others[0], less, *others[1]))
            for other in _other_literals(literal, atoms):
                changed = (*rest[0], other, *rest[1])
                yield f"{_text(other)} in {told}", Either((*others[0], changed, *others[1]))


def _other_literals(literal: Literal, atoms: list[Atom]) -> list[Literal]:
    """Return the negation, and the two neighbours of the atom in its place, with the same sign."""
    atom = literal.atom if isinstance(literal, Not) else literal
    place = [one.name for one in atoms].index(atom.name)
    near = {atoms[(place + step) % len(atoms)].name for step in (-1, 1)} - {atom.name}
    swapped = [one for one in atoms if one.name in near]
    if isinstance(literal, Not):
        return [atom, *(~one for one in swapped)]
    return [~atom, *swapped]


def _text(clause: Clause) -> str:
    if isinstance(clause, Atom):
        return clause.name
    if isinstance(clause, Not):
        return f"not {clause.atom.name}"
    return " or ".join(atom.name for atom in clause.atoms())
