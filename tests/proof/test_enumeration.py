"""Every case the facts can make, in slices of 2^20: the policy answers as the tables."""

from __future__ import annotations

import time

import pytest

from hygie.kernel.security.algebra import Policy
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import BIT, OWN, PRINCIPAL, RECORD, named
from hygie.testing.proof.symbols import MEANING, slices
from hygie.testing.proof.tables import Oracle

ACTS = ("read", "write")


@pytest.mark.parametrize("act", ACTS)
def test_every_atom_says_what_its_name_says(act: str, policies: dict[str, Policy]) -> None:
    """Formulas stand on names; in memory the atoms must hold of the same cases."""
    atoms = policies[act].atoms()
    assert {atom.name for atom in atoms} <= MEANING.keys()
    for case in Cases(11).draw(3_000):
        for atom in atoms:
            told = any(case.facts & BIT[name] for name in MEANING[atom.name])
            assert atom.test(case.caller, case.subject) == told, (atom.name, named(case.facts))


@pytest.mark.parametrize("act", ACTS)
def test_every_case_is_answered_as_the_tables_say(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    begin, cases = time.perf_counter(), 0
    for part in slices(policies[act], tables[act]):
        differ = part.answers(policies[act]) ^ tables[act].column(part.columns, part.ones)
        assert not differ, f"{act} differs of: {', '.join(part.case(differ))}"
        cases += part.ones.bit_length()
    print(f"{act}: {cases:,} cases in {time.perf_counter() - begin:.1f} s, 0 differences")  # noqa: T201


def test_a_case_that_differs_is_told_in_words(
    policies: dict[str, Policy], tables: dict[str, Oracle]
) -> None:
    wrong = Policy(tuple(one for one in policies["read"].rules if one.name != "guardian"))
    for part in slices(wrong, tables["read"]):
        differ = part.answers(wrong) ^ tables["read"].column(part.columns, part.ones)
        if differ:
            assert {"reader person", "guardian"} <= set(part.case(differ))
            return
    pytest.fail("a rule was taken out and nothing differed")


def test_the_facts_of_relations_are_all_in_the_tables(tables: dict[str, Oracle]) -> None:
    """A relation that no table names opens and closes nothing."""
    named_by = {
        name
        for oracle in tables.values()
        for cube in oracle.cubes
        for name in named(cube.needs | cube.bars)
    }
    silent = {*OWN, *RECORD, *PRINCIPAL} - named_by
    assert silent == {"refuses_research", "principal_emergency", "principal_centre_15"}
