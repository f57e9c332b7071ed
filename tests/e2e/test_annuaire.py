"""The annuaire in a browser without JavaScript: find, choose what is public, end it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.annuaire.tests.test_pages import MINE, ROLE, _placed, change
from hygie.kernel.fhir.verification import verified, without_verification
from hygie.testing.browser import Portal
from hygie.testing.stories import HELENE

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
WORDS = {
    "fr": {
        "menu": "Annuaire",
        "name": "Nom",
        "place": "Commune ou code postal",
        "search": "Chercher",
        "mine": "Choisir ce qui est public de moi",
        "choose": "Choisir ce qui est public",
        "phone": "Téléphone à montrer",
        "address": "Montrer l’adresse",
        "sign": "langue des signes française",
        "publish": "Rendre public",
        "remove": "Tout retirer",
        "done": "C’est public",
        "ended": "Plus rien de ce lieu n’est public",
        "nobody": "Personne ne correspond",
        "profession": "Médecin",
        "verified": "vérifié",
    },
    "en": {
        "menu": "Directory",
        "name": "Name",
        "place": "Commune or postal code",
        "search": "Search",
        "mine": "Choose what is public of me",
        "choose": "Choose what is public",
        "phone": "Phone number to show",
        "address": "Show the address",
        "sign": "French sign language",
        "publish": "Make public",
        "remove": "Remove everything",
        "done": "It is public",
        "ended": "Nothing of this place is public any more",
        "nobody": "Nobody fits",
        "profession": "Doctor",
        "verified": "verified",
    },
}


@pytest.fixture
async def helene(portal: Portal) -> AsyncIterator[None]:
    """Let Hélène be verified and practise in Blois, with nothing public."""
    seen: Any = lambda one: verified(one, "annuaire", on=date(2026, 11, 2))  # noqa: E731
    await asyncio.to_thread(change, portal.site, "Practitioner", HELENE, seen)
    await asyncio.to_thread(change, portal.site, "PractitionerRole", ROLE, _placed)
    yield
    await asyncio.to_thread(lambda: portal.site.client("dr.petit").post(f"{MINE}end/"))
    await asyncio.to_thread(change, portal.site, "Practitioner", HELENE, without_verification)


async def opened(portal: Portal, login: str, language: str) -> tuple[BrowserContext, Page]:
    context = await portal.context(login, language, java_script_enabled=False)
    return context, await context.new_page()


async def look(portal: Portal, context: BrowserContext, page: Page, language: str) -> None:
    """Look at a page with axe and at 320 pixels, in a window that runs scripts."""
    other = await portal.context("", language)
    await other.add_cookies(await context.cookies())  # type: ignore[arg-type]
    seen = await other.new_page()
    await seen.goto(page.url)
    await seen.evaluate(AXE)
    for width in (320, 1280):
        await seen.set_viewport_size({"width": width, "height": 900})
        assert await seen.evaluate("document.documentElement.scrollWidth") <= width, page.url
        assert await seen.evaluate(RUN) == [], page.url
        if SHOTS:
            name = page.url.partition("//")[2].partition("/")[2].replace("/", "-")[:60]
            file = Path(SHOTS) / f"annuaire-{name}-{width}-{language}.png"
            await seen.screenshot(path=file, full_page=True)
    await other.close()


async def search(page: Page, words: dict[str, str], **fields: str) -> str:
    """Fill the form and return the page that answers."""
    for field, text in fields.items():
        await page.get_by_label(words[field], exact=True).fill(text)
    await page.get_by_role("button", name=words["search"]).click()
    return await page.get_by_role("main").inner_text()


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_patient_finds_a_misspelt_professional_and_where_she_practises(
    portal: Portal, helene: None, language: str
) -> None:
    words = WORDS[language]
    context, page = await opened(portal, "nora", language)
    await page.goto("/patient/")
    await page.get_by_role("navigation").get_by_role("link", name=words["menu"]).click()
    assert "Dr Hélène PETIT" in await search(page, words, name="Elene Peti", place="Blois")
    await look(portal, context, page, language)
    await page.get_by_role("link", name="Dr Hélène PETIT").click()
    text = await page.get_by_role("main").inner_text()
    assert words["profession"] in text
    assert words["verified"] in text
    await look(portal, context, page, language)
    await page.get_by_role("link", name="Cabinet de la Loire").click()
    assert await page.get_by_role("link", name="Marc VIDAL").is_visible()
    await look(portal, context, page, language)
    await context.close()


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_professional_is_public_from_her_choice_until_she_ends_it(
    portal: Portal, helene: None, language: str
) -> None:
    words = WORDS[language]
    anybody, outside = await opened(portal, "", language)
    await outside.goto("/annuaire/")
    assert words["nobody"] in await search(outside, words, name="petit")
    context, page = await opened(portal, "dr.petit", language)
    await page.goto("/professional/annuaire/")
    await page.get_by_role("link", name=words["mine"]).click()
    await look(portal, context, page, language)
    await page.get_by_role("link", name=words["choose"]).click()
    await page.get_by_label(words["phone"]).fill("02 54 00 00 01")
    await page.get_by_label(words["sign"]).check()
    await look(portal, context, page, language)
    await page.get_by_role("button", name=words["publish"]).click()
    assert await page.get_by_role("status").get_by_text(words["done"]).is_visible()
    assert "Dr Hélène PETIT" in await search(outside, words, name="petit")
    await look(portal, anybody, outside, language)
    await outside.get_by_role("link", name="Dr Hélène PETIT").click()
    text = await outside.get_by_role("main").inner_text()
    for expected in ("Cabinet de la Loire", "02 54 00 00 01", words["sign"]):
        assert expected in text, expected
    await look(portal, anybody, outside, language)
    await page.get_by_role("button", name=words["remove"]).click()
    assert await page.get_by_role("status").get_by_text(words["ended"]).is_visible()
    answer = await outside.reload()
    assert answer
    assert answer.status == 404
    await anybody.close()
    await context.close()
