"""A million random cases: the decision in memory, and its sentence, as the tables say."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from hygie.kernel.security.algebra import Policy
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import named
from hygie.testing.proof.tables import Oracle

SEED = 20261122
CASES = 1_000_000


@pytest.mark.parametrize("act", ["read", "write"])
def test_a_million_decisions_are_those_of_the_tables(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    policy, permits = policies[act], tables[act].permits
    begin, permitted = time.perf_counter(), 0
    differences: list[str] = []
    for case in Cases(SEED).draw(CASES):
        answer = policy.allowing(case.caller, case.subject) is not None
        permitted += answer
        if answer != permits(case.facts):
            differences.append(f"{act} {'permits' if answer else 'refuses'}: {named(case.facts)}")
    print(  # noqa: T201 - a figure
        f"{act}: {CASES:,} cases, {permitted:,} permitted, {len(differences)} differences,"
        f" {time.perf_counter() - begin:.1f} s"
    )
    assert not differences, "\n".join(differences[:5])
    assert CASES // 10 < permitted < CASES // 2


def test_every_line_of_the_tables_decides_some_case(
    policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    """The cases would prove little if a rule never decided any of them."""
    for act, oracle in tables.items():
        standings, rules = Counter[str](), Counter[str]()
        for case in Cases(SEED).draw(60_000):
            standings[oracle.standing(case.facts) or ""] += 1
            rule = policies[act].allowing(case.caller, case.subject)
            rules[rule.name if rule else ""] += 1
        assert {cube.standing for cube in oracle.cubes} <= standings.keys()
        assert {rule.name for rule in policies[act].rules} <= rules.keys()


@pytest.mark.parametrize("act", ["read", "write"])
def test_every_decision_has_its_sentence(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    """Permits and refusals alike are explained, in both languages (G7)."""
    policy = policies[act]
    for case in Cases(SEED + 1).draw(20_000):
        told = {one: policy.explain(case.caller, case.subject, one) for one in ("fr", "en")}
        for one in told.values():
            assert one.allowed == tables[act].permits(case.facts)
            assert len(one.sentence) > 10
            assert one.sentence.endswith(".")
        assert told["fr"].rule == told["en"].rule
        assert told["fr"].sentence != told["en"].sentence
