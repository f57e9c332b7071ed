"""Everybody can use every page: axe without violations, no sideways scroll, keyboard alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hygie.testing.browser import PAGES, Portal

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
"""A folder to keep a picture of every page in, for who wants to look at them."""
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
STOP = """() => {
    const here = document.activeElement, box = here.getBoundingClientRect();
    return {name: (here.innerText || here.value || here.name || "").trim(), tag: here.tagName,
            seen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight};
}"""
LOOKS = [("light", 1280), ("light", 320), ("dark", 320), ("dark", 1280)]


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
        await page.evaluate(AXE)
        for look in LOOKS:
            faults += await _faults(page, *look)
            if SHOTS:
                await _picture(page, f"{login}{address}{look}-{language}")
    await context.close()
    assert not faults, "\n".join(faults)


async def _faults(page: Page, scheme: str, width: int) -> list[str]:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.set_viewport_size({"width": width, "height": 900})
    where = f"{page.url} {scheme} {width} px:"
    faults = [f"{where} {fault}" for fault in await page.evaluate(RUN)]
    if await page.evaluate("document.documentElement.scrollWidth") > width:
        faults.append(f"{where} scrolls sideways")
    return faults


async def _picture(page: Page, name: str) -> None:
    safe = re.sub(r"\W+", "-", name)
    await page.screenshot(path=f"{SHOTS}/{safe}.png", full_page=True)


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
