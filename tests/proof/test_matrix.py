"""The lines of the national matrix that were read in the order, beside the data files."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from hygie.kernel.security.matters import BY_CODE, MATTERS, holds
from hygie.kernel.store.law import Law

KNOWN = Path(__file__).parent / "tables" / "known_lines.csv"
DAY = date(2026, 11, 22)
DOCUMENTS = [one for one in MATTERS.values() if one.document_class != "own"]


def readable(law: Law, *roles: str) -> set[str]:
    mask = law.policies.matrix.readable(frozenset(roles), DAY)
    return {one.code for one in DOCUMENTS if holds(mask, one.number)}


def lines() -> list[dict[str, str]]:
    with KNOWN.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("line", lines(), ids=lambda one: f"{one['profession']} {one['document']}")
def test_a_line_that_was_read_is_kept(line: dict[str, str], law: Law) -> None:
    mask = law.policies.matrix.readable(frozenset({line["code"]}), DAY)
    found = holds(mask, BY_CODE[line["document"]].number)
    assert ("yes" if found else "no") == line["reads"], line["source"]


def test_doctors_read_every_type_but_the_certificate_of_residence(law: Law) -> None:
    every = {one.code for one in DOCUMENTS}
    assert every - readable(law, "10") == {"ATTEST-RESID"}


@pytest.mark.parametrize("role", ["21", "60"])
def test_pharmacists_and_nurses_read_slightly_fewer(role: str, law: Law) -> None:
    doctors, theirs = readable(law, "10"), readable(law, role)
    assert theirs < doctors
    assert len(theirs) > 0.75 * len(doctors)


@pytest.mark.parametrize("role", ["41", "300"])
def test_social_roles_read_much_less(role: str, law: Law) -> None:
    assert len(readable(law, role)) < len(readable(law, "10")) / 2


def test_an_unknown_role_reads_nothing(law: Law) -> None:
    assert not any(law.policies.matrix.readable(frozenset({"nobody", ""}), DAY))
    assert not any(law.policies.matrix.readable(frozenset(), DAY))


def test_two_roles_read_what_either_reads(law: Law) -> None:
    assert readable(law, "40", "80") == readable(law, "40") | readable(law, "80")
