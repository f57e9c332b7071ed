"""Clients that prove themselves by a key, and services: every assertion that is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from hygie.testing.applications import App
from hygie.testing.portal import Site

Provider = Callable[..., App]
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SYSTEM = "system/Observation.rs system/Patient.rs"


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "k1"})


def account(login: str = "dr.petit") -> Any:
    from django.contrib.auth import get_user_model

    model: Any = get_user_model()
    return model.objects.get(username=login)


@pytest.fixture
def service(provider: Provider, key: ECKey) -> App:
    return provider(audience="service", key=key, asked=SYSTEM, redirect_uris="", acts_as=account())


def ask(app: App, assertion: str, scope: str = SYSTEM, **more: str) -> Any:
    return app.token(
        grant_type="client_credentials",
        scope=scope,
        client_assertion_type=TYPE,
        client_assertion=assertion,
        **more,
    )


def test_a_service_gets_a_short_token_for_what_was_approved(service: App) -> None:
    told = ask(service, service.assertion())
    assert told.status_code == 200, told.content
    assert told.json()["expires_in"] <= 300
    assert told.json()["scope"].split() == sorted(SYSTEM.split())
    assert "refresh_token" not in told.json()


def test_a_service_never_gets_more_than_was_approved(service: App) -> None:
    told = ask(service, service.assertion(), scope="system/*.cruds user/*.rs").json()
    assert told["scope"].split() == sorted(SYSTEM.split())
    refused = ask(service, service.assertion(), scope="system/Condition.rs")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_a_constrained_grant_never_covers_an_unconstrained_request(
    provider: Provider, key: ECKey
) -> None:
    word = "system/Observation.rs?category=laboratory"
    app = provider(audience="service", key=key, asked=word, redirect_uris="", acts_as=account())
    told = ask(app, app.assertion(), scope="system/Observation.cruds").json()
    assert told["scope"] == word


def test_an_rsa_key_signs_with_rs384(provider: Provider) -> None:
    key: Any = RSAKey.generate_key(2048, {"kid": "k1"})
    app = provider(audience="service", key=key, asked=SYSTEM, redirect_uris="", acts_as=account())
    assert ask(app, app.assertion(header={"alg": "RS384"})).status_code == 200
    assert ask(app, app.assertion(header={"alg": "RS256"})).status_code == 400


def now(offset: int) -> int:
    return int(time.time()) + offset


REFUSED: dict[str, dict[str, Any]] = {
    "in a day": {"exp": now(86_400)},
    "expired": {"exp": now(-120)},
    "no exp": {"exp": None},
    "text exp": {"exp": "soon"},
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "long jti": {"jti": "x" * 256},
    "other audience": {"aud": "https://elsewhere.example.org/oauth/token"},
    "two audiences": {"aud": ["https://elsewhere.example.org", "http://127.0.0.1"]},
    "no audience": {"aud": None},
    "other issuer": {"iss": "somebody"},
    "no issuer": {"iss": None},
    "future": {"nbf": now(3600)},
    "issued tomorrow": {"iat": now(86_400)},
    "unknown key": {"header": {"kid": "k2"}},
    "no key": {"header": {"kid": ""}},
    "another's key": {"key": ECKey.generate_key("P-384")},
    "unknown client": {"sub": "somebody", "iss": "somebody"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_assertion_that_breaks_a_rule_is_refused(name: str, service: App) -> None:
    answer = ask(service, service.assertion(**REFUSED[name]))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_an_assertion_is_used_once(service: App) -> None:
    assertion = service.assertion()
    assert ask(service, assertion).status_code == 200
    again = ask(service, assertion)
    assert again.json()["error"] == "invalid_client"
    assert "jti" in again.json()["error_description"]


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_the_public_key_is_no_shared_secret(service: App, key: ECKey) -> None:
    _, payload, _ = service.assertion().split(".")
    start = f"{base64url(json.dumps({'alg': 'HS256', 'kid': 'k1'}).encode())}.{payload}"
    for secret in (key.as_pem(private=False), str(key.as_dict(private=False)["x"]).encode()):
        mark = hmac.new(bytes(secret), start.encode(), hashlib.sha256).digest()
        answer = ask(service, f"{start}.{base64url(mark)}")
        assert answer.json()["error"] == "invalid_client"


def test_an_unsigned_assertion_is_refused(service: App) -> None:
    _, payload, _ = service.assertion().split(".")
    header = base64url(json.dumps({"alg": "none", "kid": "k1"}).encode())
    assert ask(service, f"{header}.{payload}.").json()["error"] == "invalid_client"
    assert ask(service, "nothing").json()["error"] == "invalid_client"


def test_a_service_without_an_account_gets_nothing(provider: Provider, key: ECKey) -> None:
    app = provider(audience="service", key=key, asked=SYSTEM, redirect_uris="")
    answer = ask(app, app.assertion())
    assert answer.json()["error"] == "unauthorized_client"


def test_an_application_of_people_gets_no_token_of_its_own(app: App) -> None:
    answer: Any = app.token(grant_type="client_credentials", scope="system/*.rs")
    assert answer.json()["error"] == "invalid_client"


def test_an_application_with_a_key_proves_itself_by_no_other_means(
    provider: Provider, key: ECKey
) -> None:
    app = provider(key=key)
    plain: Any = app.token(grant_type="authorization_code", code="x", client_id=app.client_id)
    assert plain.json()["error"] == "invalid_client"


def test_a_secret_is_sent_in_the_header_and_must_be_right(app: App) -> None:
    wrong: Any = app.post(
        "/oauth/token", {"grant_type": "refresh_token"}, authorization="Basic eDp5"
    )
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert "Basic" in wrong["WWW-Authenticate"]
    body: Any = app.post(
        "/oauth/token",
        {"grant_type": "refresh_token", "client_id": app.client_id, "client_secret": app.secret},
        authorization="",
    )
    assert body.json()["error"] == "invalid_client"


def test_parameters_in_the_address_are_refused(app: App) -> None:
    answer: Any = app.post("/oauth/token?grant_type=refresh_token", {})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert app.machine.get("/oauth/token").status_code == 405
    json: Any = app.machine.post("/oauth/token", "{}", content_type="application/json")
    assert json.json()["error"] == "invalid_request"


def test_an_unknown_grant_is_refused(app: App) -> None:
    for grant in ("password", "implicit", ""):
        answer: Any = app.token(grant_type=grant)
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_calls_are_bounded(app: App) -> None:
    from django.core.cache import cache

    cache.clear()
    for _ in range(121):
        answer: Any = app.post("/oauth/par", {})
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert answer["Retry-After"] == "60"
    cache.clear()


def test_keys_are_fetched_from_the_applications_server(site: Site, provider: Provider) -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    key = ECKey.generate_key("P-384", {"kid": "k1"})

    class Tells(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [key.as_dict(private=False)]}).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Tells)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app = provider(
        audience="service",
        proof="private_key_jwt",
        jwks_uri=f"http://127.0.0.1:{server.server_port}/keys",
        asked=SYSTEM,
        redirect_uris="",
        acts_as=account(),
    )
    app.key = key
    assert ask(app, app.assertion()).status_code == 200
    server.shutdown()
    server.server_close()
    assert ask(app, app.assertion()).status_code == 200, "keys are believed for a while"


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/k", "https://192.168.1.1/k", "file:///etc/passwd", "ftp://x.org/k"]
)
def test_an_address_inside_a_network_is_not_called(provider: Provider, address: str) -> None:
    from hygie.kernel.errors import InvalidRequest

    with pytest.raises(InvalidRequest):
        provider(audience="service", proof="private_key_jwt", jwks_uri=address, redirect_uris="")
