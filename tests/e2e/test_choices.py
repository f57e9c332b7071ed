"""Journeys of consent, without JavaScript, or with the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD
from hygie.testing.stories import ADA, NORA

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser
RECORD = f"/professional/record/{ADA}/"
CHOICES = f"/patient/consent/{ADA}"


async def _page(portal: Portal, login: str, language: str = "fr") -> tuple[BrowserContext, Page]:
    context = await portal.context(login, language, java_script_enabled=False)
    return context, await context.new_page()


async def _status(portal: Portal, login: str, address: str) -> int:
    context, page = await _page(portal, login)
    answer = await page.goto(address)
    await context.close()
    assert answer
    return answer.status


async def test_the_first_visit_asks_two_questions_beside_who_would_see(portal: Portal) -> None:
    assert await _status(portal, "dr.petit", RECORD) == 404
    context = await portal.context("ada", java_script_enabled=False, now=True)
    page = await context.new_page()
    await page.goto("/patient/")
    await page.get_by_role("link", name="Répondre").click()
    await expect(page.get_by_text("Dr Hélène PETIT, Médecin")).to_be_visible()
    await page.get_by_role("button", name="Enregistrer mes choix").click()
    await expect(page.get_by_role("alert").get_by_text("Choisissez oui ou non.")).to_have_count(2)
    assert await _status(portal, "dr.petit", RECORD) == 404
    for question in ("1. Votre équipe", "2. En urgence"):
        await page.get_by_role("group", name=question).get_by_label("Oui").check()
    await page.get_by_role("button", name="Enregistrer mes choix").click()
    await expect(
        page.get_by_role("status").get_by_text("Vos choix sont enregistrés")
    ).to_be_visible()
    await expect(page.get_by_text("Vous avez donné votre accord")).to_be_visible()
    assert await _status(portal, "dr.petit", RECORD) == 200
    await context.close()


async def test_who_saw_shows_an_access_with_role_and_reason(portal: Portal) -> None:
    assert await _status(portal, "dr.petit", RECORD) == 200
    context, page = await _page(portal, "ada", "en")
    await page.goto("/patient/")
    await page.get_by_role("main").get_by_role("link", name="Who saw").click()
    first = page.get_by_role("main").get_by_role("listitem").first
    for expected in ("Dr Hélène PETIT", "Doctor", "Why:"):
        await expect(first).to_contain_text(expected)
    await page.get_by_label("Emergencies only").check()
    await page.get_by_role("button", name="Filter").click()
    await expect(page.get_by_text("No access with these filters.")).to_be_visible()
    await context.close()


async def test_withdrawing_from_the_team_asks_the_password_and_acts_at_once(
    portal: Portal,
) -> None:
    context, page = await _page(portal, "ada")
    await page.goto(f"{CHOICES}/choices/")
    await page.get_by_role("link", name="Retirer mon accord").click()
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("button", name="Continuer").click()
    await page.get_by_role("button", name="Retirer mon accord").click()
    await expect(page.get_by_role("status").get_by_text("ne peut plus lire")).to_be_visible()
    assert await _status(portal, "dr.petit", RECORD) == 404
    await page.get_by_role("link", name="Donner mon accord").click()
    await page.get_by_role("button", name="Donner mon accord").click()
    await expect(page.get_by_text("Vous avez donné votre accord")).to_be_visible()
    assert await _status(portal, "dr.petit", RECORD) == 200
    await context.close()


async def test_a_patient_finds_who_can_see_a_document_with_the_keyboard_alone(
    portal: Portal,
) -> None:
    context = await portal.context("nora")
    page = await context.new_page()
    await page.goto(f"/patient/record/{NORA}/DocumentReference/cardiology/")
    for name, part in (
        ("Qui peut voir cet élément", "who"),
        ("Masquer ce document aux professionnels", "mask"),
    ):
        await _tab_to(page, name)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/{part}/DocumentReference/cardiology/")
    await expect(page.get_by_text("Une urgence ne l’ouvre jamais.")).to_be_visible()
    await _tab_to(page, "Ne rien changer")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/who/DocumentReference/cardiology/")
    await context.close()


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.innerText") == name:
            return
    pytest.fail(f"Tab never reaches {name}")
