"""The pages of the annuaire, on the real repository and the real templates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.pages import limiting
from hygie.kernel.fhir.verification import verified, without_verification
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.portal import Site
from hygie.testing.stories import CABINET, HELENE

if TYPE_CHECKING:
    from django.test import Client

Json = dict[str, Any]
ROLE = f"role-of-{HELENE}"
MINE = f"/professional/annuaire/mine/{ROLE}/"
CHOSEN = {
    "address": "on",
    "phone": "02 54 00 00 01",
    "language": ["fr", "fsl"],
    "access": ["lift"],
    "sector": "1",
    "fees": "Consultation 30 €",
    "booking": "https://rendez-vous.example.org/petit",
}


def change(site: Site, rt: str, rid: str, make: Any) -> None:
    """Change a resource as the operator."""

    async def work() -> None:
        repository = site.platform.repository
        assert repository is not None
        stored = await repository.read(SYSTEM, rt, rid)
        body = make(msgspec.json.decode(stored.body or b""))
        body.pop("meta", None) if rt == "Practitioner" else None
        await repository.update(SYSTEM, rt, rid, msgspec.json.encode(body))

    asyncio.run_coroutine_threadsafe(work(), site.loop).result(20)


def _placed(body: Json) -> Json:
    tag = {"system": systems.COMMUNES, "code": "41018"}
    return {**body, "meta": {"tag": [tag]}}


@pytest.fixture
def helene(site: Site) -> Iterator[Client]:
    """Give Hélène, verified and practising in Blois, with nothing public."""
    change(site, "Practitioner", HELENE, lambda one: verified(one, "cps", on=date(2026, 11, 2)))
    change(site, "PractitionerRole", ROLE, _placed)
    client = site.client("dr.petit")
    yield client
    client.post(f"{MINE}end/")
    change(site, "Practitioner", HELENE, without_verification)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests read as many pages as they like."""
    monkeypatch.setattr(limiting, "MOST", 10_000)
    monkeypatch.setattr(limiting, "MOST_DAY", 10_000)


def text_of(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return str(answer.content.decode())


@pytest.mark.parametrize(("login", "portal"), [("nora", "patient"), ("marc.vidal", "professional")])
def test_patients_and_professionals_find_a_professional(
    site: Site, login: str, portal: str
) -> None:
    text = text_of(site.client(login), f"/{portal}/annuaire/?q=peti")
    assert "Dr Hélène PETIT" in text
    assert "Cabinet de la Loire" in text


def test_the_pages_are_in_english_too(site: Site) -> None:
    text = text_of(site.client("nora", "en"), "/patient/annuaire/?q=petit")
    text = text.split("</form>")[-1]
    for expected in ("Doctor", "not verified", "1 professional"):
        assert expected in text, expected


def test_who_is_verified_shows_by_whom_and_since_when(site: Site, helene: Client) -> None:
    address = f"/patient/annuaire/professional/{HELENE}/"
    text = text_of(site.client("nora"), address)
    assert "par sa carte CPS, le 2 novembre 2026" in text


def test_who_is_not_verified_shows_so(site: Site) -> None:
    text = text_of(site.client("nora"), "/patient/annuaire/professional/marc-vidal/")
    assert "non vérifié" in text


def test_a_structure_names_who_practises_there(site: Site) -> None:
    text = text_of(site.client("nora"), f"/patient/annuaire/structure/{CABINET}/")
    assert "Dr Hélène PETIT" in text
    assert "Marc VIDAL" in text


def test_a_word_that_names_nothing_is_told(site: Site) -> None:
    text = text_of(site.client("nora"), "/patient/annuaire/?specialty=zzz&place=atlantide")
    assert "Aucune spécialité ne porte ce nom" in text
    assert "Aucune commune ne porte ce nom" in text


def test_one_letter_is_refused_with_what_to_do(site: Site) -> None:
    assert "au moins deux lettres" in text_of(site.client("nora"), "/patient/annuaire/?q=a", 400)


def test_without_an_account_nobody_shows_who_did_not_choose_it(site: Site, helene: Client) -> None:
    for question in ("?q=petit", "?profession=10", "?place=Blois", ""):
        assert "PETIT" not in text_of(site.client(), f"/annuaire/{question}"), question


def test_what_a_professional_chose_is_public_until_ended(site: Site, helene: Client) -> None:
    answer = helene.post(MINE, CHOSEN)
    assert answer.status_code == 302
    assert "C’est public" in text_of(helene, answer.headers["Location"])
    found = text_of(site.client(), "/annuaire/?q=petit&place=41018")
    assert "Dr Hélène PETIT" in found
    address = found.split('class="h-result"')[1].split('href="')[1].split('"')[0]
    shown = text_of(site.client(), address)
    for expected in (
        "Cabinet de la Loire",
        "02 54 00 00 01",
        "Secteur 1",
        "langue des signes française",
        "Ascenseur",
        "Consultation 30 €",
        "https://rendez-vous.example.org/petit",
    ):
        assert expected in shown, expected
    helene.post(f"{MINE}end/")
    assert "PETIT" not in text_of(site.client(), "/annuaire/?q=petit")
    text_of(site.client(), address, 404)


def test_a_wrong_choice_is_told_and_kept_typed(site: Site, helene: Client) -> None:
    answer = helene.post(MINE, {**CHOSEN, "booking": "javascript:alert(1)"})
    assert answer.status_code == 400
    assert "javascript:alert(1)" in answer.content.decode()
    assert "PETIT" not in text_of(site.client(), "/annuaire/?q=petit")


def test_who_is_not_verified_cannot_be_public(site: Site) -> None:
    answer = site.client("marc.vidal").post("/professional/annuaire/mine/role-of-marc-vidal/", {})
    assert answer.status_code == 403


def test_the_page_of_one_s_own_is_one_s_own(site: Site) -> None:
    text_of(site.client("dr.lang"), MINE, 404)
    assert site.client("nora").get(MINE).status_code == 403


def test_search_engines_keep_nothing(site: Site) -> None:
    answer = site.client().get("/annuaire/?q=petit")
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_one_address_reads_so_many_pages_and_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "MOST", 2)
    client = site.client()
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2::1"
    assert [client.get("/annuaire/?q=petit").status_code for _ in range(3)] == [200, 200, 429]
    client.defaults["REMOTE_ADDR"] = "2001:db8:1:2::ffff"
    assert client.get("/annuaire/?q=petit").status_code == 429
    assert client.get("/annuaire/").status_code == 200


def test_the_start_page_leads_there(site: Site) -> None:
    text = text_of(site.client(language="en"), "/")
    assert 'href="/annuaire/">Find a professional' in text


def test_a_patient_goes_on_to_their_care_team(site: Site) -> None:
    text = text_of(site.client("nora"), f"/patient/annuaire/professional/{HELENE}/")
    assert f"/choices/add/member/{HELENE}/" in text
    other = text_of(site.client("dr.lang"), f"/professional/annuaire/professional/{HELENE}/")
    assert "/choices/add/member/" not in other
