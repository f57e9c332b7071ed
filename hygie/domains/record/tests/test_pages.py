"""The pages of a record, on the real repository and the real templates."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from hygie.domains.record.service import file, visiting
from hygie.kernel.security.caller import SYSTEM
from hygie.testing.factories import PDF
from hygie.testing.portal import Site
from hygie.testing.stories import NORA, PAUL

PRO, MINE = "/professional/record", "/patient/record"


def _text(site: Site, login: str, path: str) -> str:
    answer = site.client(login).get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_a_professional_reads_the_summary(site: Site) -> None:
    text = _text(site, "dr.petit", f"{PRO}/{NORA}/")
    for expected in ("Diabète de type 2", "Pénicilline", "risque élevé", "Metformine", "139/79"):
        assert expected in text, expected


def test_unknown_is_written_unknown_and_a_stated_absence_is_written_none(site: Site) -> None:
    text = _text(site, "dr.petit", f"{PRO}/{PAUL}/")
    assert "Aucune allergie connue" in text
    assert "Personne n’a noté de problème" in text
    assert "Personne n’a noté de traitement" in text
    assert "à vérifier" in text


def test_a_patient_reads_plain_words(site: Site) -> None:
    text = _text(site, "nora", f"{MINE}/{NORA}/")
    assert "Sucre moyen sur trois mois" in text
    assert "N’arrêtez rien sans en parler" in text


def test_a_patient_reaches_their_own_record_without_its_number(site: Site) -> None:
    assert site.client("nora").get(f"{MINE}/").headers["Location"] == f"{MINE}/{NORA}/"


@pytest.mark.parametrize("page", ["", "timeline/", "documents/", "AllergyIntolerance/penicillin/"])
def test_a_patient_reads_nobody_else(site: Site, page: str) -> None:
    assert site.client("paul").get(f"{MINE}/{NORA}/{page}").status_code == 404


def test_an_item_of_another_record_is_not_found_under_this_one(site: Site) -> None:
    path = f"{PRO}/{PAUL}/AllergyIntolerance/penicillin/"
    assert site.client("dr.petit").get(path).status_code == 404


def test_the_timeline_pages_lose_no_day_and_repeat_none(site: Site) -> None:
    path, seen = f"{PRO}/{NORA}/timeline/", []
    client = site.client("dr.petit")
    for _ in range(20):
        text = client.get(path).content.decode()
        links = text.split('class="h-timeline"')[1].split("</ol>")[0]
        seen += [part.split('"')[0] for part in links.split('href="')[1:]]
        older = text.partition("Plus ancien")[0].rpartition('href="?')[2].partition('"')[0]
        if "Plus ancien" not in text:
            break
        path = f"{PRO}/{NORA}/timeline/?{older.replace('&amp;', '&')}"
    assert len(seen) == len(set(seen))
    measures = [one for one in seen if "/Observation/" in one]
    assert len(measures) == 50
    assert len([one for one in seen if "/Encounter/" in one]) == 20


def test_the_filters_of_the_timeline(site: Site) -> None:
    text = _text(site, "dr.petit", f"{PRO}/{NORA}/timeline/?kind=vaccine")
    assert "Vaccin grippe" in text
    assert "/Observation/" not in text
    recent = _text(site, "dr.petit", f"{PRO}/{NORA}/timeline/?kind=vaccine&years=5")
    assert "Repevax" in text
    assert "Repevax" not in recent


@pytest.mark.parametrize("query", ["kind=nothing", "before=yesterday", "before=2024-13-45"])
def test_a_filter_that_does_not_exist_is_refused(site: Site, query: str) -> None:
    assert site.client("dr.petit").get(f"{PRO}/{NORA}/timeline/?{query}").status_code == 400


def test_the_source_keeps_every_digit(site: Site) -> None:
    timeline = _text(site, "dr.petit", f"{PRO}/{NORA}/timeline/?kind=measure")
    link = timeline.split("LDL-cholestérol")[0].rpartition('href="')[2].partition('"')[0]
    assert "1.10" in _text(site, "dr.petit", f"{link}source/")


def test_a_document_is_shown_or_saved_and_runs_nothing(site: Site) -> None:
    path = f"{MINE}/{NORA}/documents/cardiology/0/"
    shown = site.client("nora").get(path)
    assert shown.content == PDF
    assert shown.headers["Content-Type"] == "application/pdf"
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    saved = site.client("nora").get(f"{path}?save").headers
    assert saved["Content-Disposition"].startswith("attachment")
    assert "sandbox" in saved["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["documents/cardiology/7/", "documents/nothing/0/", "Binary/x/"])
def test_a_file_that_is_not_there_is_not_found(site: Site, path: str) -> None:
    assert site.client("nora").get(f"{MINE}/{NORA}/{path}").status_code == 404


def test_a_file_kept_in_a_binary_is_read(site: Site) -> None:
    assert site.platform.repository is not None
    work = visiting(
        site.platform.repository,
        SYSTEM,
        NORA,
        zone=ZoneInfo("Europe/Paris"),
        work=lambda reader: file(reader, "order", 0),
    )
    found = asyncio.run_coroutine_threadsafe(work, site.loop).result(10)
    assert (found.data, found.content_type) == (PDF, "application/pdf")


def test_the_pages_of_a_record_are_in_english_too(site: Site) -> None:
    page = site.client("dr.petit", "en").get(f"{PRO}/{NORA}/").content.decode()
    for expected in ("Current problems", "Last measures", "high risk", "Summary", "Influenza"):
        assert expected in page, expected


def test_a_helper_chooses_among_the_records_and_is_told_whose_they_read(site: Site) -> None:
    choice = _text(site, "lucie", f"{MINE}/")
    assert choice.index("Lucie MARTIN") < choice.index("Nora MARTIN")
    assert "vous aidez cette personne" in choice
    assert "Vous lisez le dossier de Nora MARTIN" in _text(
        site, f"lucie for {NORA}", f"{MINE}/{NORA}/"
    )
    assert "Vous lisez le dossier" not in _text(site, "nora", f"{MINE}/{NORA}/")
