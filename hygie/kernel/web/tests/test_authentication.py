"""The level of a session is what was done, never what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hygie.kernel.web.authentication import Proof, level_of

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def _proof(method: str, acr: str = "", *, minutes_ago: float = 0) -> Proof:
    return Proof(method, (AT - timedelta(minutes=minutes_ago)).timestamp(), acr)


@pytest.mark.parametrize(
    ("proofs", "level"),
    [
        ([], 0),
        ([_proof("password")], 1),
        ([_proof("totp")], 0),
        ([_proof("password"), _proof("totp")], 2),
        ([_proof("passkey")], 2),
        ([_proof("franceconnect", "eidas1")], 1),
        ([_proof("franceconnect", "eidas2")], 2),
        ([_proof("franceconnect")], 0),
        ([_proof("franceconnect", "eidas9")], 0),
        ([_proof("card")], 3),
    ],
)
def test_the_strongest_combination_that_was_done_gives_the_level(
    proofs: list[Proof], level: int
) -> None:
    assert level_of(proofs, at=AT) == level


def test_an_old_proof_is_not_fresh() -> None:
    proofs = [_proof("password", minutes_ago=60), _proof("totp", minutes_ago=1)]
    assert level_of(proofs, at=AT) == 2
    assert level_of(proofs, at=AT, within=timedelta(minutes=5)) == 0
