"""Requests for authorization that break a rule: each is refused, and told where it may be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hygie.testing.applications import (
    BACK,
    App,
    consent_page,
    pick,
    sent,
    signed_in,
    text,
)
from hygie.testing.portal import PASSWORD, Site

Provider = Callable[..., App]
SENT_BACK = {
    "missing state": ({"state": ""}, "invalid_request"),
    "missing nonce": ({"nonce": "", "aud": "", "scope": "openid"}, "invalid_request"),
    "long nonce": ({"nonce": "x" * 501}, "invalid_request"),
    "missing PKCE": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain PKCE": ({"code_challenge_method": "plain"}, "invalid_request"),
    "PKCE without its method": ({"code_challenge_method": ""}, "invalid_request"),
    "short challenge": ({"code_challenge": "short"}, "invalid_request"),
    "implicit flow": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid flow": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "other server": ({"aud": "https://elsewhere.example.org/fhir"}, "invalid_request"),
    "no server": ({"aud": ""}, "invalid_request"),
    "no scope": ({"scope": ""}, "invalid_scope"),
    "unknown scopes only": ({"scope": "email address"}, "invalid_scope"),
    "malformed scope": ({"scope": "openid patient/Observation.sr"}, "invalid_scope"),
    "constraints on every type": ({"scope": "openid patient/*.rs?a=1"}, "invalid_scope"),
    "a flood of scopes": (
        {"scope": " ".join(f"patient/Observation.r?category={n}" for n in range(200))},
        "invalid_scope",
    ),
    "a flood of choices": (
        {
            "scope": "openid patient/Observation.r?"
            + "&".join(f"{name}={','.join(map(str, range(99)))}" for name in ("category", "code"))
        },
        "invalid_scope",
    ),
    "request object": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "request address": ({"request_uri": "https://app.example.org/r"}, "request_uri_not_supported"),
    "strange prompt": ({"prompt": "none login"}, "invalid_request"),
    "strange age": ({"max_age": "soon"}, "invalid_request"),
    "invented launch": ({"launch": "invented"}, "invalid_request"),
}


@pytest.mark.parametrize("name", SENT_BACK)
def test_a_fault_is_told_to_the_application(name: str, site: Site, app: App) -> None:
    changed, error = SENT_BACK[name]
    answer = site.client().get("/oauth/authorize", app.parameters(**changed))
    told = sent(answer)
    assert told["error"] == error
    assert "code" not in told
    assert answer["Location"].startswith(BACK)
    if "state" not in changed:
        assert told["state"] == "a-state-nobody-guesses"
        assert told["iss"] == site.platform.settings.base_url


REDIRECTS = [
    "https://app.example.org/back/",
    "https://app.example.org/back?x=1",
    "https://app.example.org/back#x",
    "https://app.example.org/BACK",
    "https://app.example.org:443/back",
    "https://app.example.org@evil.example.net/back",
    "https://app.example.org.evil.example.net/back",
    "http://app.example.org/back",
    "https://app.example.org/x/../back",
    "//app.example.org/back",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("address", REDIRECTS)
def test_an_address_that_was_not_registered_is_never_gone_to(
    address: str, site: Site, app: App
) -> None:
    answer = site.client().get("/oauth/authorize", app.parameters(redirect_uri=address))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_repeated_parameter_is_refused(site: Site, app: App) -> None:
    asked = [*app.parameters().items(), ("redirect_uri", "https://evil.example.net")]
    from urllib.parse import urlencode

    answer = site.client().get(f"/oauth/authorize?{urlencode(asked)}")
    assert answer.status_code == 400


def test_an_application_that_is_not_approved_does_not_exist(site: Site, app: App) -> None:
    from hygie.domains.authorization.model.apps import State
    from hygie.domains.authorization.orm import App as Row
    from hygie.domains.authorization.service.registering import decide

    row = Row.objects.get(client_id=app.client_id)
    decide(row, State.ENDED, by=None, reason="Essai fini.")
    assert site.client().get("/oauth/authorize", app.parameters()).status_code == 400


def test_an_application_of_another_realm_does_not_exist(site: Site, app: App) -> None:
    from hygie.domains.authorization.orm import App as Row

    Row.objects.filter(client_id=app.client_id).update(realm="production")
    assert site.client().get("/oauth/authorize", app.parameters()).status_code == 400
    answer: Any = app.token(grant_type="refresh_token", refresh_token="x")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_application_of_patients_is_not_for_professionals(site: Site, app: App) -> None:
    browser = signed_in(site, "dr.petit")
    assert consent_page(browser, app).status_code == 403


def test_a_level_that_was_not_reached_is_not_granted(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = consent_page(browser, app, acr_values="eidas2")
    assert "connexion plus forte" in text(page)
    here = page.wsgi_request.get_full_path()
    told = sent(browser.post(here, {"answer": "no"}))
    assert told["error"] == "unmet_authentication_requirements"


def test_a_level_is_sought_by_another_sign_in(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = consent_page(browser, app, acr_values="eidas2")
    here = page.wsgi_request.get_full_path()
    answer = browser.post(here, {"answer": "again"})
    assert answer["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize("acr", ["eidas1", "urn:unknown"])
def test_a_level_that_is_reached_goes_on(acr: str, site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    assert "ticket" in consent_page(browser, app, acr_values=acr).wsgi_request.GET


def test_an_old_sign_in_is_made_again(site: Site, app: App) -> None:
    from hygie.domains.authorization.orm import Asked

    browser = signed_in(site, "nora")
    answer = browser.get("/oauth/authorize", app.parameters(max_age="0"))
    page = browser.get(answer["Location"])
    assert page["Location"].startswith("/account/confirm/?next=")
    done = browser.post(page["Location"], {"password": PASSWORD})
    assert done.status_code == 302
    assert Asked.objects.latest("pk").signed_in_after
    assert pick(browser, browser.get(done["Location"])).status_code == 200


def test_prompt_login_asks_for_a_new_sign_in(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    answer = browser.get("/oauth/authorize", app.parameters(prompt="login"))
    assert browser.get(answer["Location"])["Location"].startswith("/account/confirm/")


def test_prompt_none_shows_no_page(site: Site, app: App) -> None:
    stranger = site.client()
    assert sent(consent_page(stranger, app, prompt="none"))["error"] == "login_required"
    browser = signed_in(site, "nora")
    told = sent(consent_page(browser, app, prompt="none", scope="openid"))
    assert told["error"] == "consent_required"
    told = sent(consent_page(browser, app, prompt="none"))
    assert told["error"] == "interaction_required"


def test_a_pushed_request_is_fetched_once_by_its_application(site: Site, app: App) -> None:
    pushed: Any = app.post("/oauth/par", app.parameters())
    assert pushed.status_code == 201, pushed.content
    address = pushed.json()["request_uri"]
    browser = signed_in(site, "nora")
    asked = {"client_id": app.client_id, "request_uri": address}
    answer = browser.get("/oauth/authorize", asked | {"client_id": "somebody-else"})
    assert answer.status_code == 400
    assert pick(browser, browser.get(browser.get("/oauth/authorize", asked)["Location"]))
    again = browser.get("/oauth/authorize", asked)
    assert again.status_code == 400
    assert "invalid_request_uri" in text(again)


def test_a_pushed_request_is_refused_at_once(app: App) -> None:
    answer: Any = app.post("/oauth/par", app.parameters(nonce="", aud="", scope="openid"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = app.post("/oauth/par", app.parameters(), authorization="Basic eDp5")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_form_of_the_consent_page_ends_at_the_application_only(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = pick(browser, consent_page(browser, app))
    policy = page["Content-Security-Policy"]
    assert "form-action 'self' https://app.example.org" in policy
    assert page["X-Frame-Options"] == "DENY"


def test_a_level_comes_from_what_was_proven(site: Site, app: App) -> None:
    import time

    from hygie.testing.applications import allow, offered
    from hygie.testing.stories import NORA

    browser = signed_in(site, "nora")
    session = browser.session
    kept = session["hygie_proofs"]
    kept["list"].append({"method": "totp", "at": time.time(), "acr": ""})
    session["hygie_proofs"] = kept
    session.save()
    page = pick(browser, consent_page(browser, app, acr_values="eidas2"))
    told: Any = app.redeem(sent(allow(browser, page, scope=offered(page)))["code"]).json()
    import msgspec
    from joserfc import jws

    claims = msgspec.json.decode(jws.extract_compact(told["id_token"].encode()).payload)
    assert (claims["acr"], claims["amr"]) == ("eidas2", ["mfa", "otp", "pwd"])
    assert told["patient"] == NORA
