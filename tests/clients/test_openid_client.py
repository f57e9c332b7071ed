"""A real OpenID client, openid-client of npm, against the provider on a real port."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hygie.testing.applications import (
    BACK,
    App,
    allow,
    follow,
    offered,
    pick,
    register,
    signed_in,
)
from hygie.testing.portal import Site

HERE = Path(__file__).parent
VITALS = "patient/Observation.rs?category=vital-signs"
SCOPE = f"openid profile fhirUser launch/patient offline_access {VITALS}"


class Client:
    """The client in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, command: str, **more: Any) -> Any:
        """Return what the client answers, or its refusal as ``{"error": …}``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **more}) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return told.get("answer", told)


@pytest.fixture
def client() -> Iterator[Client]:
    """Give the client; skip with a sentence where Node.js is absent."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is absent: install Node.js 20 to test with openid-client")
    with subprocess.Popen(  # noqa: S603  our own script
        [node, str(HERE / "openid_client.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    ) as process:
        yield Client(process)
        process.kill()


def discover(client: Client, live: str, app: App, **proof: Any) -> Any:
    return client.ask("discover", issuer=live, client=app.client_id, secret=app.secret, **proof)


def come_back(site: Site, address: str, login: str = "nora") -> str:
    """Grant a request as a person; return the address that the browser goes back to."""
    browser = signed_in(site, login)
    page = pick(browser, follow(browser, address))
    return str(allow(browser, page, scope=offered(page))["Location"])


def test_the_code_flow_from_discovery_to_revocation(site: Site, live: str, client: Client) -> None:
    app = register(site, asked=SCOPE)
    assert discover(client, live, app)["issuer"] == live
    asked = {"redirect_uri": BACK, "scope": SCOPE, "aud": f"{live}/fhir"}
    address = client.ask("begin", parameters=asked)
    done = client.ask("finish", url=come_back(site, address))
    tokens, claims = done["tokens"], done["claims"]
    assert tokens["scope"].split() == SCOPE.split()
    assert tokens["patient"] == "nora-martin"
    assert (claims["acr"], claims["amr"]) == ("eidas1", ["pwd"])
    told = client.ask("userinfo", token=tokens["access_token"], subject=claims["sub"])
    assert told["name"] == "Nora Martin"
    active = client.ask("introspect", token=tokens["access_token"])
    assert (active["active"], active["client_id"]) == (True, app.client_id)
    assert active["patient"] == "nora-martin"
    following = client.ask("refresh", token=tokens["refresh_token"])
    assert following["scope"] == tokens["scope"]
    reused = client.ask("refresh", token=tokens["refresh_token"])
    assert reused["error"] == "invalid_grant"
    assert client.ask("introspect", token=following["access_token"]) == {"active": False}


def test_a_public_client_with_a_pushed_request(site: Site, live: str, client: Client) -> None:
    app = register(site, proof="none", asked=SCOPE)
    discover(client, live, app)
    asked = {"redirect_uri": BACK, "scope": "openid profile"}
    address = client.ask("begin", parameters=asked, pushed=True)
    assert "request_uri=urn" in address
    assert "state=" not in urlsplit(address).query
    done = client.ask("finish", url=come_back(site, address))
    assert done["claims"]["name"] == "Nora Martin"


def test_a_client_that_signs_in_with_rs256(site: Site, live: str, client: Client) -> None:
    app = register(site, signature="RS256", asked="openid")
    discover(client, live, app)
    address = client.ask("begin", parameters={"redirect_uri": BACK, "scope": "openid"})
    done = client.ask("finish", url=come_back(site, address))
    assert done["claims"]["sub"] == "Patient/nora-martin"


def test_an_answer_of_another_issuer_is_seen(site: Site, live: str, client: Client) -> None:
    app = register(site, asked="openid")
    discover(client, live, app)
    address = client.ask("begin", parameters={"redirect_uri": BACK, "scope": "openid"})
    back = come_back(site, address).replace("iss=http", "iss=https")
    assert "error" in client.ask("finish", url=back)


def test_a_backend_service(site: Site, live: str, client: Client) -> None:
    from django.contrib.auth import get_user_model
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-384", {"kid": "k1"})
    model: Any = get_user_model()
    app = register(
        site,
        audience="service",
        key=key,
        asked="system/Observation.rs system/Patient.r",
        redirect_uris="",
        acts_as=model.objects.get(username="dr.petit"),
    )
    discover(client, live, app, jwk=key.as_dict(private=True))
    told = client.ask("credentials", scope="system/Observation.cruds system/Patient.rs")
    assert told["scope"] == "system/Observation.rs system/Patient.r"
    headers = {"authorization": f"Bearer {told['access_token']}"}
    import requests

    found = requests.get(f"{live}/fhir/Observation?_count=1", headers=headers, timeout=10)
    assert found.status_code == 200, found.text
    refused = requests.get(f"{live}/fhir/Condition", headers=headers, timeout=10)
    assert refused.status_code == 403


async def test_a_person_answers_on_another_device(site: Site, live: str, client: Client) -> None:
    import re

    def answered() -> Any:
        app = register(site, audience="professional", asked="openid profile")
        discover(client, live, app)
        asked = {"scope": "openid profile", "login_hint": "dr.lang", "binding_message": "A12"}
        client.ask("device", parameters=asked)
        browser = signed_in(site, "dr.lang")
        page = browser.get("/oauth/devices").content.decode()
        assert "A12" in page
        number = re.findall(r'name="request" value="(\d+)"', page)[0]
        browser.post("/oauth/devices", {"request": number, "answer": "allow"})
        return client.ask("poll")

    done = await asyncio.to_thread(answered)
    assert done["claims"]["name"] == "Dr Zoé Lang"
