"""A browser on the portal, served by the product's own server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hygie.testing.portal import Site
from hygie.testing.stories import ADA, NORA, PAUL, TOM

if TYPE_CHECKING:
    from django.test import Client
    from playwright.async_api import Browser, BrowserContext

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
]
PATIENCE = 20_000
"""Milliseconds an assertion waits for a page that a busy machine has not drawn yet."""
PRO, MINE = f"/professional/record/{NORA}", f"/patient/record/{NORA}"
CHOICES = f"/patient/consent/{NORA}"
PHONE = "/federation/pro-sante-connect/phone/"
PAGES = {
    "": [
        "/",
        "/help/",
        "/about/",
        "/accessibility/",
        "/cards/",
        "/sign-in/",
        "/nowhere/",
        "/annuaire/?q=petit",
        PHONE,
    ],
    "nora": [
        "/patient/",
        "/patient/annuaire/?q=petit&specialty=zzz",
        "/patient/annuaire/professional/helene-petit/",
        "/patient/annuaire/structure/cabinet/",
        f"{MINE}/",
        f"{MINE}/timeline/",
        f"{MINE}/documents/",
        f"{MINE}/Condition/diabetes/",
        f"{MINE}/DocumentReference/cardiology/",
        f"{MINE}/Condition/diabetes/source/",
        "/account/password/",
        f"{CHOICES}/who/",
        f"{CHOICES}/who/DocumentReference/cardiology/",
        f"{CHOICES}/accesses/",
        f"{CHOICES}/accesses/?own=on&how=read",
        f"{CHOICES}/accesses/?emergencies=on",
        f"{CHOICES}/choices/",
        f"{CHOICES}/choices/?done=research-refuse",
        f"{CHOICES}/choices/research-refuse/",
        f"{CHOICES}/choices/add/block/?q=lang",
        f"{CHOICES}/choices/add/block/zoe-lang/",
        f"{CHOICES}/mask/DocumentReference/cardiology/",
        "/patient/consent/help-somebody/",
        "/patient/helping/",
        f"/patient/helping/{NORA}/invite/",
    ],
    "ada": ["/patient/", f"/patient/consent/{ADA}/choices/first/"],
    "tom": [
        "/patient/helping/minor/",
        "/patient/helping/minor/hide/",
        f"/patient/consent/{TOM}/who/",
        f"/patient/consent/{TOM}/choices/",
    ],
    "paul": [f"/patient/record/{PAUL}/", f"/patient/record/{PAUL}/documents/"],
    "lucie": [
        "/patient/record/",
        "/patient/helping/",
        "/patient/helping/accept/",
        f"/patient/helping/{NORA}/act/",
        f"/patient/helping/{NORA}/leave/",
    ],
    f"lucie for {NORA}": [
        "/patient/",
        "/help/",
        f"{MINE}/",
        f"{CHOICES}/who/",
        f"{CHOICES}/accesses/",
    ],
    "dr.lang": ["/professional/emergency/", "/professional/emergency/over/"],
    "jade.colin": ["/professional/emergency/"],
    "dr.petit": [
        "/professional/vitale/",
        "/professional/annuaire/mine/",
        "/professional/annuaire/mine/role-of-helene-petit/",
        "/professional/patients/",
        "/professional/patients/?q=personne",
        "/professional/context/",
        f"{PRO}/",
        f"/professional/record/{PAUL}/",
        f"{PRO}/timeline/",
        f"{PRO}/timeline/?kind=measure&years=5",
        f"{PRO}/documents/",
        f"{PRO}/AllergyIntolerance/penicillin/",
        f"{PRO}/AllergyIntolerance/penicillin/source/",
    ],
    "operateur": ["/home/"],
    "agent": ["/establishment/desk/"],
    "accueil": ["/establishment/desk/measures/", "/establishment/desk/measures/enter/"],
    "guichet": ["/establishment/identities/"],
}
"""Every kind of page, by the account that may read it."""


@dataclass(frozen=True, slots=True)
class Portal:
    """The portal in a browser."""

    browser: Browser
    address: str
    site: Site

    async def context(
        self, login: str = "", language: str = "fr", *, now: bool = False, **options: Any
    ) -> BrowserContext:
        """Return a new window, signed in when a login is given.

        With ``now`` the password was given at this moment, as sensitive pages want; else it was
        given long ago.
        """
        context = await self.browser.new_context(
            base_url=self.address, extra_http_headers={"accept-language": language}, **options
        )
        context.set_default_timeout(PATIENCE)
        if login:
            # Django refuses its database to a thread that runs an event loop.
            client = await asyncio.to_thread(_signed_in, self.site, login, now=now)
            session = client.cookies["sessionid"].value
            await context.add_cookies(
                [{"name": "sessionid", "value": session, "url": self.address}]
            )
        return context


def _signed_in(site: Site, login: str, *, now: bool) -> Client:
    client = site.client(login)
    if now:
        # As signing in does, and without its limits per minute.
        from allauth.account.internal.flows.login import record_authentication  # noqa: PLC0415
        from django.contrib.auth import get_user  # noqa: PLC0415  after configure
        from django.http import HttpRequest  # noqa: PLC0415

        request = HttpRequest()
        request.session = client.session
        request.user = get_user(request)
        record_authentication(request, request.user, method="password")
        request.session.save()
    return client


@pytest.fixture(scope="session")
def chromium() -> str:
    """Give the path of Chromium; skip with a sentence where it is absent."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is absent: install it with `apt-get install chromium`")
    return CHROMIUM


@pytest.fixture(scope="session")
async def portal(chromium: str, live: str, site: Site) -> AsyncIterator[Portal]:
    """Give the portal in a browser."""
    from playwright.async_api import async_playwright, expect  # noqa: PLC0415  slow to import

    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Portal(browser, live, site)
        await browser.close()
