"""Two applications in a browser follow the record that a professional opens, and open one too."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hygie.testing.applications import register
from hygie.testing.browser import Portal
from hygie.testing.portal import Site
from hygie.testing.stories import NORA, PAUL
from tests.clients.test_smart_browser import Elsewhere, enter, launch_page, place

__all__ = ["place"]
pytestmark = pytest.mark.browser
AXE = (Path(__file__).parents[1] / "e2e/vendor/axe.min.js").read_text(encoding="utf-8")
VIOLATIONS = "() => axe.run(document).then(found => found.violations.map(one => one.id))"
SHOTS = os.environ.get("HYGIE_SCREENSHOTS", "")
SCOPE = (
    "openid fhirUser launch online_access user/Patient.rs fhircast/Patient-open.read"
    " fhircast/Patient-open.write fhircast/Patient-close.read fhircast/UserLogout.read"
)
FOLLOW = """<!doctype html><title>App</title><script src="/fhir-client.js"></script>
<script>
FHIR.oauth2.ready().then(async (client) => {
  const told = client.state.tokenResponse;
  const hub = told["hub.url"], topic = told["hub.topic"];
  const authorization = "Bearer " + told.access_token;
  const form = new URLSearchParams({"hub.channel.type": "websocket", "hub.mode": "subscribe",
    "hub.topic": topic, "hub.events": "Patient-open,Patient-close,UserLogout",
    "subscriber.name": "NAME"});
  const answer = await fetch(hub, {method: "POST", headers: {authorization}, body: form});
  const socket = new WebSocket((await answer.json())["hub.channel.endpoint"]);
  socket.onmessage = (message) => {
    const {id, event} = JSON.parse(message.data);
    if (!event) { document.title = document.title === "App" ? "following" : document.title; return; }
    socket.send(JSON.stringify({id, status: "200"}));
    const patient = event.context.find((one) => one.key === "patient");
    document.title = event["hub.event"] + " " + (patient ? patient.resource.id : "");
  };
  window.openPatient = (patient) => fetch(hub, {method: "POST",
    headers: {authorization, "content-type": "application/fhir+json"},
    body: JSON.stringify({timestamp: new Date().toISOString(), id: crypto.randomUUID(),
      event: {"hub.topic": topic, "hub.event": "Patient-open", context: [
        {key: "patient", resource: {resourceType: "Patient", id: patient}}]}})
  }).then((answer) => answer.status);
}).catch((e) => { document.title = "failed " + e; });
</script>"""  # noqa: E501  a page


@pytest.fixture
async def window(portal: Portal) -> AsyncIterator[Any]:
    """Give Dr Petit's browser."""
    context = await enter(portal, "dr.petit")
    yield context
    await context.close()


async def launched(site: Site, portal: Portal, place: Elsewhere, window: Any, name: str) -> Any:
    """Return the page of an application that was opened from the record of Nora."""
    place.pages[f"/{name}"] = FOLLOW.replace("NAME", name)
    app = await asyncio.to_thread(
        partial(
            register,
            site,
            proof="none",
            audience="professional",
            asked=SCOPE,
            name=name,
            redirect_uris=f"{place.address}/{name}",
            launch_uri=f"{place.address}/launch-{name}",
        )
    )
    page = launch_page(app.client_id, SCOPE).replace('"/app"', f'"/{name}"')
    place.pages[f"/launch-{name}"] = page
    tab = await window.new_page()
    await tab.goto(f"{portal.address}/professional/apps/record/{NORA}/")
    await tab.locator(f'button[value="{app.client_id}"]').click()
    await tab.get_by_role("button", name="Autoriser").click()
    return tab


async def titled(tab: Any, title: str) -> None:
    """Wait for a title."""
    wanted = f"document.title === {title!r} || document.title.startsWith('failed')"
    await tab.wait_for_function(wanted, timeout=20_000)
    assert await tab.title() == title


async def test_two_applications_follow_the_record_and_lead_to_another(
    site: Site, portal: Portal, place: Elsewhere, window: Any
) -> None:
    imaging = await launched(site, portal, place, window, "imagerie")
    await titled(imaging, f"Patient-open {NORA}")
    agenda = await launched(site, portal, place, window, "agenda")
    await titled(agenda, f"Patient-open {NORA}")

    record = await window.new_page()
    await record.goto(f"{portal.address}/professional/record/{PAUL}/")
    for tab in (imaging, agenda):
        await titled(tab, f"Patient-open {PAUL}")

    assert await imaging.evaluate(f"openPatient({NORA!r})") == 202
    await titled(agenda, f"Patient-open {NORA}")
    bar = record.locator("#context-bar")
    await bar.get_by_role("link", name="Y aller").wait_for(timeout=20_000)
    assert PAUL in record.url, "the page itself never jumps"
    await record.evaluate(AXE)
    assert await record.evaluate(VIOLATIONS) == []
    if SHOTS:
        await record.screenshot(path=f"{SHOTS}/context-bar.png")
    await bar.get_by_role("link", name="Y aller").click()
    assert NORA in record.url

    await record.get_by_role("link", name="Réglages du suivi").click()
    assert await record.get_by_role("listitem").get_by_text("imagerie").count() == 1
    await record.evaluate(AXE)
    assert await record.evaluate(VIOLATIONS) == []
    if SHOTS:
        await record.set_viewport_size({"width": 320, "height": 700})
        await record.screenshot(path=f"{SHOTS}/context-settings.png")
    await record.get_by_role("button", name="Se déconnecter").click()
    for tab in (imaging, agenda):
        await titled(tab, "UserLogout")


async def test_a_patient_the_application_may_not_open_is_refused(
    site: Site, portal: Portal, place: Elsewhere, window: Any
) -> None:
    imaging = await launched(site, portal, place, window, "imagerie")
    await titled(imaging, f"Patient-open {NORA}")
    assert await imaging.evaluate("openPatient('ada-leroy')") == 404
