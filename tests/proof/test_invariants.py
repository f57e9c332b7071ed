"""What must hold whatever the rules are, in words, and proved of every case with z3."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import z3  # type: ignore[import-untyped]

from hygie.kernel.security.algebra import Policy
from hygie.testing.proof.facts import OWN, PRINCIPAL
from hygie.testing.proof.solver import SYMBOL, Unproved, formula, prove, told, when
from hygie.testing.proof.tables import Oracle

Formula = Any
S = SYMBOL
Not, And, Or, Implies = z3.Not, z3.And, z3.Or, z3.Implies
PROFESSIONAL, PERSON = S["reader professional"], S["reader person"]
CARE = Or(S["purpose TREAT"], S["purpose ETREAT"])
MACHINE = Or(S["reader operator"], S["reader job"])
OF_NOBODY = S["directory"]
REVIEWS = And(S["right_review"], S["emergency_declaration"])
"""Who reviews emergencies reads their declarations, of whatever record."""
EXCEPTION = Or(MACHINE, OF_NOBODY, REVIEWS)


def without(*kept: str) -> Formula:
    """Say that the reader has none of the relations but some."""
    return And(*(Not(S[name]) for name in (*OWN, *PRINCIPAL) if name not in kept))


NEVER_READ: dict[str, Formula] = {
    "A masked document is never read by a professional who neither wrote it nor is the treating "
    "doctor": And(PROFESSIONAL, S["masked"], Not(S["author"]), Not(S["treating"])),
    "A blocked professional reads nothing": And(PROFESSIONAL, S["blocked"]),
    "Who acts for a blocked professional reads nothing in that quality": And(
        PROFESSIONAL, S["principal_blocked"], without(*PRINCIPAL)
    ),
    "What waits for an announcement is never read by the person or those close to them": And(
        PERSON, S["unannounced"]
    ),
    "A secret visit is never read by those who act for the person": And(
        PERSON, S["hidden_from_representatives"], Not(S["self"])
    ),
    "A record that is opposed is read by nobody but the person": And(
        S["opposed"], Not(And(PERSON, S["self"]))
    ),
    "A closed record is read by nobody but the person, save choices by who holds a mandate": And(
        S["closed"],
        Not(And(PERSON, S["self"])),
        Not(And(PERSON, S["manages"], S["choice"])),
    ),
    "Processing that is restricted stops every professional": And(PROFESSIONAL, S["restricted"]),
    "An emergency never opens what is masked": And(
        PROFESSIONAL, without("emergency", "centre_15"), S["masked"]
    ),
    "An emergency never opens what is personal": And(
        PROFESSIONAL, CARE, without("emergency", "centre_15"), S["personal"]
    ),
    "An emergency never opens what is very restricted": And(
        PROFESSIONAL, without("emergency", "centre_15"), S["very_restricted"]
    ),
    "A refused emergency never opens anything": And(
        PROFESSIONAL, without("emergency"), S["refuses_emergency"]
    ),
    "Refusing emergencies does not open Centre 15, nor the reverse": And(
        PROFESSIONAL, without("centre_15"), S["refuses_centre_15"]
    ),
    "Researchers and administrators read nothing of a patient": Or(
        S["reader researcher"], S["reader administrator"]
    ),
    "Who asks to be paid reads what is needed to be paid and nothing else": And(
        PROFESSIONAL, S["purpose HPAYMT"], Not(S["billing"])
    ),
    "Nobody reads as a professional for research, public health or running the house": And(
        PROFESSIONAL, Not(CARE), Not(S["purpose HPAYMT"])
    ),
    "Without initial consent the care team reads nothing in care": And(
        PROFESSIONAL, CARE, without("care_team", "principal_care_team"), Not(S["team_consent"])
    ),
    "Nobody reads for care what the matrix does not give their profession": And(
        PROFESSIONAL, CARE, Not(S["in_matrix"])
    ),
    "Who is nothing to a patient reads nothing of theirs": And(Not(S["self"]), without()),
    "Who helps with papers reads papers only": And(
        PERSON, Not(S["self"]), without("helper_administrative"), Not(S["administrative"])
    ),
    "A parent reads nothing once the child is of age": And(
        PERSON, Not(S["self"]), without("parent"), Not(S["minor"])
    ),
    "A delegate never reads what is very restricted in care": And(
        PROFESSIONAL, CARE, without(*PRINCIPAL), S["very_restricted"]
    ),
    "A withdrawn version is read by no professional who did not write it": And(
        PROFESSIONAL, S["withdrawn"], Not(S["author"])
    ),
    "A withdrawn version is never read by those who act for the person": And(
        PERSON, S["withdrawn"], Not(S["self"])
    ),
    "An emergency never opens a withdrawn version": And(
        PROFESSIONAL, without("emergency", "centre_15"), S["withdrawn"]
    ),
    "Who asks to be paid reads no withdrawn version": And(
        PROFESSIONAL, S["purpose HPAYMT"], S["withdrawn"]
    ),
}
"""Whom nothing is ever permitted, in words; the operator, named jobs, the directory and the
declarations that reviewers read are apart."""

NEVER_WRITTEN: dict[str, Formula] = {
    "Nobody writes who is neither the person nor related to them now, save an emergency they "
    "declare themselves": And(
        Not(And(PERSON, S["self"])),
        without(),
        Not(And(PROFESSIONAL, S["author"], S["emergency_declaration"])),
    ),
    "A blocked professional writes nothing": And(PROFESSIONAL, S["blocked"]),
    "Who acts for a blocked professional writes nothing in that quality": And(
        PROFESSIONAL, S["principal_blocked"], without(*PRINCIPAL), Not(S["author"])
    ),
    "Professionals write nothing in a closed record": And(PROFESSIONAL, S["closed"]),
    "Professionals write nothing in an opposed record": And(PROFESSIONAL, S["opposed"]),
    "Researchers and administrators write nothing": Or(
        S["reader researcher"], S["reader administrator"]
    ),
    "A person writes nothing but choices and own deposits": And(
        PERSON, Not(S["choice"]), Not(And(S["self"], S["author"], S["personal"]))
    ),
    "What is the person's alone to decide is stated by no professional": And(
        PROFESSIONAL, S["decision"], Not(S["emergency_declaration"])
    ),
    "What is masked is changed by its author and the treating doctor only": And(
        PROFESSIONAL, S["masked"], Not(S["author"]), Not(S["treating"])
    ),
    "Who is too young to decide alone states no choice of their own": And(
        PERSON, S["self"], S["under_16"], without(), Not(And(S["author"], S["personal"]))
    ),
    "A helper who only reads changes nothing": And(
        PERSON, Not(S["self"]), without("helper", "helper_administrative")
    ),
    "A refused emergency does not write": And(
        PROFESSIONAL, without("emergency"), S["refuses_emergency"], Not(S["emergency_declaration"])
    ),
    "Nobody writes in the directory but the operator and named jobs": And(
        S["directory"], Not(And(PROFESSIONAL, S["author"], S["emergency_declaration"]))
    ),
}
RESTRICTIONS = (
    "blocked", "principal_blocked", "closed", "opposed", "restricted", "refuses_emergency",
    "refuses_centre_15", "refuses_research", "masked", "very_restricted", "unannounced",
    "hidden_from_representatives", "withdrawn", "under_16",
)  # fmt: skip


@pytest.fixture(scope="module")
def reads(policies: dict[str, Policy]) -> Formula:
    return formula(policies["read"])


@pytest.fixture(scope="module")
def writes(policies: dict[str, Policy]) -> Formula:
    return formula(policies["write"])


@pytest.mark.parametrize("words", NEVER_READ)
def test_nothing_is_read_against(words: str, reads: Formula) -> None:
    prove(Implies(And(NEVER_READ[words], Not(EXCEPTION)), Not(reads)))


@pytest.mark.parametrize("words", NEVER_WRITTEN)
def test_nothing_is_written_against(words: str, writes: Formula) -> None:
    prove(Implies(And(NEVER_WRITTEN[words], Not(MACHINE)), Not(writes)))


@pytest.mark.parametrize("fact", RESTRICTIONS)
@pytest.mark.parametrize("act", ["read", "write"])
def test_a_restriction_never_opens_anything(
    act: str, fact: str, policies: dict[str, Policy]
) -> None:
    asked = formula(policies[act])
    prove(Implies(when(asked, **{fact: True}), when(asked, **{fact: False})))


@pytest.mark.parametrize("fact", [*OWN[:5], "emergency", "centre_15", "parent", "guardian"])
def test_a_relation_never_closes_anything_but_a_block(fact: str, reads: Formula) -> None:
    """What ends with a relation is only what it opened."""
    if fact == "blocked":
        with pytest.raises(Unproved):
            prove(Implies(when(reads, blocked=False), when(reads, blocked=True)))
        return
    prove(Implies(when(reads, **{fact: False}), when(reads, **{fact: True})))


def test_a_delegate_reads_no_more_than_the_principal(reads: Formula) -> None:
    """Given the same profession, and apart from what the delegate wrote."""
    nothing_own = dict.fromkeys(("care_team", "treating", "consented", "emergency", "centre_15",
                                 "blocked", "author", "self"), False)  # fmt: skip
    as_principal = {
        name.removeprefix("principal_"): name for name in PRINCIPAL
    } | dict.fromkeys(PRINCIPAL, False)  # fmt: skip
    delegate = when(reads, **nothing_own)
    principal = when(reads, **as_principal, author=False, self=False)
    prove(Implies(And(PROFESSIONAL, delegate), principal))


@pytest.mark.parametrize("act", ["read", "write"])
def test_the_policy_is_the_tables(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    prove(formula(policies[act]) == told(tables[act]))


def test_a_withdrawn_version_is_read_by_no_named_job(reads: Formula) -> None:
    """A job acts on what is true now."""
    apart = Or(OF_NOBODY, REVIEWS)
    prove(Implies(And(S["reader job"], S["withdrawn"], Not(apart)), Not(reads)))


def test_whatever_is_not_permitted_is_refused(policies: dict[str, Policy]) -> None:
    """Deny by default: a policy without rules permits nothing."""
    for policy in policies.values():
        prove(Not(formula(Policy((), every=policy.every))))


@pytest.mark.parametrize(
    ("words", "claim"),
    [
        ("an author never reads in an emergency", lambda: And(S["author"], S["emergency"])),
        ("nobody ever reads what is masked", lambda: S["masked"]),
    ],
)
def test_a_false_claim_is_refused_with_a_case_in_words(
    words: str, claim: Callable[[], Formula], reads: Formula
) -> None:
    with pytest.raises(Unproved, match=r"It does not hold of: reader \w+, purpose \w+, .*\."):
        prove(Implies(claim(), Not(reads)))


def test_each_proof_takes_less_than_five_seconds(reads: Formula, writes: Formula) -> None:
    begin = time.perf_counter()
    for case in NEVER_READ.values():
        prove(Implies(And(case, Not(EXCEPTION)), Not(reads)))
    for case in NEVER_WRITTEN.values():
        prove(Implies(And(case, Not(MACHINE)), Not(writes)))
    seconds = time.perf_counter() - begin
    print(f"{len(NEVER_READ) + len(NEVER_WRITTEN)} invariants proved in {seconds:.2f} s")  # noqa: T201
    assert seconds < 5
