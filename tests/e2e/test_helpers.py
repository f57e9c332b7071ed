"""Journeys of helpers: invited, under the banner, at the desk; without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hygie.testing.browser import Portal
from hygie.testing.portal import PASSWORD
from hygie.testing.stories import ADA_INS, LUCIE, PAUL

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
UNTIL = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


async def _page(
    portal: Portal, login: str, *, scripts: bool = False, language: str = "fr"
) -> tuple[BrowserContext, Page]:
    context = await portal.context(login, language, java_script_enabled=scripts)
    return context, await context.new_page()


async def _check(page: Page) -> None:
    """Check what stands on a page now: axe, and no sideways scroll at 320 px."""
    await page.evaluate(AXE)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert not await page.evaluate(RUN), f"{page.url} {scheme}"
    await page.set_viewport_size({"width": 320, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320, page.url
    await page.set_viewport_size({"width": 1280, "height": 900})


async def _sign_in(page: Page, login: str) -> None:
    await page.goto("/sign-in/")
    await page.get_by_label("Identifiant ou adresse e-mail").fill(login)
    await page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter", exact=True).click()


async def _invite(page: Page, scope: str) -> str:
    """Invite Lucie from Paul's pages; return the code of the sheet."""
    await page.goto("/patient/helping/")
    await page.get_by_role("link", name="Inviter quelqu’un à m’aider").click()
    await page.get_by_label("Son prénom").fill("Lucie")
    await page.get_by_label("Son nom").fill("Martin")
    await page.get_by_label("Sa date de naissance").fill("1988-02-29")
    await page.get_by_label(scope).check()
    await page.get_by_label("Jusqu’au").fill(UNTIL)
    await page.get_by_role("button", name="Faire l’invitation").click()
    return str(await page.locator("#code").inner_text())


async def _accept(page: Page, code: str) -> None:
    """Type the code as Lucie, up to the question."""
    await page.goto("/patient/helping/accept/")
    await page.get_by_label("Le code de l’invitation").fill(code)
    await page.get_by_label("Votre prénom").fill("Lucie")
    await page.get_by_label("Votre nom").fill("Martin")
    await page.get_by_label("Votre date de naissance").fill("1988-02-29")
    await page.get_by_role("button", name="Continuer").click()


async def test_a_daughter_is_invited_acts_under_the_banner_and_both_may_end_it(
    portal: Portal,
) -> None:
    his, paul = await _page(portal, "")
    await _sign_in(paul, "paul")
    code = await _invite(paul, "Lire tout le dossier")
    hers, lucie = await _page(portal, "lucie")
    await _accept(lucie, code)
    assert await lucie.get_by_text("Paul DURAND").is_visible()
    await lucie.get_by_role("button", name="Oui, j’accepte").click()
    assert await lucie.get_by_role("status").get_by_text("Vous pouvez aider").is_visible()
    await lucie.get_by_role("link", name="Agir pour cette personne Paul DURAND").click()
    await lucie.get_by_role("button", name="Agir pour cette personne").click()
    banner = lucie.get_by_role("region", name="À savoir").first
    for address in ("/patient/", f"/patient/record/{PAUL}/", "/help/"):
        await lucie.goto(address)
        assert "Vous agissez pour Paul DURAND" in await banner.inner_text(), address
    answer = await lucie.goto(f"/patient/record/{LUCIE}/")
    assert answer
    assert answer.status == 403
    await banner.get_by_role("button", name="Arrêter").click()
    assert not await lucie.get_by_text("Vous agissez pour").count()
    await paul.goto("/patient/")
    assert await paul.get_by_text("Lucie Martin a ouvert votre dossier").first.is_visible()
    await paul.goto("/patient/helping/")
    await paul.get_by_role("link", name="Mettre fin à cette aide Lucie Martin").click()
    await paul.get_by_role("button").filter(has_text=re.compile("fin")).click()
    gone = await lucie.goto(f"/patient/record/{PAUL}/")
    assert gone
    assert gone.status == 404
    await his.close()
    await hers.close()


