"""The code flow: what is granted, what is told, what a code may be used for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
from joserfc import jws

from hygie.testing.applications import (
    BACK,
    App,
    allow,
    code_of,
    consent_page,
    offered,
    people_of,
    pick,
    sent,
    signed_in,
    text,
)
from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import NORA, PAUL

Provider = Callable[..., App]


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(jws.extract_compact(token.encode()).payload)
    return found


def test_a_person_grants_and_the_application_is_told(site: Site, app: App) -> None:
    told: Any = app.redeem(code_of(site, app)).json()
    assert told["token_type"] == "Bearer"
    assert (told["patient"], told["need_patient_banner"]) == (NORA, True)
    assert 595 < told["expires_in"] <= 600
    assert "patient/*.rs" in told["scope"].split()
    claims = claims_of(told["id_token"])
    assert claims["iss"] == site.platform.settings.base_url
    assert claims["aud"] == app.client_id
    assert claims["sub"] == f"Patient/{NORA}"
    assert claims["nonce"] == "a-nonce-nobody-guesses"
    assert (claims["acr"], claims["amr"]) == ("eidas1", ["pwd"])
    assert claims["auth_time"] <= claims["iat"] < claims["exp"] <= claims["iat"] + 300
    assert claims["name"] == "Nora Martin"
    assert claims["fhirUser"].endswith(f"/fhir/Patient/{NORA}")


def test_the_answer_says_who_sends_it(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = pick(browser, consent_page(browser, app))
    told = sent(allow(browser, page, scope=["patient/*.rs"]))
    assert told["iss"] == site.platform.settings.base_url
    assert told["state"] == "a-state-nobody-guesses"


def test_a_person_unticks_what_they_do_not_want(site: Site, provider: Provider) -> None:
    app = provider(asked="openid launch/patient offline_access patient/Observation.rs profile")
    browser = signed_in(site, "nora")
    page = pick(browser, consent_page(browser, app, scope=" ".join(offered_scope())))
    assert "Lire : les mesures et analyses" in text(page)
    told: Any = app.redeem(sent(allow(browser, page, scope=["patient/Observation.rs"]))["code"])
    scope = told.json()["scope"].split()
    assert sorted(scope) == ["launch/patient", "openid", "patient/Observation.rs"]
    assert "refresh_token" not in told.json()


def offered_scope() -> list[str]:
    return ["openid", "launch/patient", "offline_access", "patient/Observation.rs", "profile"]


def test_only_what_was_approved_and_asked_is_offered(site: Site, provider: Provider) -> None:
    app = provider(asked="openid launch/patient patient/Observation.rs")
    browser = signed_in(site, "nora")
    asked = "openid launch/patient patient/*.cruds email patient/Condition.read"
    page = pick(browser, consent_page(browser, app, scope=asked))
    assert offered(page) == ["patient/Observation.rs"]


def test_scopes_of_version_1_are_translated(site: Site, provider: Provider) -> None:
    app = provider(asked="openid launch/patient patient/*.cruds")
    code = code_of(site, app, scope="openid launch/patient patient/Observation.read")
    told: Any = app.redeem(code).json()
    assert "patient/Observation.rs" in told["scope"].split()


def test_a_granular_scope_keeps_its_constraint(site: Site, provider: Provider) -> None:
    word = "patient/Observation.rs?category=vital-signs"
    app = provider(asked=f"openid launch/patient offline_access {word}")
    asked = "openid launch/patient offline_access patient/Observation.rs"
    told: Any = app.redeem(code_of(site, app, scope=asked)).json()
    assert word in told["scope"].split()
    grown = app.token(
        grant_type="refresh_token",
        refresh_token=told["refresh_token"],
        scope="patient/Observation.rs",
    )
    assert (grown.status_code, grown.json()["error"]) == (400, "invalid_scope")


def test_somebody_who_represents_others_chooses_the_record(site: Site, app: App) -> None:
    browser = signed_in(site, "lucie")
    page = consent_page(browser, app)
    assert NORA in people_of(page)
    page = pick(browser, page, NORA)
    told: Any = app.redeem(sent(allow(browser, page, scope=["patient/*.rs"]))["code"]).json()
    assert told["patient"] == NORA


def test_a_record_one_may_not_open_is_not_chosen(site: Site, app: App) -> None:
    browser = signed_in(site, "lucie")
    page = consent_page(browser, app)
    answer = browser.post(page.wsgi_request.get_full_path(), {"patient": PAUL})
    assert answer.status_code in (403, 404)


def test_what_was_granted_is_not_asked_again(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    code_of(site, app, browser=browser)
    page = consent_page(browser, app)
    page = pick(browser, page)
    assert "code" in sent(page)
    again = pick(browser, consent_page(browser, app, prompt="consent"))
    assert offered(again)


def test_a_refusal_goes_back_to_the_application(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = pick(browser, consent_page(browser, app))
    here = page.wsgi_request.get_full_path()
    told = sent(browser.post(here, {"answer": "refuse"}))
    assert (told["error"], told["state"]) == ("access_denied", "a-state-nobody-guesses")
    again = browser.get(here)
    assert again.status_code == 400


def test_a_code_is_used_once_and_a_second_use_ends_its_tokens(site: Site, app: App) -> None:
    code = code_of(site, app)
    told: Any = app.redeem(code).json()
    assert app.machine.get("/oauth/userinfo", headers=bearer(told)).status_code == 200
    again: Any = app.redeem(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert app.machine.get("/oauth/userinfo", headers=bearer(told)).status_code == 401
    refreshed = app.token(grant_type="refresh_token", refresh_token=told["refresh_token"])
    assert refreshed.status_code == 400


def bearer(told: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {told['access_token']}"}


def test_of_two_simultaneous_redemptions_at_most_one_has_tokens(site: Site, app: App) -> None:
    from django.db import connections

    code = code_of(site, app)

    def redeem(_: int) -> int:
        try:
            return int(app.redeem(code).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(redeem, range(2))) == [200, 400]


def test_a_code_serves_its_own_application_only(site: Site, app: App, provider: Provider) -> None:
    code = code_of(site, app)
    other = provider()
    assert other.redeem(code).status_code == 400
    assert app.redeem(code).status_code == 200


def test_a_code_is_redeemed_with_its_address_and_its_verifier(site: Site, app: App) -> None:
    for wrong in (
        {"redirect_uri": "https://app.example.org/other"},
        {"redirect_uri": ""},
        {"code_verifier": "another-verifier-of-more-than-forty-three-chars"},
        {"code_verifier": ""},
    ):
        code = code_of(site, app)
        assert app.redeem(code, **wrong).status_code == 400
        assert app.redeem(code).status_code == 400, "a code that was tried is burnt"


def test_a_code_grows_old_in_a_minute(site: Site, app: App) -> None:
    from hygie.domains.authorization.orm import Code

    code = code_of(site, app)
    last = Code.objects.latest("pk")
    Code.objects.filter(pk=last.pk).update(expires=last.expires - timedelta(seconds=61))
    assert app.redeem(code).status_code == 400


def test_a_closed_account_gets_no_token(site: Site, app: App) -> None:
    from django.contrib.auth import get_user_model

    code = code_of(site, app, login="paul")
    people = get_user_model().objects.filter(username="paul")
    people.update(is_active=False)
    try:
        assert app.redeem(code).status_code == 400
    finally:
        people.update(is_active=True)


def test_a_request_belongs_to_the_first_who_saw_it(site: Site, app: App) -> None:
    page = consent_page(signed_in(site, "nora"), app)
    here = page.wsgi_request.get_full_path()
    assert signed_in(site, "paul").get(here).status_code == 403


def test_after_a_sign_in_the_way_back_is_a_page(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = consent_page(browser, app, scope="openid")
    assert "code" in sent(allow(browser, page, scope=[]))
    stranger = site.client()
    asked = stranger.get("/oauth/authorize", app.parameters(scope="openid"))
    login = stranger.get(asked["Location"])
    assert login["Location"].startswith("/sign-in/?next=")
    done = stranger.post(login["Location"], {"login": "nora", "password": PASSWORD})
    page = stranger.get(done["Location"])
    assert 'http-equiv="refresh"' in text(page)
    assert BACK in text(page)
