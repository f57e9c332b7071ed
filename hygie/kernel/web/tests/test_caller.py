"""Who asks, of a session whose account stands for somebody else than before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hygie.kernel.web import caller

NUMBERS = {"Patient/nora": 7, "Patient/paul": 8}


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Number people without a database; give whom somebody looked up."""
    looked_up: list[str] = []

    def party_number(reference: str) -> int:
        looked_up.append(reference)
        return NUMBERS[reference]

    monkeypatch.setattr(caller, "repository", lambda: SimpleNamespace(party_number=party_number))
    monkeypatch.setattr(caller, "ask", lambda number: number)
    return looked_up


def signed_in(reference: str) -> Any:
    account = SimpleNamespace(
        pk=1, is_authenticated=True, kind="patient", fhir_reference=reference, rights=[]
    )
    return SimpleNamespace(session={}, user=account)


def test_the_number_of_a_person_is_looked_up_once_a_session(numbers: list[str]) -> None:
    request = signed_in("Patient/nora")
    assert [caller.caller_of(request).party for _ in range(2)] == [7, 7]
    assert numbers == ["Patient/nora"]


def test_an_account_that_stands_for_somebody_else_keeps_nothing_of_the_former() -> None:
    request = signed_in("Patient/nora")
    caller.caller_of(request)
    request.user.fhir_reference = "Patient/paul"
    found = caller.caller_of(request)
    assert (found.party, found.reference) == (8, "Patient/paul")
