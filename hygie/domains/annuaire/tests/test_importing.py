"""What an extraction of the national directory says is what the store says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hygie.domains.annuaire.fhir import systems
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
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.verification import Verification, verification_of
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository

Json = dict[str, Any]
BY_RPPS = ("identifier", f"{systems.RPPS}|10000000017")


async def iris(repository: Repository) -> Json:
    (one,) = await found(repository, "Practitioner", BY_RPPS)
    return one


async def roles_now(repository: Repository) -> frozenset[str]:
    """Return the roles that the access rules grant to Iris at this request."""
    reference = f"Practitioner/{(await iris(repository))['id']}"
    number = await repository.party_number(reference)
    return (await repository.authenticate(Caller(Kind.PROFESSIONAL, number, reference))).roles


async def test_a_line_becomes_a_person_a_role_a_structure_and_a_place(
    repository: Repository, tmp_path: Path
) -> None:
    outcome, _ = await imported(repository, extraction(tmp_path, [IRIS]))
    assert outcome.taken == 1
    person = await iris(repository)
    assert person["name"][0]["family"] == "FAURE"
    assert verification_of(person) == Verification("annuaire", DAY)
    (role,) = await found(repository, "PractitionerRole", ("practitioner", person["id"]))
    assert role["specialty"][0]["coding"][0]["code"] == "SM04"
    (place,) = await found(repository, "Location", ("address-postalcode", "41000"))
    assert role["location"][0]["reference"] == f"Location/{place['id']}"
    (structure,) = await found(
        repository, "Organization", ("identifier", f"{systems.FINESS}|750712184")
    )
    assert structure["type"][0]["coding"][0]["display"] == "Cabinet de groupe"


async def test_a_role_is_found_by_commune_profession_and_specialty(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS, TOM]))
    for query, count in (
        ([("_tag", f"{systems.COMMUNES}|41018")], 2),
        ([("role", f"{systems.PROFESSIONS}|60")], 1),
        ([("specialty", f"{systems.SPECIALTIES}|SM04")], 1),
    ):
        assert len(await found(repository, "PractitionerRole", *query)) == count, query


async def test_the_same_file_again_writes_nothing(repository: Repository, tmp_path: Path) -> None:
    path = extraction(tmp_path, [IRIS, TOM])
    await imported(repository, path)
    outcome, _ = await imported(repository, path)
    assert not outcome.loaded.created
    assert outcome.loaded.updated == 0
    assert outcome.unchanged == 8


async def test_a_refused_line_is_told_and_stops_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    unknown = {**IRIS, "national_id": "8x", "number": "10000000033", "profession": "999"}
    nameless = {**TOM, "family": ""}
    outcome, told = await imported(repository, extraction(tmp_path, [unknown, nameless, IRIS]))
    assert (outcome.lines, outcome.taken, outcome.refused) == (3, 1, 2)
    assert [one.line for one in told if one.refused] == [2, 3]


async def test_a_wrong_key_warns_only(repository: Repository, tmp_path: Path) -> None:
    wrong = {**IRIS, "number": "10000000018"}
    outcome, told = await imported(repository, extraction(tmp_path, [wrong]))
    assert outcome.taken == 1
    assert any("key of the RPPS number" in one.reason and not one.refused for one in told)


async def test_lines_of_one_person_that_are_apart_are_refused(
    repository: Repository, tmp_path: Path
) -> None:
    outcome, _ = await imported(repository, extraction(tmp_path, [IRIS, TOM, IRIS]))
    assert (outcome.taken, outcome.refused) == (2, 1)


async def test_an_activity_that_is_named_no_more_ends(
    repository: Repository, tmp_path: Path
) -> None:
    hospital = {**IRIS, "finess": "410000020", "structure": "F410000020", "name": "HOPITAL"}
    await imported(repository, extraction(tmp_path, [IRIS, hospital]))
    await imported(repository, extraction(tmp_path, [IRIS], "next.txt"), on=NEXT)
    roles = await found(repository, "PractitionerRole")
    ended = [one for one in roles if one["active"] is False]
    assert [one["period"]["end"] for one in ended] == ["2026-12-06"]
    assert await roles_now(repository) == {"10"}


async def test_who_is_struck_off_loses_every_role_at_the_next_request(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS, TOM]))
    assert await roles_now(repository) == {"10"}
    day = DAY.replace(day=3)
    outcome, _ = await imported(repository, extraction(tmp_path, [TOM], "next.txt"), on=day)
    assert outcome.ended
    assert await roles_now(repository) == frozenset()
    assert verification_of(await iris(repository)) is None


async def test_a_file_cut_short_ends_nobody(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hygie.domains.annuaire.service.importing.ALWAYS", 0)
    await imported(repository, extraction(tmp_path, [IRIS, TOM]))
    short = extraction(tmp_path, [TOM], "short.txt")
    outcome, _ = await imported(repository, short, on=NEXT)
    assert (outcome.absent, outcome.ended) == (1, False)
    assert await roles_now(repository) == {"10"}
    outcome, _ = await imported(repository, short, on=NEXT, accept_endings=True)
    assert outcome.ended


async def test_a_partial_file_ends_nothing_for_the_others(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS, TOM]))
    part = extraction(tmp_path, [TOM], "part.txt")
    outcome, _ = await imported(repository, part, on=NEXT, complete=False)
    assert outcome.absent == 0


async def test_who_stands_in_the_store_already_keeps_id_and_own_roles(
    repository: Repository, tmp_path: Path
) -> None:
    identifier = {"system": systems.RPPS, "value": "10000000017"}
    await put(
        repository,
        {
            "resourceType": "Practitioner",
            "id": "iris",
            "identifier": [identifier],
            "name": [{"family": "Faure", "given": ["Iris"], "text": "Dr Iris Faure"}],
            "telecom": [{"system": "email", "value": "iris@example.org", "use": "work"}],
        },
    )
    own = {"system": "https://hygie.example.org/fhir/CodeSystem/role", "code": "samu-regulator"}
    await put(
        repository,
        {
            "resourceType": "PractitionerRole",
            "id": "own",
            "active": True,
            "practitioner": {"reference": "Practitioner/iris"},
            "code": [{"coding": [own]}],
        },
    )
    await imported(repository, extraction(tmp_path, [IRIS]))
    person = await iris(repository)
    assert person["id"] == "iris"
    assert person["name"][0]["text"] == "Dr Iris Faure"
    assert person["telecom"][0]["value"] == "iris@example.org"
    assert await roles_now(repository) == {"10", "samu-regulator"}


async def test_who_changed_what_and_from_which_file_is_kept(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS]))
    person = await iris(repository)
    target = ("target", f"Practitioner/{person['id']}")
    (provenance,) = await found(repository, "Provenance", target)
    assert provenance["entity"][0]["what"]["display"] == "PS_LibreAcces.txt"


async def test_nothing_private_is_in_what_an_import_writes(
    repository: Repository, tmp_path: Path
) -> None:
    await imported(repository, extraction(tmp_path, [IRIS]))
    person = await iris(repository)
    assert not {"birthDate", "address", "photo", "gender"} & set(person)


async def test_establishments_of_finess_become_structures(
    repository: Repository, tmp_path: Path
) -> None:
    cells = [""] * 32
    cells[:5] = ["structureet", "410000020", "410000103", "CH BLOIS", "CENTRE HOSPITALIER DE BLOIS"]
    cells[7:10] = ["12", "MAIL", "PIERRE CHARLOT"]
    cells[12:14] = ["018", "41"]
    cells[15:17] = ["41016 BLOIS CEDEX", "0254556633"]
    cells[18:20] = ["355", "Centre Hospitalier (C.H.)"]
    path = tmp_path / "finess.csv"
    short = "structureet;41"
    path.write_text(f"finess;etalab;93;2026-11-01\n{';'.join(cells)}\n{short}\n", "latin-1")
    outcome, told = await imported(repository, path)
    assert (outcome.taken, [one.line for one in told if one.refused]) == (1, [3])
    (one,) = await found(repository, "Organization", ("address-postalcode", "41016"))
    assert one["name"] == "CENTRE HOSPITALIER DE BLOIS"
    assert one["partOf"]["identifier"]["value"] == "410000103"
    assert one["address"][0]["extension"][0]["valueCoding"]["code"] == "41018"


async def test_another_file_is_refused_with_what_is_read(
    repository: Repository, tmp_path: Path
) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a;b;c\n", "utf-8")
    with pytest.raises(InvalidRequest, match="PS_LibreAcces_Personne_activite"):
        await imported(repository, path)
