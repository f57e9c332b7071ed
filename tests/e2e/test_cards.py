"""Cards in a browser without JavaScript: a CPS card at its listener, a carte Vitale at a desk."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.cards.tests.people import INES, professional
from hygie.testing.browser import Portal
from hygie.testing.card_authority import STRUCTURE_POLICY, Card
from hygie.testing.cards import CardPlace
from hygie.testing.simulators.people import Citizen, write_people
from hygie.testing.simulators.serving import CITIZENS, PROFESSIONALS, Outside

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
        "door": "S’identifier avec sa carte CPS",
        "go": "Continuer avec ma carte",
        "refused": "Vous n’êtes pas connecté",
        "reader": "Ouvrir le lecteur simulé (nouvel onglet)",
        "telephone": "Ouvrir le téléphone simulé (nouvel onglet)",
        "insert": "Lire cette carte",
        "show": "Présenter",
        "check": "Vérifier la carte",
        "keep": "Enregistrer les droits dans le dossier",
        "kept": "Les droits sont enregistrés",
        "simulator": "Simulateur",
        "again": "déjà servi",
    },
    "en": {
        "door": "Sign in with a CPS card",
        "go": "Go on with my card",
        "refused": "You are not signed in",
        "reader": "Open the simulated reader (new tab)",
        "telephone": "Open the simulated telephone (new tab)",
        "insert": "Read this card",
        "show": "Present",
        "check": "Check the card",
        "keep": "Keep the rights in the record",
        "kept": "The rights are kept",
        "simulator": "Simulator",
        "again": "used already",
    },
}
NORA_CARD = Citizen(
    key="nora", family="Martin", given="Nora", birth_date="1959-05-12", gender="female",
    birth_place="41018", ins="259055512345691",
)  # fmt: skip


async def look(page: Page, portal: Portal, name: str, language: str) -> None:
    """Check a page with axe and at 320 px; keep a picture for who wants to look at it."""
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} scrolls sideways at {width}: {wide}"
        if SHOTS:
            file = Path(SHOTS) / f"cards-{name}-{width}-{language}.png"
            await page.screenshot(path=file, full_page=True)
    content = await page.content()
    context = await portal.context("", language, bypass_csp=True)
    beside = await context.new_page()
    await beside.goto("/about/")  # style sheets are found from there
    await beside.set_content(content)
    await beside.evaluate(AXE)
    found = await beside.evaluate(RUN)
    await context.close()
    assert found == [], f"{name}: {found}"


async def with_card(portal: Portal, place: CardPlace, card: Card, language: str) -> BrowserContext:
    """Return a browser without JavaScript that holds a card; its key is soft."""
    certificate, key = await asyncio.to_thread(card.write, place.folder, f"browser-{language}")
    held: Any = {
        "origin": place.address,
        "certPath": str(certificate),
        "keyPath": str(key),
    }
    return await portal.context(
        "",
        language,
        java_script_enabled=False,
        ignore_https_errors=True,
        client_certificates=[held],
    )


@pytest.fixture
async def listener(portal: Portal, card_listener: CardPlace) -> AsyncIterator[CardPlace]:
    card_listener.forget()
    await asyncio.to_thread(professional, portal.site)
    yield card_listener
    card_listener.forget()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_professional_signs_in_with_a_card(
    portal: Portal, listener: CardPlace, language: str
) -> None:
    words = WORDS[language]
    card = listener.authority.issue(INES)
    context = await with_card(portal, listener, card, language)
    page = await context.new_page()
    await page.goto("/sign-in/?next=/professional/patients/")
    await page.get_by_role("link", name=words["door"]).click()
    await look(page, portal, "start", language)
    await page.get_by_role("link", name=words["go"]).click()
    await page.wait_for_url("**/professional/patients/")
    assert "Ines Carte" in await page.content()
    await context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_card_of_a_structure_is_told_why(
    portal: Portal, listener: CardPlace, language: str
) -> None:
    card = listener.authority.issue(INES, policy=STRUCTURE_POLICY)
    context = await with_card(portal, listener, card, language)
    page = await context.new_page()
    await page.goto("/cards/")
    await page.get_by_role("link", name=WORDS[language]["go"]).click()
    await page.wait_for_url("**/cards/refused/**")
    assert WORDS[language]["refused"] in await page.locator("h1").inner_text()
    await look(page, portal, "refused", language)
    await context.close()


@pytest.fixture
def holders(outside: Outside) -> Any:
    outside.forget()
    write_people(outside.folder / "people.json", [*CITIZENS, NORA_CARD], PROFESSIONALS)
    yield outside
    outside.forget()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("how", ["reader", "telephone"])
async def test_a_carte_vitale_is_read_and_its_rights_are_kept(
    portal: Portal, holders: Outside, language: str, how: str
) -> None:
    words = WORDS[language]
    context = await portal.context("dr.petit", language, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/professional/vitale/")
    await look(page, portal, "read", language)
    async with context.expect_page() as opened:
        await page.get_by_role("link", name=words[how]).click()
    desk = await opened.value
    banner = await desk.locator("header").inner_text()
    assert words["simulator"].lower() in banner.lower()
    await look(desk, portal, f"{how}-choice", language)
    button = words["insert" if how == "reader" else "show"]
    await (
        desk.locator("li", has_text="Nora Martin")
        .get_by_role("button", name=re.compile(button))
        .click()
    )
    await look(desk, portal, f"{how}-answer", language)
    text = await desk.locator("textarea").input_value()
    assert text.startswith("HV1:")
    await page.locator("#presentation").fill(text)
    await page.get_by_role("button", name=words["check"]).click()
    await page.wait_for_url("**/professional/vitale/rights/")
    await look(page, portal, f"{how}-rights", language)
    await page.get_by_role("button", name=words["keep"]).click()
    assert words["kept"] in await page.locator("[role=status]").inner_text()
    await look(page, portal, f"{how}-kept", language)
    await page.goto("/professional/vitale/")
    await page.locator("#presentation").fill(text)
    await page.get_by_role("button", name=words["check"]).click()
    assert await page.locator("[role=alert]").count() == 1
    await look(page, portal, "not-accepted", language)
    await context.close()
