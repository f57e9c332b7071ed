"""Whole journeys in a browser, without JavaScript, or with the keyboard alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser


async def _sign_in(page: Page, login: str) -> None:
    await page.goto("/sign-in/")
    await page.get_by_label("Identifiant").fill(login)
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("main").get_by_role("button", name="Se connecter").click()


async def test_a_professional_goes_from_sign_in_to_the_source_without_javascript(
    portal: Portal,
) -> None:
    context = await portal.context(java_script_enabled=False)
    page = await context.new_page()
    await _sign_in(page, "dr.petit")
    await page.get_by_label("Chercher un de mes patients").fill("martyn nora")
    await page.get_by_role("button", name="Chercher").click()
    await page.get_by_role("link", name="Nora MARTIN").click()
    await expect(page.get_by_text("Pénicilline")).to_be_visible()
    await page.get_by_role("link", name="Chronologie").click()
    await page.get_by_label("Montrer").select_option("vaccine")
    await page.get_by_role("button", name="Filtrer").click()
    await expect(page).to_have_url(re.compile("kind=vaccine"))
    await expect(page.get_by_role("link", name="Diabète de type 2")).to_have_count(0)
    await page.get_by_role("link", name="Vaccin grippe").click()
    await page.get_by_role("link", name="Voir la source FHIR").click()
    await expect(page.locator("pre")).to_contain_text('"resourceType": "Immunization"')
    await context.close()


async def test_a_patient_reads_and_saves_a_document_without_javascript(
    portal: Portal, tmp_path: Path
) -> None:
    context = await portal.context(java_script_enabled=False, accept_downloads=True)
    page = await context.new_page()
    await _sign_in(page, "nora")
    await page.get_by_role("link", name="Mes documents").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Enregistrer Compte rendu de cardiologie").click()
    download = await waiting.value
    assert download.suggested_filename == "Compte rendu de cardiologie.pdf"
    kept = tmp_path / "kept.pdf"
    await download.save_as(kept)
    assert kept.read_bytes().startswith(b"%PDF-")
    await context.close()


async def test_the_language_is_changed_by_one_button_and_remembered(portal: Portal) -> None:
    context = await portal.context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/help/")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Help")).to_be_visible()
    await page.goto("/")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await context.close()


async def test_a_demonstration_account_is_chosen_on_the_start_page(portal: Portal) -> None:
    context = await portal.context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_role("link", name="Paul Durand").click()
    await expect(page.get_by_label("Identifiant")).to_have_value("paul")
    await context.close()


async def test_a_patient_signs_in_and_opens_the_record_with_the_keyboard_alone(
    portal: Portal,
) -> None:
    context = await portal.context()
    page = await context.new_page()
    await page.goto("/sign-in/")
    await _tab_to(page, "login")
    await page.keyboard.type("nora")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/patient/")
    await _tab_to(page, "Mon résumé")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/patient/record/**")
    await expect(page.get_by_role("heading", name="Mes médicaments")).to_be_visible()
    await context.close()


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(30):
        await page.keyboard.press("Tab")
        here = await page.evaluate(
            "document.activeElement.name || document.activeElement.innerText"
        )
        if here == name:
            return
    pytest.fail(f"Tab never reaches {name}")
