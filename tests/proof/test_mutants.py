"""Faults planted in the policy are found by the tables: at least 99 in 100."""

from __future__ import annotations

import pytest

from hygie.kernel.security.algebra import Policy
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import BIT
from hygie.testing.proof.mutants import Mutant, mutants
from hygie.testing.proof.solver import formula, holds_for_all
from hygie.testing.proof.symbols import columns_of
from hygie.testing.proof.tables import Oracle

CASES = 150_000
WANTED = 99
"""Mutants killed, in percent."""


@pytest.mark.parametrize("act", ["read", "write"])
def test_the_tables_kill_the_mutants(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    policy = policies[act]
    part = columns_of([case.facts for case in Cases(5).draw(CASES)], BIT)
    expected = tables[act].column(part.columns, part.ones)
    assert part.answers(policy) == expected
    made = list(mutants(policy))
    alive = [one for one in made if part.answers(one.policy) == expected]
    same = [one for one in alive if _is_the_same(one, policy)]
    killed, faulty = len(made) - len(alive), len(made) - len(same)
    survivors = [one.fault for one in alive if one not in same]
    print(  # noqa: T201 - the score
        f"{act}: {killed} of {faulty} mutants killed, {100 * killed / faulty:.1f} %;"
        f" {len(same)} more change nothing (proved): {[one.fault for one in same]}"
    )
    assert faulty > 100
    assert killed * 100 >= WANTED * faulty, survivors


def _is_the_same(mutant: Mutant, policy: Policy) -> bool:
    """Tell whether no case at all tells the mutant from the policy."""
    return holds_for_all(formula(mutant.policy) == formula(policy))
