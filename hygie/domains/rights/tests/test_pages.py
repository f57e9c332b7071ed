"""The pages of the rights: what each person finds there, and what is refused."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Coroutine
from typing import Any, TypeVar
from zipfile import ZipFile

import msgspec
import pytest

from hygie.domains.rights.jobs import erase_what_was_asked, prepare_exports
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import NORA, PAUL, TOM

T = TypeVar("T")
HOME = f"/patient/rights/{NORA}/"


def run(site: Site, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(60)


def store(site: Site) -> Repository:
    assert site.platform.repository is not None
    return site.platform.repository


def put(site: Site, resource: dict[str, Any]) -> None:
    body = msgspec.json.encode(resource)
    run(site, store(site).update(SYSTEM, resource["resourceType"], resource["id"], body))


def confirmed(site: Site, login: str, address: str) -> Any:
    """Return a page behind the password, and the client that gave it."""
    client = site.client(login)
    asked = client.get(address)
    assert asked.status_code == 302
    return client.post(asked.headers["Location"], {"password": PASSWORD}, follow=True)


def test_a_patient_finds_every_right_on_one_page(site: Site) -> None:
    page = site.client("nora").get("/patient/rights/", follow=True)
    text = page.content.decode()
    assert page.status_code == 200
    for heading in ("Obtenir une copie", "Faire corriger", "Limiter", "recherche", "Effacer"):
        assert heading in text


def test_the_page_is_whole_in_english(site: Site) -> None:
    text = site.client("nora", "en").get(HOME).content.decode()
    assert "Get a copy" in text
    assert "Demander" not in text


def test_nobody_else_opens_the_rights_of_a_person(site: Site) -> None:
    assert site.client("paul").get(HOME).status_code == 404
    assert site.client(f"lucie for {NORA}").get(HOME).status_code == 403
    assert site.client("dr.petit").get(HOME).status_code == 403


def test_a_copy_is_asked_then_downloaded_after_the_password(site: Site) -> None:
    client = site.client("nora")
    assert client.post(f"{HOME}copy/").status_code == 302
    assert "En préparation" in client.get(HOME).content.decode()
    run(site, prepare_exports(site.platform))
    link = re.search(rf'href="({HOME}copy/[0-9a-f-]+/)"', client.get(HOME).content.decode())
    assert link
    asked = client.get(link[1])
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith("/account/confirm/")
    got = client.post(asked.headers["Location"], {"password": PASSWORD}, follow=True)
    archive = ZipFile(io.BytesIO(got.getvalue()))
    assert "dossier.pdf" in archive.namelist()
    assert got.headers["Content-Type"] == "application/zip"


def test_a_copy_that_a_parent_prepared_ends_with_the_right_of_the_parent(site: Site) -> None:
    home = f"/patient/rights/{TOM}/"
    mother = site.client(f"lucie for {TOM}")
    assert mother.post(f"{home}copy/").status_code == 302
    run(site, prepare_exports(site.platform))
    link = re.search(rf'href="({home}copy/[0-9a-f-]+/)"', mother.get(home).content.decode())
    assert link
    assert confirmed(site, f"lucie for {TOM}", link[1]).headers["Content-Type"] == "application/zip"
    consent = f"representative-of-{TOM}"
    held = msgspec.json.decode(run(site, store(site).read(SYSTEM, "Consent", consent)).body or b"")
    try:
        put(site, held | {"status": "inactive"})
        assert confirmed(site, f"lucie for {TOM}", link[1]).status_code == 404
    finally:
        put(site, held)


def test_restriction_and_objection_are_stated_and_withdrawn(site: Site) -> None:
    client = site.client("nora")
    for choice, words in (("restriction", "Limité depuis"), ("research", "Refusée depuis")):
        client.post(f"{HOME}choice/", {"choice": choice, "on": "1"})
        assert words in client.get(HOME).content.decode()
        client.post(f"{HOME}choice/", {"choice": choice, "on": "0"})
        assert words not in client.get(HOME).content.decode()


def test_a_restricted_record_is_closed_to_the_doctor_and_open_to_the_person(site: Site) -> None:
    doctor, patient = site.client("dr.petit"), site.client("nora")
    assert doctor.get(f"/professional/record/{NORA}/").status_code == 200
    patient.post(f"{HOME}choice/", {"choice": "restriction", "on": "1"})
    try:
        assert doctor.get(f"/professional/record/{NORA}/").status_code == 404
        assert patient.get(f"/patient/record/{NORA}/").status_code == 200
    finally:
        patient.post(f"{HOME}choice/", {"choice": "restriction", "on": "0"})
    assert doctor.get(f"/professional/record/{NORA}/").status_code == 200


def ask_correction(site: Site, item: str, wish: str) -> None:
    page = site.client("nora").post(f"{HOME}items/{item}/", {"wish": wish})
    assert page.status_code == 302


def request_about(site: Site, words: str) -> str:
    text = site.client("dr.petit").get("/professional/rights/").content.decode()
    found = re.search(rf'href="(/professional/rights/[^"]+/)">[^<]*{words}', text)
    assert found
    return found[1]


def test_a_correction_is_asked_made_and_told(site: Site) -> None:
    ask_correction(site, "AllergyIntolerance/penicillin", "C’est l’amoxicilline")
    address = request_about(site, "Pénicilline")
    doctor = site.client("dr.petit")
    assert "C’est l’amoxicilline" in doctor.get(address).content.decode()
    sent = {"answer": "accept", "words": "Amoxicilline", "note": "Corrigé avec vous"}
    assert doctor.post(address, sent).status_code == 302
    record = site.client("nora").get(f"/patient/record/{NORA}/AllergyIntolerance/penicillin/")
    assert "Amoxicilline" in record.content.decode()
    home = site.client("nora").get(HOME).content.decode()
    assert "Faite" in home
    assert "Corrigé avec vous" in home


def test_a_refused_correction_says_why_and_changes_nothing(site: Site) -> None:
    ask_correction(site, "Condition/diabetes", "Je n’ai pas de diabète")
    address = request_about(site, "Diabète de type 2")
    doctor = site.client("dr.petit")
    assert doctor.post(address, {"answer": "refuse", "reason": " "}).status_code == 400
    sent = {"answer": "refuse", "reason": "Trois bilans le confirment"}
    assert doctor.post(address, sent).status_code == 302
    assert "Trois bilans le confirment" in site.client("nora").get(HOME).content.decode()
    again = doctor.post(address, sent)
    assert again.status_code == 400
    assert "a changé entre-temps" in again.content.decode()


def test_an_empty_wish_is_refused_with_a_sentence(site: Site) -> None:
    page = site.client("nora").post(f"{HOME}items/Condition/diabetes/", {"wish": "  "})
    assert page.status_code == 400
    assert "Écrivez ce qui est faux" in page.content.decode()


def test_the_items_of_a_kind_are_listed(site: Site) -> None:
    page = site.client("nora").get(f"{HOME}items/?kind=Immunization")
    assert "Vaccin grippe" in page.content.decode()


def test_erasing_asks_for_the_password_and_tells_the_law(site: Site) -> None:
    page = confirmed(site, "nora", f"{HOME}erase/").content.decode()
    assert "R. 1112-7" in page
    assert "gardé jusqu’au" in page
    assert "texte à confirmer" in page


@pytest.mark.parametrize("address", ["/privacy/", "/privacy/connections/"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_everybody_reads_the_notice_and_the_connections(
    site: Site, address: str, language: str
) -> None:
    page = site.client(language=language).get(address)
    assert page.status_code == 200
    assert PAUL.encode() not in page.content


def test_an_administrator_reads_the_register_and_writes_texts(site: Site) -> None:
    client = site.client("operateur")
    page = client.get("/establishment/rights/")
    assert page.status_code == 200
    link = re.search(r'href="(/establishment/rights/[^"]+/)">', page.content.decode())
    assert link
    sent = client.post(link[1], {"dpo": "Mme Roy, dpo@example.org"}, follow=True)
    assert "Mme Roy" in sent.content.decode()
    assert "Mme Roy" in site.client().get("/privacy/").content.decode()
    for name in ("register", "assessment"):
        paper = client.get(f"{link[1]}{name}.md")
        assert paper.status_code == 200
        assert "Mme Roy" in paper.content.decode()
    assert client.get(f"{link[1]}other.md").status_code == 404


@pytest.mark.parametrize("login", ["nora", "dr.petit"])
def test_the_register_is_for_administrators(site: Site, login: str) -> None:
    assert site.client(login).get("/establishment/rights/").status_code == 403


def test_erasing_without_the_tick_is_refused_and_the_job_answers(site: Site) -> None:
    address = f"{HOME}erase/"
    again = site.client("nora")
    asked = again.get(address)
    again.post(asked.headers["Location"], {"password": PASSWORD})
    assert again.post(address, {}).status_code == 400
    assert again.post(address, {"sure": "1"}).status_code == 302
    run(site, erase_what_was_asked(site.platform))
    home = again.get(HOME).content.decode()
    assert "Effacement" in home
    assert "Refusée" in home
    assert "gardé jusqu’au" in home
