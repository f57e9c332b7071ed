"""A real SMART application, fhirclient of npm, in Chromium on an origin of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hygie.testing.applications import register, signed_in
from hygie.testing.browser import Portal
from hygie.testing.portal import Site
from hygie.testing.stories import NORA

pytestmark = pytest.mark.browser
LIBRARY = Path(__file__).parent / "vendor/fhir-client.min.js"
LAUNCH = """<!doctype html><title>Launch</title><script src="/fhir-client.js"></script>
<script>FHIR.oauth2.authorize({clientId: "CLIENT", scope: "SCOPE", redirectUri: "/app",
  pkceMode: "required"ISS}).catch((e) => { document.title = "failed " + e; });</script>"""
APP = """<!doctype html><title>App</title><script src="/fhir-client.js"></script><pre></pre>
<script>
const show = (what) => {
  document.querySelector("pre").textContent = JSON.stringify(what);
  document.title = "done";
};
FHIR.oauth2.ready().then(async (client) => {
  const found = await client.request("Observation?patient=" + client.patient.id + "&_count=1");
  const refused = await client.request("Condition").then(() => "", (e) => e.status || e.message);
  await client.refreshIfNeeded();
  show({patient: client.patient.id, user: client.user.fhirUser, encounter: client.encounter.id,
    total: (found.entry || []).length, refused: String(refused),
    state: client.state.tokenResponse});
}).catch((e) => show({error: String(e)}));
</script>"""


@dataclass
class Elsewhere:
    """The application's own server."""

    address: str
    pages: dict[str, str]


class _Pages(BaseHTTPRequestHandler):
    def __init__(self, *given: Any, pages: dict[str, str]) -> None:
        self.pages = pages
        super().__init__(*given)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body = LIBRARY.read_text() if path == "/fhir-client.js" else self.pages.get(path, "")
        kind = "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8"
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def place() -> Iterator[Elsewhere]:
    pages: dict[str, str] = {"/app": APP}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, pages=pages))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Elsewhere(f"http://127.0.0.1:{server.server_port}", pages)
    server.shutdown()
    server.server_close()


def launch_page(client: str, scope: str, iss: str = "") -> str:
    page = LAUNCH.replace("CLIENT", client).replace("SCOPE", scope)
    return page.replace("ISS", f', iss: "{iss}"' if iss else "")


async def shown(page: Any) -> Any:
    import json

    await page.wait_for_function("document.title === 'done'", timeout=20_000)
    return json.loads(await page.locator("pre").inner_text())


async def enter(portal: Portal, login: str) -> Any:
    """Return a window in which somebody signed in by password a moment ago."""
    browser = await asyncio.to_thread(signed_in, portal.site, login)
    context = await portal.context()
    value = browser.cookies["sessionid"].value
    await context.add_cookies([{"name": "sessionid", "value": value, "url": portal.address}])
    return context


async def test_a_patient_opens_a_standalone_application(
    site: Site, portal: Portal, place: Elsewhere
) -> None:
    scope = "openid fhirUser launch/patient offline_access patient/Observation.rs"
    app = await asyncio.to_thread(
        partial(register, site, proof="none", asked=scope, redirect_uris=f"{place.address}/app")
    )
    place.pages["/launch"] = launch_page(app.client_id, scope, f"{portal.address}/fhir")
    context = await enter(portal, "nora")
    page = await context.new_page()
    await page.goto(f"{place.address}/launch")
    await page.get_by_role("button", name="Choisir").first.click()
    await page.get_by_role("button", name="Autoriser").click()
    told = await shown(page)
    assert told.get("patient") == NORA, told
    assert told["user"] == f"Patient/{NORA}"
    assert told["total"] == 1
    assert "403" in told["refused"] or "Forbidden" in told["refused"]
    assert told["state"]["refresh_token"]
    await context.close()


async def test_a_professional_opens_an_application_on_the_open_record(
    site: Site, portal: Portal, place: Elsewhere
) -> None:
    scope = "openid fhirUser launch online_access patient/Observation.rs"
    app = await asyncio.to_thread(
        partial(
            register,
            site,
            proof="none",
            audience="professional",
            asked=scope,
            redirect_uris=f"{place.address}/app",
            launch_uri=f"{place.address}/launch",
        )
    )
    place.pages["/launch"] = launch_page(app.client_id, scope)
    context = await enter(portal, "dr.petit")
    page = await context.new_page()
    launches = f"{portal.address}/professional/apps/record/{NORA}/"
    await page.goto(launches)
    await page.locator(f'button[value="{app.client_id}"]').click()
    await page.get_by_role("button", name="Autoriser").click()
    told = await shown(page)
    assert told.get("patient") == NORA, told
    assert told["user"] == "Practitioner/helene-petit"
    assert told["state"]["need_patient_banner"] is True
    await page.goto(launches)
    await page.locator(f'button[value="{app.client_id}"]').click()
    assert (await shown(page))["patient"] == NORA, "what was granted is not asked again"
    await context.close()
