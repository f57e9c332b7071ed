"""The page of a professional who reads a card: identity found, rights kept, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hygie.domains.cards import fhir
from hygie.domains.cards.tests.people import run
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.cards import CardPlace
from hygie.testing.portal import Site
from hygie.testing.simulators.people import Citizen
from hygie.testing.simulators.vitale_card import VitaleCard, as_text, contents, personalise
from hygie.testing.stories import NORA

PAGE = "/professional/vitale/"
TODAY = datetime.now(UTC).date()
INS_OF_NORA = "259055512345691"


def person(ins: str, family: str, given: str, birth: str) -> Citizen:
    return Citizen(
        key=given, family=family, given=given, birth_date=birth, gender="female",
        birth_place="41018", ins=ins,
    )  # fmt: skip


NORA_CARD = contents([person(INS_OF_NORA, "Martin", "Nora", "1959-05-12")], TODAY)[0]


@pytest.fixture
def place(site: Site, cards: CardPlace) -> Iterator[CardPlace]:
    yield cards
    run(site, _forget(site))


async def _forget(site: Site) -> None:
    records = site.platform.repository
    assert records is not None
    query = [("beneficiary", f"Patient/{NORA}")]
    for one in (await records.search(SYSTEM, "Coverage", query)).entries:
        await records.delete(SYSTEM, "Coverage", one.stored.rid)


def stored(site: Site, rt: str, *query: tuple[str, str]) -> list[dict[str, Any]]:
    records = site.platform.repository
    assert records is not None
    found = run(site, records.search(SYSTEM, rt, list(query)))
    return [msgspec.json.decode(one.stored.body or b"") for one in found.entries]


def asked(client: Client) -> tuple[str, str]:
    """Return the challenge and the name of the terminal."""
    page = client.get(PAGE).content.decode()
    found = re.search(r"challenge=([A-Z2-7]{16})&amp;terminal=([0-9A-F]{16})", page)
    assert found is not None
    return found[1], found[2]


def present(client: Client, card: VitaleCard) -> Any:
    challenge, terminal = asked(client)
    text = as_text(card.answer(challenge, terminal))
    return client.post(PAGE, {"challenge": challenge, "presentation": text})


def nora(place: CardPlace, **changed: Any) -> VitaleCard:
    return personalise(place.vitale, {**NORA_CARD, **changed})


def test_a_card_finds_its_person_and_shows_the_rights(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    assert present(client, nora(place)).status_code == 302
    page = client.get(f"{PAGE}rights/").content.decode()
    assert "Ouverts jusqu’au" in page
    assert f"/professional/record/{NORA}/" in page
    assert "Simulateur" in page


def test_the_bytes_of_nfc_are_read_as_well(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    challenge, terminal = asked(client)
    sent = SimpleUploadedFile("apcv.bin", nora(place).answer(challenge, terminal, kind="apcv"))
    assert client.post(PAGE, {"challenge": challenge, "bytes": sent}).status_code == 302
    assert "Appli carte Vitale lue" in client.get(f"{PAGE}rights/").content.decode()


def test_the_rights_are_kept_with_who_read_them_and_how(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    present(client, nora(place))
    assert "done=kept" in client.post(f"{PAGE}keep/", {"person": "0"})["location"]
    (kept,) = stored(site, "Coverage", ("beneficiary", f"Patient/{NORA}"))
    assert kept["status"] == "active"
    assert kept["payor"][0]["identifier"] == {"system": fhir.PAYOR, "value": "014110001"}
    assert {one["code"] for one in kept["meta"]["tag"]} == {"vitale-card", "simulator"}
    (source,) = stored(site, "Provenance", ("target", f"Coverage/{kept['id']}"))
    assert source["agent"][0]["who"]["reference"] == "Practitioner/helene-petit"


def test_a_second_reading_replaces_the_first(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    for _ in range(2):
        present(client, nora(place))
        client.post(f"{PAGE}keep/", {"person": "0"})
    (kept,) = stored(site, "Coverage", ("beneficiary", f"Patient/{NORA}"))
    assert kept["meta"]["versionId"] == "2"


def test_a_stranger_is_named_and_nothing_of_the_record_opens(site: Site, place: CardPlace) -> None:
    """The card stands in for the right *identify*, and for nothing else."""
    client = site.client("dr.lang")
    present(client, nora(place))
    page = client.get(f"{PAGE}rights/").content.decode()
    assert "connue ici" in page
    assert f"/professional/record/{NORA}/" not in page
    assert "done=refused" in client.post(f"{PAGE}keep/", {"person": "0"})["location"]
    assert stored(site, "Coverage", ("beneficiary", f"Patient/{NORA}")) == []


def test_the_question_leaves_a_trace(site: Site, place: CardPlace) -> None:
    client = site.client("marc.vidal")
    before = run(site, _questions(site))
    present(client, nora(place))
    client.get(f"{PAGE}rights/")
    assert run(site, _questions(site)) > before


async def _questions(site: Site) -> int:
    records = site.platform.repository
    assert records is not None
    async with records.database.transaction(system=True) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM trace WHERE rule = 'identify'"))


def test_another_name_under_the_same_number_is_for_a_human(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    other = contents([person(INS_OF_NORA, "Martin", "Nora", "1960-05-03")], TODAY)[0]
    present(client, personalise(place.vitale, other))
    assert "Rien n’est enregistré" in client.get(f"{PAGE}rights/").content.decode()
    assert "done=differs" in client.post(f"{PAGE}keep/", {"person": "0"})["location"]


def test_a_number_nobody_has_here_says_so(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    stranger = contents([person("180014101800188", "Neuf", "Ada", "1980-01-02")], TODAY)[0]
    present(client, personalise(place.vitale, stranger))
    assert "Personne ne porte ce numéro ici" in client.get(f"{PAGE}rights/").content.decode()


def test_one_of_a_family_is_chosen(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    family = [
        person(INS_OF_NORA, "Martin", "Nora", "1959-05-12"),
        person("188024101800144", "Martin", "Lucie", "1988-02-29"),
    ]
    present(client, personalise(place.vitale, contents(family, TODAY)[0]))
    assert "Qui consulte" in client.get(f"{PAGE}rights/").content.decode()
    page = client.get(f"{PAGE}rights/", {"person": "1"}).content.decode()
    assert "Lucie MARTIN" in page


@pytest.mark.parametrize("person", ["", "7", "-1", "x", "\u0661"])
def test_nobody_beside_the_card_is_chosen(site: Site, place: CardPlace, person: str) -> None:
    client = site.client("dr.petit")
    present(client, nora(place))
    answer = client.post(f"{PAGE}keep/", {"person": person})
    assert answer["location"] == f"{PAGE}rights/"


def test_an_answer_is_heard_once(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    challenge, terminal = asked(client)
    text = as_text(nora(place).answer(challenge, terminal))
    sent = {"challenge": challenge, "presentation": text}
    assert client.post(PAGE, sent).status_code == 302
    again = client.post(PAGE, sent)
    assert again.status_code == 400
    assert "déjà servi" in again.content.decode()


def test_an_answer_to_another_terminal_is_not_heard(site: Site, place: CardPlace) -> None:
    mine, other = site.client("dr.petit"), site.client("dr.petit")
    challenge, terminal = asked(mine)
    asked(other)
    text = as_text(nora(place).answer(challenge, terminal))
    assert other.post(PAGE, {"challenge": challenge, "presentation": text}).status_code == 400
    own, _ = asked(other)
    assert other.post(PAGE, {"challenge": own, "presentation": text}).status_code == 400


@pytest.mark.parametrize("text", ["", "bonjour", "HV1:AAAA", "HV1:é"])
def test_what_is_no_presentation_is_refused_in_words(
    site: Site, place: CardPlace, text: str
) -> None:
    client = site.client("dr.petit")
    challenge, _ = asked(client)
    page = client.post(PAGE, {"challenge": challenge, "presentation": text})
    assert page.status_code == 400
    assert "Scannez ou collez" in page.content.decode()


def test_a_wrong_answer_does_not_close_the_challenge(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    challenge, terminal = asked(client)
    client.post(PAGE, {"challenge": challenge, "presentation": "bonjour"})
    text = as_text(nora(place).answer(challenge, terminal))
    assert client.post(PAGE, {"challenge": challenge, "presentation": text}).status_code == 302


@pytest.mark.parametrize("login", ["", "nora", "operateur"])
def test_only_professionals_read_cards(site: Site, place: CardPlace, login: str) -> None:
    assert site.client(login).get(PAGE).status_code in (302, 403)


def test_without_a_reading_there_is_nothing_to_show(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    assert client.get(f"{PAGE}rights/")["location"] == PAGE
    assert client.post(f"{PAGE}keep/", {"person": "0"})["location"] == PAGE


def test_the_session_does_not_hold_the_card_in_clear(site: Site, place: CardPlace) -> None:
    client = site.client("dr.petit")
    present(client, nora(place))
    assert INS_OF_NORA not in str(dict(client.session))
