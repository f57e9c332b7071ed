"""The pages of accounts are for everybody: axe, 320 pixels, both languages, light and dark."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
LOOKS = [("light", 1280), ("light", 320), ("dark", 320)]
PAGES = {
    "": ["/sign-in/activate/", "/sign-in/recover/", "/sign-in/telephone/"],
    "lucie": [
        "/account/security/",
        "/account/security/application/",
        "/account/security/passkey/",
        "/account/security/phone/",
        "/account/security/needed/",
        "/account/password/set/",
        "/account/confirm/",
        "/account/idle/?next=/patient/",
    ],
    "operateur": [
        "/establishment/accounts/",
        "/establishment/accounts/sheet/",
        "/establishment/accounts/recovery/",
        "/establishment/accounts/letters/",
    ],
}


@pytest.mark.parametrize("login", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_of_accounts_has_an_axe_violation_or_scrolls_sideways(
    portal: Portal, login: str, language: str
) -> None:
    context = await portal.context("", language)
    page = await context.new_page()
    if login:
        await _sign_in(page, login)
    faults: list[str] = []
    for address in PAGES[login]:
        answer = await page.goto(address)
        assert answer
        assert answer.status == 200, address
        assert page.url.endswith(address)
        faults += await _faults(page, f"{login}{address}-{language}")
    await context.close()
    assert not faults, "\n".join(faults)


async def test_a_list_of_codes_a_locked_screen_and_a_shared_computer_are_clean(
    portal: Portal,
) -> None:
    context = await portal.context()
    page = await context.new_page()
    await page.goto("/sign-in/")
    await page.locator("form[action='/sign-in/shared/'] button").last.click()
    faults = await _faults(page, "shared")
    await page.locator("form[action='/sign-in/shared/'] button").first.click()
    await _sign_in(page, "marc.vidal")
    await page.goto("/account/security/")
    await page.locator("form[action='/account/security/paper-codes/'] button").click()
    faults += await _faults(page, "codes")
    await page.locator("form[action='/account/lock/'] button").click()
    faults += await _faults(page, "locked")
    await context.close()
    await asyncio.to_thread(_forget_codes, "marc.vidal")
    assert not faults, "\n".join(faults)


def _forget_codes(login: str) -> None:
    from hygie.domains.sign_in.orm import Code

    Code.objects.filter(account__username=login).delete()


async def _sign_in(page: Page, login: str) -> None:
    await page.goto("/sign-in/")
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("form[action='/sign-in/'] button").click()


async def _faults(page: Page, name: str) -> list[str]:
    await page.evaluate(AXE)
    found: list[str] = []
    for scheme, width in LOOKS:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        found += [f"{name} {scheme} {width}: {one}" for one in await page.evaluate(RUN)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{name} {scheme} {width}: scrolls sideways")
        if SHOTS:
            safe = re.sub(r"\W+", "-", f"{name}-{scheme}-{width}")
            await page.screenshot(path=f"{SHOTS}/{safe}.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 900})
    return found
