"""Find people: one's own patients by any clue, a stranger by full identity only."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hygie.kernel.errors import Forbidden, InvalidRequest, PreconditionFailed
from hygie.kernel.security.caller import Caller, Kind, Right
from hygie.kernel.store import Repository
from hygie.kernel.store.identifying import Traits
from hygie.kernel.store.people import person_of
from hygie.kernel.store.tests.conftest import (
    patient_caller,
    professional_caller,
    put,
    traces,
)
from hygie.testing.factories import INS_TEST

INSEE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"
NORA = Traits("Le Gall", "Nora", date(1959, 5, 12), "female", "29019")
PEOPLE: list[tuple[str, str, list[str], str, str]] = [
    ("nora", "LE GALL", ["Nora", "Marie"], "1959-05-12", "259052901900497"),
    ("elodie", "Œuvrard", ["Élodie"], "1988-02-29", "288022B07300421"),
    ("jean", "Dupont-Moretti", ["Jean-Pierre"], "1961-04-20", "161045935000163"),
    ("arc", "D'Arc", ["Jeanne"], "1990-01-06", "290018800100183"),
    ("twin1", "Martin", ["Léa"], "2001-06-01", "201067505600124"),
    ("twin2", "Martin", ["Léo"], "2001-06-01", "101067505600174"),
]


def person(rid: str, family: str, given: list[str], *, born: str, ins: str) -> dict[str, Any]:
    place = {"extension": [{"url": INSEE, "valueCoding": {"code": "29019"}}]}
    return {
        "resourceType": "Patient",
        "id": rid,
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": place,
            }
        ],
        "identifier": [{"system": INS_TEST, "value": ins}],
        "name": [{"use": "official", "family": family, "given": given}],
        "gender": "female" if ins[0] == "2" else "male",
        "birthDate": born,
    }


def team(rid: str, member: str) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": f"team-{rid}",
        "status": "active",
        "subject": {"reference": f"Patient/{rid}"},
        "participant": [{"member": {"reference": f"Practitioner/{member}"}}],
    }


@pytest.fixture(scope="module")
async def doctor(repository: Repository) -> Caller:
    """Give the physician of everybody in the table but one, who is a stranger."""
    for rid, family, given, born, ins in PEOPLE:
        await put(repository, person(rid, family, given, born=born, ins=ins))
        await put(repository, team(rid, "petit"))
    stranger = person("stranger", "Le Gall", ["Nora"], born="1970-01-01", ins="270012901900476")
    await put(repository, stranger)
    return await professional_caller(repository, "petit")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("nora", "nora"),
        ("le gall", "nora"),
        ("LEGALL", "nora"),
        ("legal", "nora"),
        ("Nora Le Gall", "nora"),
        ("gall nora", "nora"),
        ("le-gall", "nora"),
        ("elodie", "elodie"),
        ("ELODIE OEUVRARD", "elodie"),
        ("euvrard", "elodie"),
        ("dupond moreti", "jean"),
        ("jean pierre", "jean"),
        ("jeanpierre", "jean"),
        ("jeane darc", "arc"),
        ("d'arc", "arc"),
        ("d\N{RIGHT SINGLE QUOTATION MARK}arc", "arc"),
        ("12/05/1959", "nora"),
        ("12.05.1959", "nora"),
        ("12 05 1959", "nora"),
        ("12 mai 1959", "nora"),
        ("1959-05-12 nora", "nora"),
        ("29 février 1988", "elodie"),
        ("6 janvier 1990 jeanne", "arc"),
        ("2 59 05 29 019 004 97", "nora"),
        ("259052901900497", "nora"),
        ("2590529019004", "nora"),
        ("2 88 02 2b 073 004", "elodie"),
        ("Le Gall 2 59 05 29 019 004 97", "nora"),
    ],
)
async def test_a_professional_finds_their_patient(
    repository: Repository, doctor: Caller, text: str, first: str
) -> None:
    found = await repository.find_mine(doctor, text)
    assert found
    assert found[0].reference == f"Patient/{first}"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], ("", "", "")),
        ([{"family": "Le Goff", "given": ["Anne", "Marie"]}], ("Anne Marie", "Le Goff", "")),
        (
            [
                {"use": "official", "family": "Guillou", "given": ["Anne"]},
                {"use": "usual", "family": "Le Goff"},
            ],
            ("Anne", "Le Goff", "Guillou"),
        ),
        (
            [
                {"use": "usual", "family": "LE GOFF", "given": ["Nan"]},
                {"use": "official", "family": "Le Goff", "given": ["Anne"]},
            ],
            ("Nan", "LE GOFF", ""),
        ),
    ],
)
def test_a_person_is_shown_under_the_name_in_use(
    names: list[dict[str, Any]], shown: tuple[str, str, str]
) -> None:
    found = person_of("anne", {"name": names})
    assert (found.given, found.family, found.birth_family) == shown


@pytest.mark.parametrize("text", ["zyxw", "13/05/1959", "259052901900499 zzz", "%", "_", "'; --"])
async def test_what_fits_nobody_finds_nobody(
    repository: Repository, doctor: Caller, text: str
) -> None:
    found = await repository.find_mine(doctor, text)
    assert not found or text in ("%", "_", "'; --")


async def test_no_text_lists_one_s_own_patients_by_name(
    repository: Repository, doctor: Caller
) -> None:
    found = await repository.find_mine(doctor, "")
    assert [one.reference for one in found] == [
        f"Patient/{rid}" for rid in ("arc", "jean", "nora", "twin1", "twin2", "elodie")
    ]


async def test_strangers_are_never_found_by_a_clue(repository: Repository, doctor: Caller) -> None:
    found = await repository.find_mine(doctor, "Nora Le Gall")
    assert "Patient/stranger" not in {one.reference for one in found}
    assert await repository.find_mine(doctor, "270012901900476") == []


async def test_a_date_of_no_calendar_is_refused(repository: Repository, doctor: Caller) -> None:
    with pytest.raises(InvalidRequest):
        await repository.find_mine(doctor, "31/02/1959")


@pytest.fixture
def identifier(doctor: Caller) -> Caller:
    """Give the same physician with the right *identify* and no patient."""
    return replace(doctor, party=999_999, rights=frozenset({Right.IDENTIFY}))


@pytest.mark.parametrize(
    ("ins", "who"),
    [
        ("259052901900497", "nora"),
        ("2 59 05 29 019 004 97", "nora"),
        ("2590529019004", "nora"),
        ("2700129019004", "stranger"),
        ("2 88 02 2B 073 004", "elodie"),
        ("259052901900499", None),
    ],
)
async def test_an_ins_identifies(
    repository: Repository, identifier: Caller, ins: str, who: str | None
) -> None:
    found = await repository.identify(identifier, ins=ins)
    assert (found and found.reference) == (who and f"Patient/{who}")


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, True),
        ({"family": "le-gall", "given": "NORA"}, True),
        ({"family": "Le Gal"}, False),
        ({"given": "Marie"}, False),
        ({"birth_date": date(1959, 5, 13)}, False),
        ({"sex": "male"}, False),
        ({"birth_place": "29020"}, False),
    ],
)
async def test_every_strict_trait_identifies_together(
    repository: Repository, identifier: Caller, changed: dict[str, Any], found: bool
) -> None:
    person = await repository.identify(identifier, traits=replace(NORA, **changed))
    assert (person is not None) == found


@pytest.mark.parametrize("trait", ["family", "given", "sex", "birth_place"])
async def test_a_missing_trait_is_refused(
    repository: Repository, identifier: Caller, trait: str
) -> None:
    incomplete = replace(NORA, **{trait: " "})  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        await repository.identify(identifier, traits=incomplete)


@pytest.mark.parametrize("ins", ["", "25905", "nora", "25905290190042811", "259052901900497 x"])
async def test_what_is_no_ins_is_refused(
    repository: Repository, identifier: Caller, ins: str
) -> None:
    with pytest.raises(InvalidRequest):
        await repository.identify(identifier, ins=ins)


async def test_several_people_are_told_of_none(repository: Repository, identifier: Caller) -> None:
    for rid in ("double1", "double2"):
        await put(
            repository, person(rid, "Noël", ["Ève"], born="1999-12-25", ins="299129999900139")
        )
    with pytest.raises(PreconditionFailed) as refused:
        await repository.identify(identifier, ins="299129999900139")
    assert "Noël" not in str(refused.value)
    record = {**person("double2", "Noël", ["Ève"], born="1999-12-25", ins="299129999900139")}
    await put(repository, {**record, "active": False})
    found = await repository.identify(identifier, ins="299129999900139")
    assert found is not None
    assert found.reference == "Patient/double1"


async def test_without_the_right_nobody_is_identified(
    repository: Repository, doctor: Caller
) -> None:
    patient = await patient_caller(repository, "nora")
    rights = frozenset({Right.IDENTIFY})
    researcher = Caller(Kind.RESEARCHER, 0, "account/1", rights=rights)
    for caller in (doctor, patient, replace(patient, rights=rights), researcher):
        with pytest.raises(Forbidden):
            await repository.identify(caller, ins="259052901900497")


@pytest.mark.parametrize("right", [Right.DESK, Right.REGISTER])
async def test_an_agent_of_a_desk_finds_whom_a_card_names_and_nothing_else(
    repository: Repository, doctor: Caller, right: Right
) -> None:
    assert doctor.party
    agent = Caller(Kind.ADMINISTRATOR, 0, "account/1", "HOPERAT", rights=frozenset({right}))
    found = await repository.identify(agent, ins="259052901900497")
    assert found is not None
    assert found.reference == "Patient/nora"
    with pytest.raises(Forbidden):
        await repository.identify(
            replace(agent, rights=frozenset({Right.REVIEW})), ins="259052901900497"
        )
    with pytest.raises(Forbidden):
        await repository.search(agent, "Patient", [("_id", "nora")])


async def test_each_identification_leaves_a_trace(
    repository: Repository, identifier: Caller, doctor: Caller
) -> None:
    nora = await repository.party_number("Patient/nora")
    seen = await traces(repository)
    await repository.identify(identifier, ins="259052901900497")
    await repository.identify(identifier, ins="259052901900499")
    with pytest.raises(Forbidden):
        await repository.identify(doctor, ins="259052901900497")
    new = (await traces(repository))[len(seen) :]
    assert [(one["rule"], one["pat"], one["outcome"]) for one in new] == [
        ("identify", nora, 200),
        ("identify", None, 200),
        ("none", None, 403),
    ]


async def test_identifying_opens_no_record(repository: Repository, identifier: Caller) -> None:
    await repository.identify(identifier, ins="259052901900497")
    found = await repository.search(identifier, "Patient", [("_id", "nora")])
    assert found.entries == []
