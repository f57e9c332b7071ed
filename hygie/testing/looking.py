"""What makes a page usable by everybody, measured in a browser: axe, narrow screens, keyboard."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from playwright.async_api import Page

Look = tuple[Literal["light", "dark"], int]
EVERY_LOOK: Final[tuple[Look, ...]] = (
    ("light", 1280),
    ("light", 320),
    ("dark", 320),
    ("dark", 1280),
)
"""Colour scheme, and width in CSS pixels; 320 is WCAG 2.2, 1.4.10."""
CORNERS: Final[tuple[Look, ...]] = (("light", 320), ("dark", 1280))
"""The two looks that show both schemes and both widths."""
HEIGHT: Final = 900
SHOTS: Final = os.environ.get("HYGIE_SCREENSHOTS", "")
"""A folder to keep a picture of every page in, for who wants to look at them."""
MOST_STOPS: Final = 400
_RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
_FOCUSABLE = """() => {
    const groups = new Set();
    window.stops = [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
    )].filter(one => {
        if (one.disabled || !one.getClientRects().length) return false;
        if (one.type !== "radio") return true;
        const known = groups.has(one.name);
        groups.add(one.name);
        return !known;
    });
    return window.stops.length;
}"""
_STOP = """() => {
    const here = document.activeElement;
    if (here === document.body || here === document.documentElement) return null;
    const box = here.getBoundingClientRect(), beside = here.nextElementSibling;
    const drawn = (one, part) => {
        const style = getComputedStyle(one, part);
        return style.boxShadow !== "none"
            || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0);
    };
    return {
        place: window.stops.indexOf(here),
        name: (here.innerText || here.value || here.name || here.tagName).trim(),
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
        ringed: drawn(here) || (beside !== null && drawn(beside, "::before")),
    };
}"""


@cache
def _axe() -> str:
    kept = Path(__file__).parents[2] / "tests" / "e2e" / "vendor" / "axe.min.js"
    return kept.read_text(encoding="utf-8")


async def faults_of(page: Page, looks: Iterable[Look] = EVERY_LOOK, *, name: str) -> list[str]:
    """Return what axe finds and every sideways scroll, in each look; the page runs scripts.

    ``name`` is that of the pictures, where they are kept.
    """
    faults: list[str] = []
    await page.evaluate(_axe())
    for scheme, width in looks:
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        where = f"{scheme} {width} px:"
        faults += [f"{where} {fault}" for fault in await page.evaluate(_RUN)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{where} scrolls sideways")
        if SHOTS:
            await _picture(page, f"{name}-{scheme}-{width}")
    return faults


async def _picture(page: Page, name: str) -> None:
    safe = re.sub(r"\W+", "-", name)
    await page.screenshot(path=f"{SHOTS}/{safe}.png", full_page=True)


async def keyboard_faults_of(page: Page) -> list[str]:
    """Walk the whole page by Tab; return each stop unseen, out of order, missed or without end.

    A group of radio buttons is one stop (ARIA APG, radio); the focus is seen by an outline or a
    shadow (WCAG 2.2, 2.4.7), and each stop stands in the window (2.4.11). It ends outside the page.
    """
    expected = await page.evaluate(_FOCUSABLE)
    faults: list[str] = []
    reached: set[int] = set()
    last = -1
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(_STOP)
        # Chromium without a frame goes round to the first stop instead of out of the page.
        if stop is None or (stop["place"] == 0 and last > 0):
            missed = expected - len(reached - {-1})
            return faults + ([f"{missed} controls that Tab never reaches"] if missed else [])
        reached.add(stop["place"])
        if stop["place"] < last:
            faults.append(f"“{stop['name']}” comes out of order")
        if not stop["seen"]:
            faults.append(f"“{stop['name']}” is reached out of sight")
        # The parts of a date are stops of their own, which the browser draws inside the field.
        if not stop["ringed"] and stop["place"] != last:
            faults.append(f"“{stop['name']}” does not show that it is reached")
        last = stop["place"]
    return [*faults, "Tab never leaves the page"]
