"""CIBA: an application asks, the person answers on another device."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hygie.testing.applications import App, signed_in, text
from hygie.testing.portal import Site

Provider = Callable[..., App]
GRANT = "urn:openid:params:grant-type:ciba"


@pytest.fixture
def app(provider: Provider) -> App:
    return provider(audience="professional", asked="openid profile fhirUser user/Patient.rs")


def ask(app: App, **changed: str) -> Any:
    form = {"scope": "openid profile", "login_hint": "dr.petit", "binding_message": "K7 42"}
    return app.post("/oauth/bc-authorize", {k: v for k, v in (form | changed).items() if v})


def poll(app: App, told: Any) -> Any:
    return app.token(grant_type=GRANT, auth_req_id=told.json()["auth_req_id"])


def wait(seconds: int = 6) -> None:
    """Let time pass for the last request."""
    from hygie.domains.authorization.orm import Ciba

    last = Ciba.objects.latest("pk")
    if last.polled:
        Ciba.objects.filter(pk=last.pk).update(polled=last.polled - timedelta(seconds=seconds))


def answer(site: Site, login: str, choice: str) -> str:
    browser = signed_in(site, login)
    page = text(browser.get("/oauth/devices"))
    numbers = re.findall(r'name="request" value="(\d+)"', page)
    browser.post("/oauth/devices", {"request": numbers[0] if numbers else "", "answer": choice})
    return page


def test_a_person_answers_on_another_device(site: Site, app: App) -> None:
    told = ask(app)
    assert told.status_code == 200, told.content
    assert told.json()["interval"] == 5
    assert poll(app, told).json()["error"] == "authorization_pending"
    assert poll(app, told).json()["error"] == "slow_down"
    browser = signed_in(site, "dr.petit")
    assert "demande à vous connecter" in text(browser.get("/professional/patients/"))
    assert "K7 42" in answer(site, "dr.petit", "allow")
    wait()
    tokens = poll(app, told)
    assert tokens.status_code == 200, tokens.content
    assert {"access_token", "id_token"} <= set(tokens.json())
    wait()
    assert poll(app, told).json()["error"] == "invalid_grant"


def test_a_refusal_is_told(site: Site, app: App) -> None:
    told = ask(app)
    answer(site, "dr.petit", "refuse")
    assert poll(app, told).json()["error"] == "access_denied"


def test_a_request_is_shown_to_its_person_only(site: Site, app: App) -> None:
    told = ask(app, binding_message="PRIVE 7")
    assert "PRIVE 7" not in answer(site, "marc.vidal", "allow")
    assert poll(app, told).json()["error"] == "authorization_pending"


def test_a_hint_that_names_nobody_is_answered_like_any_other(site: Site, app: App) -> None:
    known, unknown = ask(app).json(), ask(app, login_hint="nobody-at-all").json()
    assert known.keys() == unknown.keys()
    patient = ask(app, login_hint="nora")
    assert poll(app, patient).json()["error"] == "authorization_pending"
    assert "nora" not in patient.content.decode()


def test_a_request_expires(app: App) -> None:
    from hygie.domains.authorization.orm import Ciba

    told = ask(app)
    last = Ciba.objects.latest("pk")
    Ciba.objects.filter(pk=last.pk).update(expires=last.made)
    assert poll(app, told).json()["error"] == "expired_token"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"binding_message": "x" * 65}, "invalid_binding_message"),
        ({"binding_message": "<b>"}, "invalid_binding_message"),
        ({"login_hint": ""}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(
    app: App, changed: dict[str, str], error: str
) -> None:
    told = ask(app, **changed)
    assert (told.status_code, told.json()["error"]) == (400, error)


def test_a_session_that_is_too_weak_grants_nothing(site: Site, app: App) -> None:
    told = ask(app, acr_values="eidas2")
    assert "connexion plus forte" in answer(site, "dr.petit", "allow")
    assert poll(app, told).json()["error"] == "authorization_pending"


def test_another_application_does_not_poll(app: App, provider: Provider) -> None:
    assert poll(provider(), ask(app)).json()["error"] == "invalid_grant"
