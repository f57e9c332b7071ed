"""Journeys of accounts: each factor, each way back, the lock, the shared computer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from hygie.domains.sign_in.model.steps import SECONDS, code_at
from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD
from hygie.testing.stories import NORA

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser
NEW = "quatre moulins pres du canal"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
_numbers = itertools.count(1)


async def _account(kind: str = "patient", reference: str = "", *, password: bool = True) -> str:
    """Make an account of this test alone; return its login."""

    def make() -> str:
        from hygie.domains.sign_in.model import Kind
        from hygie.domains.sign_in.orm import User
        from hygie.domains.sign_in.service import NewAccount, open_accounts

        name = f"traveller{next(_numbers)}"
        new = NewAccount(name, name.title(), Kind(kind), reference, email=f"{name}@example.org")
        open_accounts([new], password=PASSWORD)
        if not password:
            User.objects.filter(username=name).update(password="!")
        return name

    return await asyncio.to_thread(make)


@contextlib.asynccontextmanager
async def _window(
    portal: Portal, language: str = "fr", *, script: bool = False
) -> AsyncIterator[Page]:
    """Open a window by the name that passkeys are made for, with or without JavaScript."""
    context: BrowserContext = await portal.browser.new_context(
        base_url=portal.address.replace("127.0.0.1", "localhost"),
        extra_http_headers={"accept-language": language},
        java_script_enabled=script,
    )
    context.set_default_timeout(20_000)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def _sign_in(page: Page, login: str, password: str = PASSWORD, language: str = "fr") -> None:
    await page.goto("/sign-in/")
    words = {
        "fr": ("Identifiant ou adresse e-mail", "Mot de passe", "Se connecter"),
        "en": ("Login or e-mail address", "Password", "Sign in"),
    }[language]
    await page.get_by_label(words[0]).fill(login)
    await page.get_by_label(words[1]).fill(password)
    await page.get_by_role("main").get_by_role("button", name=words[2], exact=True).click()


async def _sign_out(page: Page, word: str = "Se déconnecter") -> None:
    await page.get_by_role("banner").get_by_role("button", name=word).click()


async def _number(page: Page, pattern: str) -> str:
    found = re.search(pattern, await page.get_by_role("main").inner_text())
    assert found
    return found[1]


async def _code(page: Page, label: str, code: str, button: str) -> None:
    await page.get_by_label(label, exact=True).fill(code)
    await page.get_by_role("main").get_by_role("button", name=button, exact=True).click()


async def _enrol(page: Page, *, language: str = "fr") -> str:
    """Enrol an application; return its secret. Stop on the page of the spare codes."""
    await page.goto("/account/security/application/")
    secret = (await _number(page, r"((?:[A-Z2-7]{4}-){7}[A-Z2-7]{4})")).replace("-", "")
    button = "Ajouter" if language == "fr" else "Add"
    await _code(page, "Code", code_at(secret, int(time.time()) // SECONDS), button)
    return secret


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_passkey_is_made_then_opens_without_a_password(
    portal: Portal, language: str
) -> None:
    french = language == "fr"
    login = await _account()
    async with _window(portal, language, script=True) as page:
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await _sign_in(page, login, language=language)
        await page.goto("/account/security/passkey/")
        add = "Ajouter la clé" if french else "Add the passkey"
        await page.get_by_role("button", name=add).click()
        shown = "Vos codes de secours" if french else "Your spare codes"
        await page.get_by_role("heading", name=shown).wait_for()
        await _sign_out(page, "Se déconnecter" if french else "Sign out")
        await page.goto("/sign-in/?next=/account/security/")
        enter = "Utiliser une clé d’accès" if french else "Use a passkey"
        await page.get_by_role("button", name=enter).click()
        level = "Preuve : substantielle" if french else "Proof: substantial"
        await page.get_by_text(level).first.wait_for()
        assert page.url.endswith("/account/security/")


async def test_a_passkey_confirms_a_sensitive_act_by_itself(portal: Portal) -> None:
    login = await _account()
    async with _window(portal, script=True) as page:
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("WebAuthn.enable")
        await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        await _sign_in(page, login)
        await page.goto("/account/security/passkey/")
        await page.get_by_role("button", name="Ajouter la clé").click()
        await page.get_by_role("heading", name="Vos codes de secours").wait_for()
        await asyncio.to_thread(_forget_when, login)
        await page.goto("/account/password/set/")
        assert "/account/confirm/" in page.url
        await page.get_by_role("button", name="Continuer avec ma clé d’accès").click()
        await page.get_by_role("heading", name="Choisir un mot de passe").wait_for()


def _forget_when(login: str) -> None:
    """Let the proofs of the sessions of an account be an hour old."""
    from allauth.usersessions.models import UserSession
    from django.contrib.sessions.backends.db import SessionStore

    from hygie.kernel.web.authentication import PROOFS

    for row in UserSession.objects.filter(user__username=login):
        store = SessionStore(row.session_key)
        kept = store[PROOFS]
        aged = [{**one, "at": one["at"] - 3600} for one in kept["list"]]
        store[PROOFS] = {**kept, "list": aged}
        store.save()


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_an_application_of_codes_works_without_javascript(
    portal: Portal, language: str
) -> None:
    login = await _account()
    async with _window(portal, language) as page:
        await _sign_in(page, login, language=language)
        secret = await _enrol(page, language=language)
        await _sign_out(page, "Se déconnecter" if language == "fr" else "Sign out")
        await _sign_in(page, login, language=language)
        assert "/sign-in/code/" in page.url
        code = code_at(secret, int(time.time()) // SECONDS + 1)
        await _code(page, "Code", code, "Continuer" if language == "fr" else "Continue")
        assert page.url.endswith("/patient/")


async def test_a_spare_code_stands_in_for_a_lost_telephone_once(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as page:
        await _sign_in(page, login)
        await _enrol(page)
        spare = await _number(page, r"1\. ([0-9-]+)")
        await _sign_out(page)
        await _sign_in(page, login)
        await _code(page, "Code", spare, "Continuer")
        assert page.url.endswith("/patient/")
        await _sign_out(page)
        await _sign_in(page, login)
        await _code(page, "Code", spare, "Continuer")
        assert await page.get_by_role("alert").get_by_text("Le code n’est pas le bon").is_visible()


async def test_codes_on_paper_and_by_message_need_no_application(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as page:
        await _sign_in(page, login)
        await page.goto("/account/security/")
        await page.get_by_role("button", name="Imprimer une nouvelle liste").click()
        paper = await _number(page, r"7\. ([0-9-]+)")
        await _sign_out(page)
        await _sign_in(page, login)
        await _code(page, "Code", paper, "Continuer")
        assert page.url.endswith("/patient/")
        await page.goto("/account/security/phone/")
        if "/account/confirm/" in page.url:
            pytest.fail("a proof of a moment ago counts")
        await _code(page, "Numéro de téléphone", "+33699000000", "Envoyer un code")
        telephone = await page.context.new_page()
        await telephone.goto("/sign-in/telephone/")
        sent = await _number(telephone, r"votre code est ([0-9-]+)")
        await _code(page, "Code", sent, "Continuer")
        assert await page.get_by_text("+33699000000").is_visible()


async def test_a_sheet_of_the_practice_opens_an_account(portal: Portal) -> None:
    async with _window(portal) as practice:
        await _sign_in(practice, "dr.petit")
        await practice.goto(f"/professional/accounts/{NORA}/")
        assert await practice.get_by_text("a déjà un compte").is_visible()


async def test_a_sheet_of_the_desk_opens_an_account_once(portal: Portal) -> None:
    login = await _account(password=False)
    async with _window(portal) as desk, _window(portal) as page:
        await _sign_in(desk, "operateur")
        await desk.goto("/establishment/accounts/")
        await desk.get_by_role("link", name="Imprimer une feuille d’activation").click()
        await _identify(desk, login, "Imprimer la feuille")
        sheet = await _number(desk, r"((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})")
        await page.goto("/sign-in/")
        await page.get_by_role("link", name="J’ai une feuille d’activation").click()
        await _open_sheet(page, sheet, "04/05/1958")
        assert await page.get_by_role("alert").get_by_text("n’ouvrent aucun compte").is_visible()
        await _open_sheet(page, sheet.replace("-", " ").lower())
        assert page.url.endswith("/patient/")
        await _sign_out(page)
        await _sign_in(page, login, NEW)
        assert page.url.endswith("/patient/")


async def _identify(desk: Page, login: str, button: str) -> None:
    await desk.get_by_label("Identifiant ou adresse e-mail du compte").fill(login)
    await desk.get_by_label("Date de naissance lue").fill("03/05/1958")
    await desk.get_by_label("La personne est devant moi").check()
    await desk.get_by_role("main").get_by_role("button", name=button, exact=True).click()


async def _open_sheet(page: Page, sheet: str, birth: str = "03/05/1958") -> None:
    await page.get_by_label("Code de la feuille").fill(sheet)
    await page.get_by_label("Date de naissance").fill(birth)
    await page.get_by_label("Nouveau mot de passe", exact=True).fill(NEW)
    await page.get_by_label("Nouveau mot de passe, encore une fois").fill(NEW)
    await page.get_by_role("button", name="Activer").click()


async def test_a_recovery_at_the_desk_takes_two_people(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as asking, _window(portal) as other, _window(portal) as page:
        await _sign_in(asking, "operateur")
        await asking.goto("/establishment/accounts/")
        await asking.get_by_role("link", name="Demander la récupération").click()
        await _identify(asking, login, "Demander")
        assert await asking.get_by_text("Une autre personne doit l’accepter").is_visible()
        mine = asking.get_by_role("listitem").filter(has_text=login)
        assert await mine.get_by_role("button", name="accepter et imprimer").count() == 0
        await _sign_in(other, "relectrice")
        await other.goto("/establishment/accounts/")
        waiting = other.get_by_role("listitem").filter(has_text=login)
        await waiting.get_by_role("button", name="accepter et imprimer").click()
        sheet = await _number(other, r"((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})")
        await page.goto("/sign-in/activate/")
        await _open_sheet(page, sheet)
        assert page.url.endswith("/patient/")
        await page.goto("/account/security/")
        assert await page.get_by_text("Compte récupéré").is_visible()
        assert await page.get_by_text("Preuve : simple").is_visible()


async def test_a_locked_screen_gives_the_work_back_or_lets_somebody_else_in(
    portal: Portal,
) -> None:
    login = await _account("professional")
    async with _window(portal, script=True) as page:
        await _sign_in(page, login)
        await page.goto("/professional/patients/?q=martin")
        await page.get_by_role("button", name="Verrouiller").click()
        assert await page.get_by_role("heading", name="Écran verrouillé").is_visible()
        await page.go_back()
        await page.get_by_role("heading", name="Écran verrouillé").wait_for()
        await _code(page, "Mot de passe", PASSWORD, "Reprendre")
        assert page.url.endswith("/professional/patients/?q=martin")
        await page.get_by_role("button", name="Verrouiller").click()
        await page.get_by_role("button", name="Je suis une autre personne").click()
        await _sign_in(page, "dr.petit")
        assert await page.get_by_role("banner").get_by_text("Dr Hélène Petit").is_visible()


async def test_a_session_is_ended_from_another_one(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as here, _window(portal) as there:
        await _sign_in(there, login)
        await _sign_in(here, login)
        await here.goto("/account/security/")
        await here.get_by_role("button", name="Fermer cette session").click()
        assert await here.get_by_role("status").get_by_text("fermées").is_visible()
        await there.goto("/patient/")
        assert "/sign-in/" in there.url


async def test_who_has_two_proofs_gives_both_before_a_sensitive_act(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as page:
        await _sign_in(page, login)
        secret = await _enrol(page)
        await asyncio.to_thread(_forget_when, login)
        await page.goto("/account/password/set/")
        await page.get_by_label("Mot de passe").fill(PASSWORD)
        code = code_at(secret, int(time.time()) // SECONDS + 1)
        await _code(page, "Code", code, "Continuer")
        assert await page.get_by_role("heading", name="Choisir un mot de passe").is_visible()


async def test_a_shared_computer_says_so_and_ends_by_one_button(portal: Portal) -> None:
    login = await _account()
    async with _window(portal) as page:
        await page.goto("/sign-in/")
        await page.get_by_role("button", name="Ordinateur partagé : ne rien garder").click()
        await _sign_in(page, login)
        assert await page.get_by_text("rien n’est gardé ici").is_visible()
        await page.get_by_role("button", name="Terminer et tout effacer").click()
        await page.goto("/patient/")
        assert "/sign-in/" in page.url
        lasting: list[Any] = [one for one in await page.context.cookies() if one["expires"] > 0]
        assert not lasting
