"""Who adds and lifts which confidentiality label: as the tables say, proved and counted."""

from __future__ import annotations

from typing import Any

import pytest
import z3  # type: ignore[import-untyped]

from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.labels import Label
from hygie.kernel.security.policies import Moves
from hygie.kernel.store.law import Law
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import BIT, named
from hygie.testing.proof.mutants import Mutant, mutants
from hygie.testing.proof.solver import SYMBOL, formula, holds_for_all, prove, told
from hygie.testing.proof.symbols import columns_of
from hygie.testing.proof.tables import Oracle

Formula = Any
Move = tuple[str, str]
S = SYMBOL
And, Not, Or, Implies = z3.And, z3.Not, z3.Or, z3.Implies
CASES = 120_000
WANTED = 99
LABELS = {
    "masked": Label.MASKED_FROM_PROFESSIONALS,
    "very_restricted": Label.VERY_RESTRICTED,
    "unannounced": Label.HIDDEN_FROM_PATIENT,
    "hidden_from_representatives": Label.HIDDEN_FROM_REPRESENTATIVES,
}
MOVES = [(label, way) for label in LABELS for way in ("adds", "lifts")]
ANNOUNCE, SECRECY = "unannounced", "hidden_from_representatives"
PROFESSIONAL, PERSON = S["reader professional"], S["reader person"]
OTHERS_ITEM = And(PROFESSIONAL, Not(S["author"]))
TEAM_ALONE = And(OTHERS_ITEM, Not(S["treating"]))

NEVER: dict[str, tuple[list[Move], Formula]] = {
    "Parents, guardians and representatives touch no secrecy": (
        [(SECRECY, "adds"), (SECRECY, "lifts")],
        And(PERSON, Not(S["self"])),
    ),
    "Somebody of age hides nothing from parents": (
        [(SECRECY, "adds"), (SECRECY, "lifts")],
        And(PERSON, Not(S["minor"])),
    ),
    "Nobody announces to themself, or to who they act for": (
        [(ANNOUNCE, "adds"), (ANNOUNCE, "lifts")],
        PERSON,
    ),
    "Who is too young to decide alone changes no label of their own": (
        MOVES,
        And(
            PERSON,
            S["self"],
            S["under_16"],
            *(Not(S[one]) for one in ("parent", "guardian", "manages")),
        ),
    ),
    "A member whose profession does not announce lifts nothing": (
        [(ANNOUNCE, "lifts")],
        And(TEAM_ALONE, Not(S["duty_announce"])),
    ),
    "A member who is no doctor makes nothing wait that another wrote": (
        [(ANNOUNCE, "adds")],
        And(TEAM_ALONE, Not(S["duty_withhold"])),
    ),
    "The law names who keeps the secret of a minor": (
        [(SECRECY, "adds")],
        And(TEAM_ALONE, Not(S["duty_keep_secret"])),
    ),
    "No member of the team lifts the secrecy of what another wrote": (
        [(SECRECY, "lifts")],
        TEAM_ALONE,
    ),
    "No member of the team masks or unmasks what another wrote": (
        [("masked", "adds"), ("masked", "lifts")],
        TEAM_ALONE,
    ),
    "Only the author makes it very restricted": (
        [("very_restricted", "adds"), ("very_restricted", "lifts")],
        Or(PERSON, OTHERS_ITEM),
    ),
    "A job announces, and makes nothing wait": (
        [move for move in MOVES if move != (ANNOUNCE, "lifts")],
        S["reader job"],
    ),
}
"""By whom a label is never moved, in words."""


def asked(label: str, way: str) -> Moves:
    return Moves(adds=LABELS[label]) if way == "adds" else Moves(removes=LABELS[label])


def letting(law: Law, label: str, way: str) -> Policy:
    """Return the rules of relabelling that let a label move this way."""
    policy, places = law.policies.relabel, law.policies.moving(asked(label, way))
    rules = (rule for place, rule in enumerate(policy.rules) if places >> place & 1)
    return Policy(tuple(rules), every=policy.every)


@pytest.mark.parametrize(("label", "way"), MOVES)
def test_the_rules_are_the_tables(
    label: str, way: str, law: Law, moves: dict[Move, Oracle]
) -> None:
    prove(formula(letting(law, label, way)) == told(moves[label, way]))


@pytest.mark.parametrize(("label", "way"), MOVES)
def test_every_decision_in_memory_is_that_of_the_tables(
    label: str, way: str, law: Law, moves: dict[Move, Oracle]
) -> None:
    policy, oracle, permitted = letting(law, label, way), moves[label, way], 0
    for case in Cases(41).draw(CASES // len(MOVES)):
        answer = policy.allowing(case.caller, case.subject) is not None
        permitted += answer
        assert answer == oracle.permits(case.facts), named(case.facts)
    assert permitted


@pytest.mark.parametrize("words", NEVER)
def test_no_label_is_moved_against(words: str, law: Law) -> None:
    moved, who = NEVER[words]
    for label, way in moved:
        prove(Implies(who, Not(formula(letting(law, label, way)))))


def test_a_professional_changes_the_labels_of_what_they_read_or_wrote(law: Law) -> None:
    """Nobody lifts a mask from what they may not read: the labels would be a way round."""
    reads, relabels = formula(law.policies.read), formula(law.policies.relabel)
    present = And(OTHERS_ITEM, Not(S["withdrawn"]))
    prove(Implies(And(present, relabels), reads))


@pytest.mark.parametrize("act", MOVES, ids=" ".join)
def test_the_tables_kill_the_mutants(act: Move, law: Law, moves: dict[Move, Oracle]) -> None:
    policy = letting(law, *act)
    part = columns_of([case.facts for case in Cases(5).draw(CASES)], BIT)
    expected = moves[act].column(part.columns, part.ones)
    made = list(mutants(policy))
    alive = [one for one in made if part.answers(one.policy) == expected]
    survivors = [one for one in alive if not _is_the_same(one, policy)]
    killed = len(made) - len(alive)
    assert killed * 100 >= WANTED * (killed + len(survivors)), [one.fault for one in survivors]


def _is_the_same(mutant: Mutant, policy: Policy) -> bool:
    """Tell whether no case at all tells the mutant from the policy."""
    return holds_for_all(formula(mutant.policy) == formula(policy))


def test_one_request_moves_what_one_rule_lets_move(law: Law) -> None:
    """Two labels that two rules let move are moved in two requests, each with its trace."""
    both = Moves(adds=Label.HIDDEN_FROM_REPRESENTATIVES, removes=Label.HIDDEN_FROM_PATIENT)
    places = law.policies.moving(both)
    names = {
        rule.name for place, rule in enumerate(law.policies.relabel.rules) if places >> place & 1
    }
    assert names == {"system", "author", "treating"}
