"""From a reported access to the decision, without JavaScript, and every page for everybody."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from hygie.kernel.audit.events import event_id
from hygie.testing.browser import Portal
from hygie.testing.stories import HELENE, NORA

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(
    one => one.id + ": " + one.nodes.map(node => node.html + " " + node.failureSummary).join(" | ")
))"""
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
LOOKS = [("light", 1280), ("light", 320), ("dark", 320), ("dark", 1280)]
WORDS = "Je ne suis pas suivie par ce médecin."
_LAST = """
SELECT t.at, t.id FROM trace t JOIN party p ON p.num = t.party JOIN party w ON w.num = t.pat
WHERE p.rid = $1 AND w.rid = $2 AND t.outcome < 400 ORDER BY t.at DESC, t.id DESC LIMIT 1
"""


async def _access(portal: Portal) -> str:
    """Let the doctor open the record, and return the id of the AuditEvent it left."""
    client = await asyncio.to_thread(portal.site.client, "dr.petit")
    address = f"/professional/record/{NORA}/"
    assert (await asyncio.to_thread(client.get, address)).status_code == 200
    asked = asyncio.run_coroutine_threadsafe(_last(portal), portal.site.loop)
    return await asyncio.wrap_future(asked)


async def _last(portal: Portal) -> str:
    repository = portal.site.platform.repository
    assert repository
    async with repository.database.transaction(system=True) as connection:
        row = await connection.fetchrow(_LAST, HELENE, NORA)
    assert row
    return event_id(row["at"], row["id"])


async def _report(page: Page, event: str) -> None:
    await page.goto(f"/patient/oversight/report/{event}/")
    await page.get_by_label("Pourquoi cet accès").fill(WORDS)
    await page.get_by_role("button", name="Signaler").click()
    await expect(page.get_by_text("Vous avez signalé cet accès.")).to_be_visible()


async def _page(portal: Portal, login: str) -> Page:
    context = await portal.context(login, java_script_enabled=False)
    return await context.new_page()


async def test_a_reported_access_is_asked_about_answered_and_decided_without_javascript(
    portal: Portal,
) -> None:
    nora, reviewer, doctor = [
        await _page(portal, login) for login in ("nora", "relectrice", "dr.petit")
    ]
    await _report(nora, await _access(portal))
    await reviewer.goto("/home/")
    await reviewer.get_by_role("main").get_by_role("link", name="Accès à relire").click()
    await reviewer.get_by_role("link", name="Dr Hélène Petit → N.M.").first.click()
    await expect(reviewer.get_by_text(WORDS)).to_be_visible()
    await reviewer.get_by_role("button", name="Prendre cette relecture").click()
    await reviewer.get_by_label("Question au professionnel").fill("Pourquoi ce dossier ?")
    await reviewer.get_by_role("button", name="Envoyer la question").click()
    await doctor.goto("/professional/oversight/")
    await doctor.get_by_label("Votre réponse").fill("Je suis son médecin traitant.")
    await doctor.get_by_role("button", name="Répondre").click()
    await expect(doctor.get_by_text("Aucune question")).to_be_visible()
    await reviewer.reload()
    await expect(reviewer.get_by_text("Je suis son médecin traitant.")).to_be_visible()
    await reviewer.get_by_label("Motif de la décision").fill("Médecin traitant de la patiente.")
    await reviewer.get_by_role("button", name="Cet accès est justifié").click()
    await expect(reviewer.get_by_text("justifié", exact=True)).to_be_visible()
    await reviewer.get_by_role("button", name="Clore").click()
    await expect(reviewer.get_by_text("clos", exact=True)).to_be_visible()
    for page in (nora, reviewer, doctor):
        await page.context.close()


async def test_the_decision_is_taken_with_the_keyboard_alone(portal: Portal) -> None:
    nora, reviewer = [await _page(portal, login) for login in ("nora", "relectrice")]
    await _report(nora, await _access(portal))
    await reviewer.goto("/establishment/reviews/")
    await reviewer.get_by_role("link", name="Dr Hélène Petit → N.M.").first.focus()
    await reviewer.keyboard.press("Enter")
    await reviewer.get_by_role("button", name="Prendre").focus()
    await reviewer.keyboard.press("Enter")
    await reviewer.get_by_label("Motif de la décision").focus()
    await reviewer.keyboard.type("Sans lien de soin.")
    await reviewer.keyboard.press("Tab")
    await reviewer.keyboard.press("Tab")
    await reviewer.keyboard.press("Enter")
    await reviewer.get_by_text("anormal", exact=True).wait_for()
    for page in (nora, reviewer):
        await page.context.close()


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    portal: Portal, language: str
) -> None:
    event = await _access(portal)
    faults = await _faults(portal, "nora", language, [f"/patient/oversight/report/{event}/"])
    nora = await _page(portal, "nora")
    await _report(nora, event)
    await nora.context.close()
    number = await _number(portal)
    one = f"/establishment/reviews/{number}/"
    faults += await _faults(portal, "relectrice", language, ["/establishment/", one])
    client = await asyncio.to_thread(portal.site.client, "relectrice")
    for act in ({"action": "take"}, {"action": "ask", "words": "Pourquoi ce dossier ?"}):
        faults += await _faults(portal, "relectrice", language, ["/establishment/reviews/", one])
        await asyncio.to_thread(client.post, one, act)
    faults += await _faults(portal, "relectrice", language, [one])
    faults += await _faults(portal, "dr.petit", language, ["/professional/oversight/"])
    assert not faults, "\n".join(faults)


async def _number(portal: Portal) -> int:
    async def last() -> int:
        repository = portal.site.platform.repository
        assert repository
        async with repository.database.transaction(system=True) as connection:
            number: int = await connection.fetchval("SELECT max(id) FROM oversight_item")
        return number

    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(last(), portal.site.loop))


async def _faults(portal: Portal, login: str, language: str, addresses: list[str]) -> list[str]:
    context = await portal.context(login, language)
    page = await context.new_page()
    faults = []
    for address in addresses:
        answer = await page.goto(address)
        assert answer
        assert answer.status == 200, address
        await page.evaluate(AXE)
        for scheme, width in LOOKS:
            await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            await page.set_viewport_size({"width": width, "height": 900})
            where = f"{address} {scheme} {width} px:"
            faults += [f"{where} {fault}" for fault in await page.evaluate(RUN)]
            if await page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append(f"{where} scrolls sideways")
            if SHOTS:
                safe = re.sub(r"\W+", "-", f"{login}{address}{scheme}{width}-{language}")
                await page.screenshot(path=f"{SHOTS}/{safe}.png", full_page=True)
    await context.close()
    return faults
