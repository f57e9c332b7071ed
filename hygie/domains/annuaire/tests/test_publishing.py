"""A public listing: chosen by the professional, verified, ended at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.model.listing import Access, Listing, Sector
from hygie.domains.annuaire.service import publishing
from hygie.domains.annuaire.service.asking import Asked
from hygie.domains.annuaire.tests.conftest import (
    DAY,
    IRIS,
    NEXT,
    TOM,
    extraction,
    found,
    imported,
    put,
)
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository

AT = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
WHOLE = Listing(
    address=True,
    phone="02 54 00 00 01",
    languages=("fr", "fsl"),
    accessibility=(Access.STEP_FREE,),
    sector=Sector.ONE,
    fees="Consultation 30 €",
    booking="https://rendez-vous.example.org/iris",
)


@pytest.fixture
async def filled(repository: Repository, tmp_path: Path) -> Repository:
    await imported(repository, extraction(tmp_path, [IRIS, TOM]))
    return repository


async def caller(repository: Repository, rpps: str = "10000000017") -> Caller:
    query = ("identifier", f"{systems.RPPS}|{rpps}")
    (one,) = await found(repository, "Practitioner", query)
    reference = f"Practitioner/{one['id']}"
    return Caller(Kind.PROFESSIONAL, await repository.party_number(reference), reference)


async def role_of(repository: Repository, who: Caller) -> str:
    (one,) = await found(repository, "PractitionerRole", ("practitioner", who.reference))
    return str(one["id"])


async def listed(repository: Repository, text: str = "faure", **asked: str) -> list[Any]:
    async with repository.visit(publishing.PUBLIC) as visit:
        page = await publishing.find_listed(visit, Asked(text=text, **asked), language="fr", on=DAY)
    return list(page.shown)


async def publish(repository: Repository, listing: Listing = WHOLE) -> Caller:
    who = await caller(repository)
    role = await role_of(repository, who)
    await publishing.publish(repository, who, role, listing=listing, at=AT)
    return who


async def test_nobody_is_public_who_did_not_choose_it(filled: Repository) -> None:
    assert await listed(filled) == []
    assert await listed(filled, "", profession="10") == []


async def test_what_was_chosen_is_public(filled: Repository) -> None:
    await publish(filled)
    (one,) = await listed(filled)
    assert one.listed.name == "Dr Iris FAURE"
    assert one.listed.professions == ("Médecin",)
    assert one.listed.listing == WHOLE
    assert one.place.lines == ("3 Rue DES PONTS", "41000 BLOIS")
    assert one.place.phones == ()


async def test_what_was_not_chosen_is_nowhere_in_the_listing(filled: Repository) -> None:
    await publish(filled, Listing())
    (body,) = await found(filled, "HealthcareService")
    assert not {"providedBy", "location", "telecom", "extraDetails"} & set(body)
    assert "41018" not in str(body)
    (one,) = await listed(filled)
    assert one.place is None


async def test_a_listing_is_found_by_profession_specialty_and_place(filled: Repository) -> None:
    await publish(filled)
    for asked in ({"profession": "10"}, {"specialty": "cardio"}, {"place": "Blois"}):
        assert len(await listed(filled, "", **asked)) == 1, asked
    assert await listed(filled, "", profession="60") == []


async def test_a_listing_ends_at_once(filled: Repository) -> None:
    who = await publish(filled)
    (one,) = await listed(filled)
    await publishing.withdraw(filled, who, one.listed.role, at=AT)
    assert await listed(filled) == []
    with pytest.raises(NotFound):
        async with filled.visit(publishing.PUBLIC) as visit:
            await publishing.listed_one(visit, one.listed.id, language="fr", on=DAY)


async def test_a_listing_may_begin_again(filled: Repository) -> None:
    who = await publish(filled)
    (one,) = await listed(filled)
    await publishing.withdraw(filled, who, one.listed.role, at=AT)
    await publish(filled, Listing())
    assert len(await listed(filled)) == 1


async def test_who_is_struck_off_disappears(filled: Repository, tmp_path: Path) -> None:
    await publish(filled)
    await imported(filled, extraction(tmp_path, [TOM], "next.txt"), on=NEXT)
    assert await listed(filled) == []


async def test_nobody_is_listed_for_whom_nobody_vouches(filled: Repository) -> None:
    await put(filled, {"resourceType": "Practitioner", "id": "new", "name": [{"family": "Neuf"}]})
    coding = {"system": systems.PROFESSIONS, "code": "60"}
    await put(
        filled,
        {
            "resourceType": "PractitionerRole",
            "id": "new-role",
            "practitioner": {"reference": "Practitioner/new"},
            "code": [{"coding": [coding]}],
        },
    )
    who = Caller(
        Kind.PROFESSIONAL, await filled.party_number("Practitioner/new"), "Practitioner/new"
    )
    with pytest.raises(Forbidden, match="Pro Santé Connect"):
        await publishing.publish(filled, who, "new-role", listing=Listing(), at=AT)


async def test_nobody_publishes_somebody_else(filled: Repository) -> None:
    tom = await caller(filled, "10000000025")
    hers = await role_of(filled, await caller(filled))
    with pytest.raises(NotFound):
        await publishing.publish(filled, tom, hers, listing=WHOLE, at=AT)
    await publish(filled)
    with pytest.raises(NotFound):
        await publishing.withdraw(filled, tom, hers, at=AT)
    assert len(await listed(filled)) == 1


async def test_who_chose_what_is_public_and_when_is_kept(filled: Repository) -> None:
    who = await publish(filled)
    (body,) = await found(filled, "HealthcareService")
    (told,) = await found(filled, "Provenance", ("target", f"HealthcareService/{body['id']}"))
    assert told["agent"][0]["who"]["reference"] == who.reference


@pytest.mark.parametrize(
    "wrong",
    [
        Listing(phone="call me"),
        Listing(booking="javascript:alert(1)"),
        Listing(booking="http://example.org"),
        Listing(fees="x" * 301),
        Listing(languages=("xx",)),
    ],
)
async def test_what_cannot_be_shown_is_refused(filled: Repository, wrong: Listing) -> None:
    with pytest.raises(InvalidRequest):
        await publish(filled, wrong)


async def test_the_public_job_writes_nothing_and_reads_no_record(filled: Repository) -> None:
    with pytest.raises(Forbidden):
        await filled.create(
            publishing.PUBLIC, "HealthcareService", b'{"resourceType":"HealthcareService"}'
        )
    await put(filled, {"resourceType": "Patient", "id": "nora", "name": [{"family": "Martin"}]})
    for rt in ("Patient", "Provenance"):
        assert (await filled.search(publishing.PUBLIC, rt, [])).entries == [], rt
