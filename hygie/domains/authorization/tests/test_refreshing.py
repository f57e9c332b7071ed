"""Refresh tokens, sign-outs, revocations: what ends, ends at the next request."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from hygie.testing.applications import (
    App,
    allow,
    code_of,
    consent_page,
    pick,
    sent,
    signed_in,
)
from hygie.testing.portal import Site

Provider = Callable[..., App]
Json = dict[str, Any]


@pytest.fixture
def told(site: Site, app: App) -> Json:
    answer: Any = app.redeem(code_of(site, app))
    found: Json = answer.json()
    return found


def refresh(app: App, token: str, **more: str) -> Any:
    return app.token(grant_type="refresh_token", refresh_token=token, **more)


def opens(app: App, told: Json) -> bool:
    headers = {"authorization": f"Bearer {told['access_token']}"}
    return bool(app.machine.get("/oauth/userinfo", headers=headers).status_code == 200)


def test_each_refresh_token_gives_the_next(app: App, told: Json) -> None:
    first = refresh(app, told["refresh_token"])
    assert first.status_code == 200, first.content
    assert first.json()["refresh_token"] != told["refresh_token"]
    assert first.json()["patient"] == told["patient"]
    assert refresh(app, first.json()["refresh_token"]).status_code == 200


def test_a_reuse_ends_the_whole_family(app: App, told: Json) -> None:
    following = refresh(app, told["refresh_token"]).json()
    assert opens(app, following)
    again = refresh(app, told["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not opens(app, following)
    assert not opens(app, told)
    assert refresh(app, following["refresh_token"]).status_code == 400


def test_a_refresh_token_serves_its_own_application(
    app: App, told: Json, provider: Provider
) -> None:
    other = provider()
    assert refresh(other, told["refresh_token"]).status_code == 400
    assert refresh(app, told["refresh_token"]).status_code == 200


@pytest.mark.parametrize("scope", ["user/*.rs", "patient/*.cruds", "patient/*.rs launch", "email"])
def test_a_scope_never_grows_at_refresh(app: App, told: Json, scope: str) -> None:
    answer = refresh(app, told["refresh_token"], scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_scope_may_shrink_at_refresh_and_come_back(app: App, told: Json) -> None:
    less = refresh(app, told["refresh_token"], scope="patient/Observation.r").json()
    assert less["scope"] == "patient/Observation.r"
    assert "id_token" not in less
    whole = refresh(app, less["refresh_token"]).json()
    assert whole["scope"] == told["scope"]


def test_a_revoked_refresh_token_ends_all(app: App, told: Json) -> None:
    assert app.post("/oauth/revoke", {"token": told["refresh_token"]}).status_code == 200
    assert not opens(app, told)
    assert refresh(app, told["refresh_token"]).status_code == 400


def test_a_revoked_access_token_ends_alone(app: App, told: Json) -> None:
    assert app.post("/oauth/revoke", {"token": told["access_token"]}).status_code == 200
    assert not opens(app, told)
    assert refresh(app, told["refresh_token"]).status_code == 200


def test_nobody_revokes_the_token_of_another(app: App, told: Json, provider: Provider) -> None:
    for token in (told["refresh_token"], told["access_token"], "invented"):
        provider().post("/oauth/revoke", {"token": token})
    assert opens(app, told)


def test_an_id_token_opens_nothing(app: App, told: Json) -> None:
    assert not opens(app, {"access_token": told["id_token"]})
    assert not opens(app, {"access_token": told["refresh_token"]})
    headers = {"authorization": f"Bearer {told['id_token']}"}
    answer = app.machine.get("/oauth/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_userinfo_wants_the_scope_openid(site: Site, app: App) -> None:
    told: Any = app.redeem(code_of(site, app, scope="launch/patient patient/*.rs", nonce="")).json()
    headers = {"authorization": f"Bearer {told['access_token']}"}
    answer = app.machine.get("/oauth/userinfo", headers=headers)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer["WWW-Authenticate"]


def test_an_online_access_ends_with_the_session(site: Site, provider: Provider) -> None:
    app = provider(asked="openid online_access launch/patient patient/*.rs")
    browser = signed_in(site, "nora")
    code = code_of(site, app, browser=browser, scope="openid online_access patient/*.rs")
    told: Any = app.redeem(code).json()
    following = refresh(app, told["refresh_token"])
    assert following.status_code == 200
    browser.post("/sign-out/")
    assert refresh(app, following.json()["refresh_token"]).status_code == 400
    assert not opens(app, following.json())


def test_the_end_of_a_pairing_ends_its_tokens(site: Site, app: App, told: Json) -> None:
    browser = signed_in(site, "nora")
    page = browser.get("/patient/apps/").content.decode()
    import re

    from hygie.domains.authorization.orm import App as Row

    name = Row.objects.get(client_id=app.client_id).name
    assert name in page
    for address in re.findall(r'action="(/patient/apps/\d+/end/)"', page):
        assert browser.post(address).status_code == 302
    assert not opens(app, told)
    assert refresh(app, told["refresh_token"]).status_code == 400


def test_an_application_that_is_withdrawn_opens_nothing(app: App, told: Json) -> None:
    from hygie.domains.authorization.model.apps import State
    from hygie.domains.authorization.orm import App as Row
    from hygie.domains.authorization.service.registering import decide

    row = Row.objects.get(client_id=app.client_id)
    decide(row, State.ENDED, by=None, reason="Elle ne répond plus.")
    assert not opens(app, told)


def test_a_sign_out_is_told_to_the_application(site: Site, provider: Provider) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from urllib.parse import parse_qs

    from hygie.domains.authorization.service.leaving import tell_applications
    from hygie.domains.authorization.tests.test_code import claims_of

    heard: list[str] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append(parse_qs(body)["logout_token"][0])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hears)
    threading.Thread(target=server.handle_request, daemon=True).start()
    app = provider(logout_uri=f"http://127.0.0.1:{server.server_port}/out")
    browser = signed_in(site, "nora")
    told: Any = app.redeem(code_of(site, app, browser=browser)).json()
    browser.post("/sign-out/")
    assert tell_applications() >= 1
    server.server_close()
    claims = claims_of(heard[0])
    assert claims["sid"] == claims_of(told["id_token"])["sid"]
    assert claims["aud"] == app.client_id
    assert "nonce" not in claims
    assert "http://schemas.openid.net/event/backchannel-logout" in claims["events"]


def test_an_application_signs_its_user_out(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    told: Any = app.redeem(code_of(site, app, browser=browser)).json()
    back = "https://app.example.org/bye"
    asked = {"id_token_hint": told["id_token"], "post_logout_redirect_uri": back, "state": "s"}
    answer = browser.get("/oauth/logout", asked)
    assert answer["Location"] == f"{back}?state=s"
    assert browser.get("/patient/apps/").status_code == 302


@pytest.mark.parametrize("back", ["https://evil.example.net/", "https://app.example.org/bye/"])
def test_a_sign_out_goes_to_registered_addresses_only(site: Site, app: App, back: str) -> None:
    browser = signed_in(site, "nora")
    asked = {"client_id": app.client_id, "post_logout_redirect_uri": back}
    assert browser.get("/oauth/logout", asked).status_code == 400
    assert browser.get("/patient/apps/").status_code == 200


def test_nobody_is_signed_out_without_being_asked(site: Site, app: App) -> None:
    browser = signed_in(site, "nora")
    page = browser.get("/oauth/logout", {"client_id": app.client_id})
    assert page.status_code == 200
    assert browser.get("/patient/apps/").status_code == 200
    assert browser.post("/oauth/logout/leave").status_code == 302
    assert browser.get("/patient/apps/").status_code == 302


def test_a_choice_is_for_as_long_as_it_says(site: Site, app: App) -> None:
    from django.utils import timezone

    from hygie.domains.authorization.orm import Pairing

    browser = signed_in(site, "nora")
    page = pick(browser, consent_page(browser, app))
    told = sent(allow(browser, page, scope=["patient/*.rs", "offline_access"], valid="day"))
    assert "code" in told
    held = Pairing.objects.latest("pk")
    assert 0.99 < (held.until - timezone.now()).total_seconds() / 86400 <= 1


def test_keys_are_published_before_they_sign_and_after(site: Site, app: App, told: Json) -> None:
    from datetime import timedelta

    from django.utils import timezone
    from joserfc import jws

    from hygie.domains.authorization.orm import SigningKey
    from hygie.domains.authorization.service.signing import rotate

    kids = {one["kid"] for one in app.machine.get("/oauth/jwks").json()["keys"]}
    signing = jws.extract_compact(told["id_token"].encode()).headers()["kid"]
    assert signing in kids
    soon = timezone.now() + timedelta(days=59)
    assert rotate(soon) == 2
    assert rotate(soon) == 0
    published = app.machine.get("/oauth/jwks").json()["keys"]
    assert len(published) == len(kids) + 2
    assert not any("d" in one for one in published)
    following: Any = refresh(app, told["refresh_token"]).json()
    assert jws.extract_compact(following["id_token"].encode()).headers()["kid"] == signing
    newest = SigningKey.objects.order_by("-starts").first()
    assert newest is not None
    assert newest.starts > timezone.now()
    SigningKey.objects.filter(starts__gt=timezone.now()).delete()
    assert uuid.UUID(signing)
