"""Outside identity in a browser without JavaScript: citizens, professionals, a second device."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.federation.tests.test_arriving import account_of_iris
from hygie.domains.federation.tests.test_signing_in import _forget, person, put
from hygie.testing.browser import Portal
from hygie.testing.simulators.serving import PROFESSIONALS, Outside

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
LANGUAGES = ["fr", "en"]
WORDS = {
    "fr": {
        "franceconnect": "S’identifier avec FranceConnect",
        "psc": "S’identifier avec Pro Santé Connect",
        "phone": "S’identifier avec son téléphone (e-CPS)",
        "leave": "Se déconnecter",
        "left": "Vous êtes déconnecté",
        "waiting": "Votre identité doit être vérifiée",
        "simulator": "Simulateur",
        "call": "Appeler mon téléphone",
        "telephone": "Ouvrir le téléphone du simulateur",
        "approve": "Approuver",
        "approved": "J’ai approuvé sur mon téléphone",
        "enter": "Entrer",
        "recognise": "Reconnaître la personne choisie",
        "reason": "Raison de votre décision",
    },
    "en": {
        "franceconnect": "Sign in with FranceConnect",
        "psc": "Sign in with Pro Santé Connect",
        "phone": "Sign in with your phone (e-CPS)",
        "leave": "Sign out",
        "left": "You are signed out",
        "waiting": "Your identity must be checked",
        "simulator": "Simulator",
        "call": "Call my phone",
        "telephone": "Open the simulator's phone",
        "approve": "Approve",
        "approved": "I approved on my phone",
        "enter": "Enter",
        "recognise": "Recognise the chosen person",
        "reason": "Reason for your decision",
    },
}


class Walk:
    """A browser on its way, without JavaScript; a second one with it looks at the same pages."""

    def __init__(self, context: BrowserContext, page: Page, language: str) -> None:
        self.context = context
        self.page = page
        self.words = WORDS[language]
        self.language = language

    async def press(self, word: str) -> None:
        """Follow a link or press a button by its name."""
        name = self.words.get(word, word)
        both = self.page.get_by_role("link", name=name, exact=True).or_(
            self.page.get_by_role("button", name=name, exact=True)
        )
        await both.first.click()

    async def heading(self) -> str:
        """Return the first heading."""
        return await self.page.locator("h1").first.inner_text()

    async def picture(self, name: str) -> None:
        """Keep a picture, for who wants to look at it; check that nothing scrolls sideways."""
        for width in (320, 1280):
            await self.page.set_viewport_size({"width": width, "height": 900})
            if SHOTS:
                file = Path(SHOTS) / f"outside-{name}-{width}-{self.language}.png"
                await self.page.screenshot(path=file, full_page=True)


@pytest.fixture
async def people(portal: Portal, outside: Outside) -> AsyncIterator[Outside]:
    """Give simulators without fault, Jeanne's record, and Iris's account."""
    outside.forget()
    await asyncio.to_thread(_prepare, portal)
    yield outside
    outside.forget()
    await asyncio.to_thread(_forget, portal.site)


def _prepare(portal: Portal) -> None:
    _forget(portal.site)
    put(portal.site, person("jeanne-outside"))
    account_of_iris(portal.site)


async def walk(portal: Portal, language: str, login: str = "", **options: Any) -> Walk:
    context = await portal.context(login, language, java_script_enabled=False, **options)
    return Walk(context, await context.new_page(), language)


async def axe(one: Walk, portal: Portal) -> None:
    """Look at the page with axe, in a window of the same cookies that runs scripts."""
    context = await portal.context("", one.language)
    kept: Any = await one.context.cookies()
    await context.add_cookies(kept)
    page = await context.new_page()
    await page.goto(one.page.url)
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, one.page.url
    await page.evaluate(AXE)
    assert await page.evaluate(RUN) == [], one.page.url
    await context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_citizen_signs_in_by_franceconnect_and_out_of_both(
    portal: Portal, people: Outside, language: str
) -> None:
    one = await walk(portal, language)
    await one.page.goto("/sign-in/")
    await one.picture("doors")
    await one.press("franceconnect")
    assert one.words["simulator"] in await one.page.title()
    await one.picture("franceconnect")
    await axe(one, portal)
    await one.page.get_by_role("button", name=re.compile("Jeanne")).click()
    await one.page.wait_for_url("**/patient/**")
    await one.press("leave")
    await one.page.wait_for_url(re.compile("/leaving/|/left/"))
    if "/leaving/" in one.page.url:
        await one.page.wait_for_url("**/left/**")
    assert await one.heading() == one.words["left"]
    await one.picture("left")
    await axe(one, portal)
    await one.page.goto("/patient/")
    assert "/sign-in/" in one.page.url
    await one.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_professional_signs_in_and_chooses_an_exercise(
    portal: Portal, people: Outside, language: str
) -> None:
    one = await walk(portal, language)
    await one.page.goto("/sign-in/")
    await one.press("psc")
    await one.picture("psc")
    await one.page.get_by_role("button", name=re.compile("Iris")).click()
    await one.page.wait_for_url("**/choose/")
    await axe(one, portal)
    await one.picture("choose")
    await one.page.get_by_label(re.compile("Hôpital de Blois")).check()
    await one.press("enter")
    await one.page.wait_for_url("**/professional/**")
    await one.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_second_device_approves(portal: Portal, people: Outside, language: str) -> None:
    one, phone = await walk(portal, language), await walk(portal, language)
    await one.page.goto("/sign-in/")
    await one.press("phone")
    await one.page.locator("#number").fill(PROFESSIONALS[0].national_id)
    await one.press("call")
    await one.page.wait_for_url("**/wait/")
    await one.picture("phone-wait")
    await axe(one, portal)
    letters = await one.page.locator(".h-number").inner_text()
    telephone = await one.page.get_by_role("link", name=one.words["telephone"]).get_attribute(
        "href"
    )
    assert telephone
    await phone.page.goto(telephone)
    assert letters in await phone.page.locator("main").inner_text()
    await phone.picture("phone")
    await axe(phone, portal)
    await phone.press("approve")
    await asyncio.sleep(0.1)
    await one.press("approved")
    await one.page.wait_for_url(re.compile("/choose/|/professional/"))
    await one.context.close()
    await phone.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_doubtful_identity_is_recognised_by_a_human(
    portal: Portal, people: Outside, language: str
) -> None:
    await asyncio.to_thread(put, portal.site, person("jeanne-outside", family="Brun"))
    one, clerk = await walk(portal, language), await walk(portal, language, "guichet", now=True)
    await one.page.goto("/sign-in/")
    await one.press("franceconnect")
    await one.page.get_by_role("button", name=re.compile("Jeanne")).click()
    await one.page.wait_for_url("**/waiting/")
    assert await one.heading() == one.words["waiting"]
    await one.picture("waiting")
    await axe(one, portal)
    await clerk.page.goto("/establishment/identities/")
    await clerk.page.locator(".h-result a").first.click()
    await clerk.picture("case")
    await axe(clerk, portal)
    await clerk.page.get_by_role("radio").first.check()
    await clerk.page.get_by_label(clerk.words["reason"]).fill("Carte d’identité vue à l’accueil")
    await clerk.press("recognise")
    await clerk.page.wait_for_url("**/identities/")
    await one.page.goto("/sign-in/")
    await one.press("franceconnect")
    await one.page.get_by_role("button", name=re.compile("Jeanne")).click()
    await one.page.wait_for_url("**/patient/**")
    await one.context.close()
    await clerk.context.close()
