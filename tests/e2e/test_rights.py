"""The pages of the rights: axe clean, narrow screens, and whole journeys without JavaScript."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD
from hygie.testing.stories import NORA

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html).join(" | ")))"""
HOME = f"/patient/rights/{NORA}/"
PAGES = {
    "": ["/privacy/", "/privacy/connections/"],
    "nora": [
        HOME,
        f"{HOME}items/",
        f"{HOME}items/?kind=Observation",
        f"{HOME}items/Condition/diabetes/",
    ],
    "dr.petit": ["/professional/rights/"],
    "operateur": ["/establishment/rights/", "/establishment/rights/cabinet/"],
}
LOOKS = [("light", 1280), ("light", 320), ("dark", 320), ("dark", 1280)]


@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    portal: Portal, login: str, language: str
) -> None:
    context = await portal.context(login, language)
    page = await context.new_page()
    faults: list[str] = []
    for address in PAGES[login]:
        faults += await _faults(page, address, f"{login}-{language}")
    await context.close()
    assert not faults, "\n".join(faults)


async def _faults(page: Page, address: str, name: str) -> list[str]:
    answer = await page.goto(address)
    assert answer
    assert answer.status == 200, address
    return await _looks(page, f"{name}{address}")


async def _looks(page: Page, name: str) -> list[str]:
    await page.evaluate(AXE)
    faults: list[str] = []
    for scheme, width in LOOKS:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        where = f"{name} {scheme} {width} px:"
        faults += [f"{where} {fault}" for fault in await page.evaluate(RUN)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{where} scrolls sideways")
        if SHOTS:
            safe = re.sub(r"\W+", "-", f"{name}-{scheme}-{width}")
            await page.screenshot(path=f"{SHOTS}/{safe}.png", full_page=True)
    return faults


async def test_a_correction_goes_from_the_person_to_the_doctor_and_back(portal: Portal) -> None:
    context = await portal.context("nora", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(HOME)
    await page.get_by_role("link", name="Choisir ce qui est faux").click()
    await page.get_by_label("Sorte d’information").select_option("Immunization")
    await page.get_by_role("button", name="Montrer").click()
    await page.get_by_role("link", name="Vaccin dTcaP (Repevax)").click()
    await page.get_by_label("Qu’est-ce qui est faux").fill("La date est fausse")
    await page.get_by_role("button", name="Envoyer la demande").click()
    await expect(page.get_by_text("En attente de réponse").first).to_be_visible()
    await context.close()

    context = await portal.context("dr.petit", java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/professional/rights/")
    await page.get_by_role("link", name="Vaccin dTcaP (Repevax)").click()
    await page.get_by_label("Nouvelle date").fill("2014-07-04")
    await page.get_by_label("Remarque, lue par la personne").fill("Vu sur le carnet")
    await page.get_by_role("button", name="Corriger").click()
    await page.wait_for_url("**/professional/rights/")
    await context.close()

    context = await portal.context("nora", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(HOME)
    await expect(page.get_by_text("Vu sur le carnet")).to_be_visible()
    await context.close()


async def test_the_page_of_an_answer_is_clean(portal: Portal) -> None:
    context = await portal.context("nora", java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{HOME}items/Condition/diabetes/")
    await page.get_by_label("Qu’est-ce qui est faux").fill("À vérifier")
    await page.get_by_role("button", name="Envoyer la demande").click()
    await expect(page.get_by_text("À vérifier")).to_be_visible()
    await context.close()
    context = await portal.context("dr.petit")
    page = await context.new_page()
    await page.goto("/professional/rights/")
    await page.get_by_role("link", name="Diabète de type 2").first.click()
    await page.get_by_role("button", name="Refuser").click()
    await expect(page.get_by_text("Écrivez la raison du refus")).to_be_visible()
    faults = await _looks(page, "answer")
    await context.close()
    assert not faults, "\n".join(faults)


async def test_erasing_is_confirmed_by_the_password_with_the_keyboard(portal: Portal) -> None:
    context = await portal.context("nora")
    page = await context.new_page()
    await page.goto(f"{HOME}erase/")
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/erase/")
    await expect(page.get_by_text("R. 1112-7").first).to_be_visible()
    faults = await _looks(page, "erase")
    await context.close()
    assert not faults, "\n".join(faults)
