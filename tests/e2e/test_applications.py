"""The pages of applications: axe without violations, 320 px, two languages, no JavaScript."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from hygie.testing.applications import BACK, App, code_of, register, signed_in
from hygie.testing.browser import Portal
from hygie.testing.stories import NORA

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
SCOPE = "openid profile launch/patient offline_access patient/*.rs"


async def enter(portal: Portal, login: str, language: str = "fr", **options: Any) -> Any:
    """Return a window in which somebody signed in by password a moment ago."""
    browser = await asyncio.to_thread(signed_in, portal.site, login)
    context = await portal.context(language=language, **options)
    value = browser.cookies["sessionid"].value
    await context.add_cookies([{"name": "sessionid", "value": value, "url": portal.address}])
    return context


async def faults(page: Page, address: str) -> list[str]:
    """Return what is wrong with a page, light and dark, wide and narrow."""
    await page.goto(address)
    await page.evaluate(AXE)
    found: list[str] = []
    for scheme, width in (("light", 1280), ("light", 320), ("dark", 320)):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 900})
        found += [f"{address} {width} {scheme}: {one}" for one in await page.evaluate(RUN)]
        if await page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{address} {width}: scrolls sideways")
    return found


def prepared(portal: Portal) -> tuple[App, App]:
    mine = register(portal.site, asked=SCOPE)
    doctors = register(
        portal.site,
        audience="professional",
        asked="openid launch user/*.rs",
        launch_uri="https://app.example.org/launch",
    )
    code_of(portal.site, mine)
    doctors.post("/oauth/bc-authorize", {"scope": "openid", "login_hint": "dr.petit"})
    return mine, doctors


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_every_page_of_applications_is_accessible(portal: Portal, language: str) -> None:
    mine, doctors = await asyncio.to_thread(prepared, portal)
    asked = urlencode(mine.parameters(scope="openid patient/*.rs", prompt="consent"))
    strong = urlencode(mine.parameters(scope="openid", acr_values="eidas2"))
    whole = urlencode(mine.parameters(scope="openid", prompt="consent"))
    pages = {
        "": [
            "/developers/",
            "/developers/register/",
            f"/developers/apps/{mine.client_id}/",
            "/oauth/authorize?client_id=nobody",
        ],
        "nora": [
            "/patient/apps/",
            f"/oauth/authorize?{asked}",
            f"/oauth/authorize?{strong}",
            f"/oauth/authorize?{whole}",
            f"/oauth/logout?client_id={mine.client_id}",
        ],
        "dr.petit": [
            "/professional/apps/",
            f"/professional/apps/record/{NORA}/",
            "/oauth/devices",
        ],
        "operateur": ["/establishment/apps/", f"/establishment/apps/{doctors.client_id}/"],
    }
    wrong: list[str] = []
    for login, addresses in pages.items():
        context = await (enter(portal, login, language) if login else portal.context("", language))
        page = await context.new_page()
        for address in addresses:
            wrong += await faults(page, address)
        await context.close()
    assert not wrong, "\n".join(wrong)


async def test_a_person_grants_and_ends_without_javascript(portal: Portal) -> None:
    app = await asyncio.to_thread(register, portal.site, asked=SCOPE)
    context = await enter(portal, "nora", java_script_enabled=False)
    page = await context.new_page()
    await page.route(f"{BACK}**", lambda route: route.fulfill(status=200, body="back"))
    await page.goto(f"/oauth/authorize?{urlencode(app.parameters(scope=SCOPE))}")
    await page.get_by_role("button", name="Choisir").first.click()
    assert await page.get_by_text("Lire : tout le dossier").count() == 1
    await page.get_by_label("Connaître votre nom").uncheck()
    await page.get_by_role("button", name="Autoriser").click()
    await page.wait_for_url(f"{BACK}?code=**")
    await page.goto("/patient/apps/")
    entries = page.get_by_role("button", name="Mettre fin")
    before = await entries.count()
    await entries.first.click()
    assert await entries.count() == before - 1
    await context.close()
