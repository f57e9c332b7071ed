"""Everybody can use every page: axe without violations, no sideways scroll, keyboard alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from hygie.testing.browser import PAGES, Portal

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")))"""
LOOKS = [("light", 1280), ("light", 320), ("dark", 1280), ("dark", 320)]


@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    portal: Portal, login: str, scheme: str, width: int, language: str
) -> None:
    context = await portal.context(
        login, language, color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    page = await context.new_page()
    faults = []
    for address in PAGES[login]:
        await page.goto(address)
        assert await page.get_attribute("html", "lang") == language
        await page.evaluate(AXE)
        faults += [f"{address} {fault}" for fault in await page.evaluate(RUN)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{address} scrolls sideways at {width} px")
        if SHOTS:
            name = re.sub(r"\W+", "-", f"{login}{address}{scheme}-{width}-{language}")
            await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    await context.close()
    assert not faults, "\n".join(faults)
