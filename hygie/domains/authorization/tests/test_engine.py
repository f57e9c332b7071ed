"""What the engine answers for the provider: discovery, introspection, browsers of other origins."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests

from hygie.kernel.security.caller import SYSTEM
from hygie.testing.applications import App, code_of
from hygie.testing.portal import Site

Provider = Callable[..., App]
Json = dict[str, Any]


@pytest.fixture
def told(site: Site, app: App) -> Json:
    answer: Any = app.redeem(code_of(site, app))
    found: Json = answer.json()
    return found


def introspect(live: str, token: str, **headers: str) -> requests.Response:
    address = f"{live}/oauth/introspect"
    return requests.post(address, data={"token": token}, headers=headers, timeout=10)


def basic(app: App) -> str:
    raw = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()
    return f"Basic {raw}"


async def operator_token(site: Site) -> str:
    from datetime import UTC, datetime, timedelta

    from hygie.kernel.security.tokens import issue

    assert site.platform.repository is not None
    async with site.platform.repository.database.connection() as connection:
        at = datetime.now(UTC)
        return await issue(connection, SYSTEM, at=at, valid=timedelta(minutes=5))


def test_the_documents_say_the_same_addresses(live: str) -> None:
    server, openid, smart = (
        requests.get(f"{live}/{path}", timeout=10).json()
        for path in (
            ".well-known/oauth-authorization-server",
            ".well-known/openid-configuration",
            "fhir/.well-known/smart-configuration",
        )
    )
    assert server["issuer"] == openid["issuer"] == smart["issuer"] == live
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert server[name] == openid[name] == smart[name]
    assert smart["code_challenge_methods_supported"] == ["S256"]
    assert {"launch-ehr", "launch-standalone", "permission-v2"} <= set(smart["capabilities"])
    statement = requests.get(f"{live}/fhir/metadata", timeout=10).json()
    security = statement["rest"][0]["security"]
    assert security["cors"] is True
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    uris = {one["url"]: one["valueUri"] for one in security["extension"][0]["extension"]}
    assert uris["token"] == server["token_endpoint"]
    for name in ("userinfo_endpoint", "jwks_uri", "authorization_endpoint"):
        assert requests.get(openid[name], timeout=10).status_code != 404


def test_an_application_asks_about_its_own_tokens(
    site: Site, live: str, app: App, told: Json
) -> None:
    for proof in (basic(app), f"Bearer {told['access_token']}"):
        found = introspect(live, told["access_token"], authorization=proof).json()
        assert found["active"] is True
        assert found["client_id"] == app.client_id
        assert found["patient"] == told["patient"]
        assert found["scope"] == told["scope"]
        assert (found["aud"], found["acr"]) == (f"{live}/fhir", "eidas1")
    app.post("/oauth/revoke", {"token": told["access_token"]})
    again = introspect(live, told["access_token"], authorization=basic(app)).json()
    assert again == {"active": False}


def test_nobody_asks_about_the_tokens_of_another(
    site: Site, live: str, provider: Provider, told: Json
) -> None:
    other = provider()
    assert introspect(live, told["access_token"], authorization=basic(other)).json() == {
        "active": False
    }
    other.secret = "guessed"
    assert introspect(live, told["access_token"], authorization=basic(other)).status_code == 401
    assert introspect(live, told["access_token"]).status_code == 401
    assert introspect(live, told["access_token"], authorization="Basic x").status_code == 401


def test_the_operator_and_resource_servers_ask_about_every_token(
    site: Site, live: str, provider: Provider, told: Json
) -> None:
    import asyncio

    from django.contrib.auth import get_user_model
    from joserfc.jwk import ECKey

    token = asyncio.run_coroutine_threadsafe(operator_token(site), site.loop).result(10)
    found = introspect(live, told["access_token"], authorization=f"Bearer {token}")
    assert found.json()["active"] is True
    key = ECKey.generate_key("P-384", {"kid": "k1"})
    model: Any = get_user_model()
    server = provider(
        audience="service",
        key=key,
        asked="introspection",
        redirect_uris="",
        acts_as=model.objects.get(username="operateur"),
        introspects=True,
    )
    answer: Any = server.token(
        grant_type="client_credentials",
        scope="introspection",
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=server.assertion(),
    )
    own = answer.json()["access_token"]
    found = introspect(live, told["access_token"], authorization=f"Bearer {own}")
    assert found.json()["client_id"] != server.client_id
    assert found.json()["active"] is True
    data = requests.get(
        f"{live}/fhir/Patient", headers={"authorization": f"Bearer {own}"}, timeout=10
    )
    assert data.status_code == 403, "asking about tokens opens no data"


@pytest.mark.parametrize("name", ["id_token", "refresh_token"])
def test_the_engine_opens_to_access_tokens_only(live: str, told: Json, name: str) -> None:
    headers = {"authorization": f"Bearer {told[name]}"}
    assert requests.get(f"{live}/fhir/Observation", headers=headers, timeout=10).status_code == 401


def test_browsers_of_registered_origins_are_answered(live: str, provider: Provider) -> None:
    provider(proof="none", redirect_uris="https://spa.example.org/back")
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "x"}
    for path in ("fhir/Observation", "oauth/token", "oauth/userinfo"):
        for origin, known in (("https://spa.example.org", True), ("https://evil.example", False)):
            answer = requests.options(
                f"{live}/{path}", headers={"origin": origin, **asked}, timeout=10
            )
            allowed = answer.headers.get("access-control-allow-origin")
            assert (allowed == origin) is known, (path, origin)
            assert "access-control-allow-credentials" not in answer.headers
    plain = requests.get(
        f"{live}/fhir/Observation", headers={"origin": "https://spa.example.org"}, timeout=10
    )
    assert plain.status_code == 401
    assert plain.headers["access-control-allow-origin"] == "https://spa.example.org"


def test_the_origin_of_an_application_that_ended_is_unknown(live: str, provider: Provider) -> None:
    from hygie.domains.authorization.model.apps import State
    from hygie.domains.authorization.orm import App as Row
    from hygie.domains.authorization.service.registering import decide

    app = provider(proof="none", redirect_uris="https://gone.example.org/back")
    row = Row.objects.get(client_id=app.client_id)
    decide(row, State.ENDED, by=None, reason="Fin.")
    answer = requests.get(
        f"{live}/fhir/metadata", headers={"origin": "https://gone.example.org"}, timeout=10
    )
    assert "access-control-allow-origin" not in answer.headers


def test_an_application_stays_in_the_exercise_of_its_user(site: Site, provider: Provider) -> None:
    from hygie.domains.authorization.orm import Family
    from hygie.domains.authorization.service.people import caller_for

    app = provider(audience="professional", asked="openid user/*.rs")
    code_of(site, app, login="dr.petit", scope="openid user/*.rs")
    family = Family.objects.latest("made")
    family.exercise = ["physician", 7]
    caller = caller_for(family.account, family)
    assert caller.exercise is not None
    assert (caller.exercise.role, caller.exercise.structure) == ("physician", 7)
