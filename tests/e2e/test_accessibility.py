"""Everybody can use every page: axe without violations, no sideways scroll, keyboard alone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from hygie.testing.browser import PAGES, Portal
from hygie.testing.looking import faults_of

pytestmark = pytest.mark.browser
STOP = """() => {
    const here = document.activeElement, box = here.getBoundingClientRect();
    return {name: (here.innerText || here.value || here.name || "").trim(), tag: here.tagName,
            seen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight};
}"""


@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    portal: Portal, login: str, language: str
) -> None:
    context = await portal.context(login, language, now=True)
    page = await context.new_page()
    faults: list[str] = []
    for address in PAGES[login]:
        answer = await page.goto(address)
        assert answer
        assert answer.status == (404 if address == "/nowhere/" else 200), address
        await expect(page.locator("html")).to_have_attribute("lang", language)
        found = await faults_of(page, name=f"{login}{address}-{language}")
        faults += [f"{address} {fault}" for fault in found]
    await context.close()
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("login", ["", "nora", "dr.petit"])
async def test_every_stop_of_the_keyboard_is_seen_and_the_first_skips_to_the_content(
    portal: Portal, login: str
) -> None:
    context = await portal.context(login, now=True, viewport={"width": 390, "height": 800})
    page = await context.new_page()
    for address in PAGES[login]:
        await page.goto(address)
        stops = []
        for _ in range(60):
            await page.keyboard.press("Tab")
            stop = await page.evaluate(STOP)
            if stop["tag"] == "BODY":
                break
            stops.append(stop)
        assert stops[0]["name"] == "Aller au contenu", address
        unseen = [stop for stop in stops if not stop["seen"]]
        assert not unseen, f"{address}: {unseen}"
        interactive = await page.locator("a[href]:visible, button:visible").count()
        assert len(stops) >= min(60, interactive), address
    await context.close()