async def test_an_agent_helps_at_the_desk_upon_a_signed_paper(portal: Portal) -> None:
    context, page = await _page(portal, "agent")
    await page.goto("/establishment/desk/")
    await page.get_by_label("INS", exact=True).fill(ADA_INS)
    await page.get_by_label("La démarche demandée").fill("Retrouver une attestation")
    await page.get_by_label("Le guichet").fill("France Services de Sizun")
    await page.get_by_role("button", name="Préparer le mandat à signer").click()
    assert await page.get_by_text("Je soussigné(e) Ada LEROY").is_visible()
    await page.get_by_role("button", name="Commencer").click()
    assert await page.get_by_text("Cochez que la personne a signé").is_visible()
    await page.get_by_label("La personne a signé ce papier").check()
    await page.get_by_role("button", name="Commencer").click()
    assert await page.get_by_text("Vous agissez pour Ada LEROY, agent du guichet").is_visible()
    await page.get_by_role("button", name="Arrêter").click()
    assert await page.get_by_role("heading", name="Aider au guichet").is_visible()
    await context.close()


async def test_every_page_of_a_help_passes_axe(portal: Portal) -> None:
    his, paul = await _page(portal, "", scripts=True)
    await _sign_in(paul, "paul")
    await paul.goto(f"/patient/helping/{PAUL}/invite/")
    await paul.get_by_role("button", name="Faire l’invitation").click()
    await _check(paul)
    code = await _invite(paul, "Lire les papiers administratifs seulement")
    await _check(paul)
    await paul.goto("/patient/helping/")
    await _check(paul)
    hers, lucie = await _page(portal, "lucie", scripts=True)
    await _accept(lucie, "AAAA-BBBB-CCCC")
    await _check(lucie)
    await _accept(lucie, code)
    await _check(lucie)
    await lucie.get_by_role("button", name="Oui, j’accepte").click()
    await _check(lucie)
    await lucie.goto(f"/patient/helping/{PAUL}/act/")
    await lucie.get_by_role("button", name="Agir pour cette personne").click()
    await _check(lucie)
    await lucie.goto(f"/patient/record/{LUCIE}/")
    await _check(lucie)
    await lucie.get_by_role("button", name="Arrêter").click()
    await lucie.goto(f"/patient/helping/{PAUL}/leave/")
    await lucie.get_by_role("button", name="Ne plus aider").click()
    desk, agent = await _page(portal, "agent", scripts=True, language="en")
    await agent.goto("/establishment/desk/")
    await agent.get_by_role("button", name="Prepare the mandate to sign").click()
    await _check(agent)
    await agent.get_by_label("INS", exact=True).fill(ADA_INS)
    await agent.get_by_label("What is asked for").fill("Certificate")
    await agent.get_by_label("The desk").fill("Sizun")
    await agent.get_by_role("button", name="Prepare the mandate to sign").click()
    await agent.get_by_role("button", name="Begin").click()
    await _check(agent)
    await agent.get_by_role("button", name="The person does not sign").click()
    for context in (his, hers, desk):
        await context.close()


async def test_a_helper_is_chosen_and_left_with_the_keyboard_alone(portal: Portal) -> None:
    context, page = await _page(portal, "lucie", scripts=True)
    await page.goto("/patient/helping/")
    for _stop in range(40):
        await page.keyboard.press("Tab")
        name = await page.evaluate("document.activeElement.innerText")
        if name.startswith("Agir pour cette personne"):
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/act/")
    for _stop in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.innerText") == "Agir pour cette personne":
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/patient/")
    assert await page.get_by_text("Vous agissez pour").is_visible()
    for _stop in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.innerText") == "Arrêter":
            break
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/helping/")
    assert not await page.get_by_text("Vous agissez pour").count()
    await context.close()
