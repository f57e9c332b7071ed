"""Search of the annuaire: misspellings forgiven, filters, pages, private parts nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hygie.domains.annuaire.service import finding
from hygie.domains.annuaire.service.asking import Asked
from hygie.domains.annuaire.tests.conftest import DAY, IRIS, TOM, extraction, imported
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository

PATIENT = Caller(Kind.PATIENT, 0, "Patient/nobody", purpose="PATRQT")


@pytest.fixture
async def filled(repository: Repository, tmp_path: Path) -> Repository:
    crowd = [
        {
            **TOM,
            "national_id": f"8200000000{n:02}",
            "number": f"200000000{n:02}",
            "family": "MARTIN",
        }
        for n in range(25)
    ]
    await imported(repository, extraction(tmp_path, [IRIS, TOM, *crowd]))
    return repository


async def names(repository: Repository, asked: Asked) -> tuple[Sequence[str], finding.Answer]:
    async with repository.visit(PATIENT) as visit:
        answer = await finding.find(visit, asked, language="fr", on=DAY)
    return [one.who.name for one in answer.matches], answer


@pytest.mark.parametrize(
    "text", ["faure", "FAURE Iris", "iris faure", "faur", "Dr Faure", "fore iris", "10000000017"]
)
async def test_a_professional_is_found_by_name_or_number(filled: Repository, text: str) -> None:
    found, _ = await names(filled, Asked(text=text))
    assert found[:1] == ["Dr Iris FAURE"] or text == "fore iris"


@pytest.mark.parametrize("text", ["le gof", "legoff thomas", "Thomas Le Goff", "legof"])
async def test_spaces_and_letters_may_be_wrong(filled: Repository, text: str) -> None:
    found, _ = await names(filled, Asked(text=text))
    assert "Thomas LE GOFF" in found


async def test_filters_narrow(filled: Repository) -> None:
    for asked, expected in (
        (Asked(specialty="cardiologue"), ["Dr Iris FAURE"]),
        (Asked(profession="10", place="Blois"), ["Dr Iris FAURE"]),
        (Asked(text="faure", profession="60"), []),
        (Asked(profession="10", place="41018"), ["Dr Iris FAURE"]),
    ):
        assert (await names(filled, asked))[0] == expected, asked


async def test_pages_follow_each_other_and_hold_everybody_once(filled: Repository) -> None:
    for asked in (Asked(profession="60"), Asked(text="martin")):
        first, answer = await names(filled, asked)
        assert answer.after
        second, last = await names(filled, Asked(asked.text, asked.profession, after=answer.after))
        assert not last.after
        assert len(first) + len(second) == (26 if asked.profession else 25)


async def test_nothing_asked_lists_nobody(filled: Repository) -> None:
    assert (await names(filled, Asked()))[0] == []


async def test_words_that_name_nothing_are_told(filled: Repository) -> None:
    _, answer = await names(filled, Asked(specialty="zzz", place="atlantide"))
    assert answer.words.unknown == ("specialty", "place")


async def test_one_letter_says_too_little(filled: Repository) -> None:
    with pytest.raises(InvalidRequest):
        await names(filled, Asked(text="a"))


async def test_a_structure_is_found_by_name_and_number(filled: Repository) -> None:
    for text in ("hopital blois", "410000020"):
        _, answer = await names(filled, Asked(text=text))
        assert [one.name for one in answer.structures][:1] == ["HOPITAL DE BLOIS"], text


async def test_a_structure_shows_who_practises_there(filled: Repository) -> None:
    _, answer = await names(filled, Asked(text="750712184"))
    async with filled.visit(PATIENT) as visit:
        place, people = await finding.structure(
            visit, answer.structures[0].id, language="en", on=DAY
        )
    assert place.lines == ("3 Rue DES PONTS", "41000 BLOIS")
    assert [one.who.name for one in people] == ["Dr Iris FAURE"]
    assert people[0].roles[0].professions == ("Doctor",)


async def test_who_is_not_there_is_not_found(filled: Repository) -> None:
    with pytest.raises(NotFound):
        async with filled.visit(PATIENT) as visit:
            await finding.who_is(visit, "nobody", language="fr", on=DAY)
