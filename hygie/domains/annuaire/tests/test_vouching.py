"""Who proves a number of the directory at sign-in vouches for the person."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hygie.domains.annuaire.tests.conftest import found, put
from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.verification import Verification, verification_of, verifications_of, verified
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.web.professionals import vouch

DAY = date(2026, 11, 5)
PERSON: dict[str, Any] = {
    "resourceType": "Practitioner",
    "id": "ines",
    "meta": {"profile": ["https://example.org/profile"]},
    "name": [{"family": "Carte"}],
}


async def vouched(repository: Repository, on: date) -> dict[str, Any]:
    await vouch(repository, await repository.read(SYSTEM, "Practitioner", "ines"), "cps", on=on)
    (one,) = await found(repository, "Practitioner")
    return one


async def test_a_card_vouches_for_its_holder(repository: Repository) -> None:
    await put(repository, PERSON)
    one = await vouched(repository, DAY)
    assert verification_of(one) == Verification("cps", DAY)
    assert one["meta"]["profile"] == ["https://example.org/profile"]


async def test_the_next_day_writes_nothing_and_the_next_month_does(repository: Repository) -> None:
    await put(repository, PERSON)
    for day, version in ((5, "2"), (6, "2")):
        one = await vouched(repository, DAY.replace(day=day))
        assert one["meta"]["versionId"] == version
    assert verification_of(await vouched(repository, date(2026, 12, 20))) == Verification(
        "cps", date(2026, 12, 20)
    )


async def test_nobody_vouches_for_themselves(repository: Repository) -> None:
    await put(repository, PERSON)
    number = await repository.party_number("Practitioner/ines")
    me = Caller(Kind.PROFESSIONAL, number, "Practitioner/ines", level=3)
    raw = b'{"resourceType":"Practitioner","id":"ines"}'
    with pytest.raises(Forbidden):
        await repository.update(me, "Practitioner", "ines", raw)


def test_each_source_stands_beside_the_others() -> None:
    one = verified(verified(PERSON, "annuaire", on=DAY), "cps", on=DAY.replace(day=9))
    assert [mark.source for mark in verifications_of(one)] == ["annuaire", "cps"]
    assert verification_of(one) == Verification("cps", DAY.replace(day=9))
