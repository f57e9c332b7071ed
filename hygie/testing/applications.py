"""An application, a person and the whole code flow, for tests: as a browser and a client do it."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from html import unescape
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

FOUND = 302
BACK = "https://app.example.org/back"
VERIFIER = "a-verifier-of-more-than-forty-three-characters-0"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
SCOPE = "openid profile fhirUser launch/patient offline_access patient/*.rs"


@dataclass
class App:
    """A registered application and how it calls."""

    client_id: str
    secret: str
    site: Site
    key: ECKey | None = None
    machine: Any = field(init=False)

    def __post_init__(self) -> None:
        self.machine = self.site.client()

    def parameters(self, **changed: str) -> dict[str, str]:
        """Return a request for authorization; an empty value leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": SCOPE,
            "state": "a-state-nobody-guesses",
            "nonce": "a-nonce-nobody-guesses",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "aud": self.site.platform.settings.fhir_base,
        }
        return {name: value for name, value in (asked | changed).items() if value}

    def post(self, path: str, form: dict[str, str], **headers: str) -> Any:
        """Send a form to an endpoint, with the client's secret where it has one."""
        if self.secret and "authorization" not in headers:
            raw = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            headers["authorization"] = f"Basic {raw}"
        elif not self.secret and not self.key:
            form = {"client_id": self.client_id, **form}
        kind = "application/x-www-form-urlencoded"
        return self.machine.post(path, urlencode(form), content_type=kind, headers=headers)

    def token(self, **form: str) -> Any:
        """Ask the token endpoint."""
        return self.post("/oauth/token", form)

    def redeem(self, code: str, **changed: str) -> Any:
        """Exchange a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return self.token(**{name: value for name, value in (form | changed).items() if value})

    def assertion(self, **changed: Any) -> str:
        """Return a client assertion; ``header_`` parts change its header."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.site.platform.settings.base_url}/oauth/token",
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + 240,
        }
        header = {"alg": "ES384", "kid": "k1"} | changed.pop("header", {})
        key = changed.pop("key", self.key)
        claims = {k: v for k, v in (claims | changed).items() if v is not None}
        return jwt.encode(header, claims, key, [header["alg"]])


def register(site: Site, **chosen: Any) -> App:
    """Register and approve an application; ``approved`` is its scope."""
    registering = import_module("hygie.domains.authorization.service.registering")
    approved = import_module("hygie.domains.authorization.model.apps").State.APPROVED
    key = chosen.pop("key", None)
    acts_as = chosen.pop("acts_as", None)
    introspects = chosen.pop("introspects", False)
    form: dict[str, str] = {
        "name": f"Carnet {secrets.token_hex(3)}",
        "publisher": "Éditions de l’essai",
        "contact": "dev@example.org",
        "purpose_fr": "Tenir un carnet de mesures.",
        "purpose_en": "Keep a notebook of measurements.",
        "privacy_url": "https://app.example.org/privacy",
        "audience": "patient",
        "proof": "client_secret_basic",
        "redirect_uris": BACK,
        "post_logout_uris": "https://app.example.org/bye",
        "asked": SCOPE,
        **chosen,
    }
    if key is not None:
        public = {"keys": [key.as_dict(private=False) | {"kid": "k1"}]}
        form |= {"proof": "private_key_jwt", "jwks": msgspec.json.encode(public).decode()}
    made = registering.register(form, ciba=True)
    more = {"acts_as": acts_as, "introspects": introspects} if acts_as else {}
    registering.decide(made.app, approved, by=None, approved=made.app.asked, **more)
    return App(made.app.client_id, made.secret, site, key)


def signed_in(site: Site, login: str) -> Client:
    """Return a browser in which somebody signed in by password a moment ago."""
    from django.core.cache import cache  # noqa: PLC0415  after configure

    cache.clear()
    browser = site.client()
    answer = browser.post("/sign-in/", {"login": login, "password": PASSWORD})
    _check_moved(answer)
    return browser


def consent_page(browser: Client, app: App, **changed: str) -> Any:
    """Bring a request and follow it to the page that answers, or to the application."""
    return follow(browser, f"/oauth/authorize?{urlencode(app.parameters(**changed))}")


def follow(browser: Client, address: str) -> Any:
    """Go to an address of ours, and on to the page that answers, or to the application."""
    parts = urlsplit(address)
    answer = browser.get(f"{parts.path}?{parts.query}")
    while answer.status_code == FOUND and answer["Location"].startswith("/"):
        answer = browser.get(answer["Location"])
    return answer


def allow(browser: Client, page: Any, *, scope: list[str], valid: str = "month") -> Any:
    """Allow on the consent page."""
    here = page.wsgi_request.get_full_path()
    form = {"answer": "allow", "scope": scope, "valid": valid}
    answer: Any = browser.post(here, form)
    return answer


def sent(answer: Any) -> dict[str, str]:
    """Return what is taken to the application."""
    _check_moved(answer)
    if answer["Location"].startswith("/"):
        raise AssertionError(answer["Location"])
    return dict(parse_qsl(urlsplit(answer["Location"]).query))


def code_of(site: Site, app: App, *, login: str = "nora", browser: Any = None, **asked: str) -> str:
    """Return a code that a person granted for everything that was asked."""
    browser = browser or signed_in(site, login)
    page = consent_page(browser, app, **asked)
    if page.status_code == FOUND:
        return sent(page)["code"]
    page = pick(browser, page)
    if page.status_code == FOUND:
        return sent(page)["code"]
    return sent(allow(browser, page, scope=offered(page)))["code"]


def offered(page: Any) -> list[str]:
    """Return the words that the consent page lets untick."""
    return [unescape(one) for one in re.findall(r'name="scope" value="([^"]+)"', text(page))]


def people_of(page: Any) -> list[str]:
    """Return the ids of the records that the page lets choose."""
    return re.findall(r'name="patient" value="([^"]+)"', text(page))


def text(page: Any) -> str:
    """Return a page as text."""
    found: str = page.content.decode()
    return found


def pick(browser: Any, page: Any, patient: str = "") -> Any:
    """Choose a record, the first one unless another is said, where the page asks for one."""
    while people_of(page):
        here = page.wsgi_request.get_full_path()
        answer = browser.post(here, {"patient": patient or people_of(page)[0]})
        _check_moved(answer)
        page = answer
        while page.status_code == FOUND and page["Location"].startswith("/"):
            page = browser.get(page["Location"])
    return page


def _check_moved(answer: Any) -> None:
    if answer.status_code != FOUND:
        raise AssertionError(answer.content.decode())
