"""Attacks on the pages: ids of others on every route, forged forms, misleading addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest
from django.core import signing

from hygie.testing import stories
from hygie.testing.portal import PASSWORD, Site

if TYPE_CHECKING:
    from django.test import Client

NUMBER, UUID = "424242", "00000000-0000-4000-8000-000000000001"
HIDDEN, ABSENT = "secret-visit", "secret-visiu"
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_TOKEN = re.compile(r'(name="(?:csrfmiddlewaretoken|token)" value=")[^"]*')


def routes() -> Iterator[str]:
    """Yield the address of every page, with its parts in brackets."""
    from django.urls import URLPattern, URLResolver, get_resolver

    def walk(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for one in patterns:
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, prefix + str(one.pattern))
            else:
                yield prefix + str(one.pattern)

    yield from sorted(set(walk(get_resolver().url_patterns, "/")))


def address(route: str, patient: str, item: str) -> str:
    """Return a route with a patient and one item of theirs in each other place."""
    known = {"patient": patient, "rt": "Encounter", "name": "end-access", "purpose": "block"}

    def fill(part: re.Match[str]) -> str:
        kind, name = part.groups()
        return {"int": NUMBER, "uuid": UUID}.get(kind or "", known.get(name, item))

    return _PART.sub(fill, route)


def signed_in(site: Site, login: str) -> Client:
    """Return a client that has just given its password, as the most sensitive pages want."""
    client = site.client()
    answer = client.post("/sign-in/", {"login": login, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def seen(client: Client, method: str, place: str, *hidden: str) -> tuple[int, str]:
    """Return status and page, without what is random or was asked."""
    answer = getattr(client, method)(place, {"wish": "x", "choice": "none"})
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = _TOKEN.sub(r"\1", content.decode())
    for one in hidden:
        text = text.replace(one, "…")
    return answer.status_code, text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_secret_visit_is_on_no_page_of_a_parent(site: Site, method: str) -> None:
    mother, different = signed_in(site, "lucie"), []
    mother.post(f"/patient/helping/{stories.TOM}/act/")
    for route in routes():
        if "<" in route and route.startswith("/patient/"):
            first, second = (
                seen(mother, method, address(route, stories.TOM, one), HIDDEN, ABSENT)
                for one in (HIDDEN, ABSENT)
            )
            if first != second:
                different.append((route, first[0], second[0]))
    assert different == []


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("login", "portal"), [("paul", "/patient/"), ("dr.lang", "/professional/")]
)
def test_the_record_of_another_answers_like_none(
    site: Site, login: str, portal: str, method: str
) -> None:
    stranger, opened = signed_in(site, login), []
    for route in routes():
        if "<patient>" in route.replace("str:", "") and route.startswith(portal):
            known, unknown = (
                seen(stranger, method, address(route, one, "diabetes"), stories.NORA, "nobody-here")
                for one in (stories.NORA, "nobody-here")
            )
            if known != unknown:
                opened.append((route, known[0], unknown[0]))
    assert opened == []


@pytest.mark.parametrize(
    ("login", "portal"),
    [("", "/patient/"), ("dr.petit", "/patient/"), ("nora", "/professional/"),
     ("operateur", "/patient/"), ("nora", "/establishment/"), ("dr.petit", "/establishment/")],
)  # fmt: skip
def test_no_page_of_a_portal_opens_to_another(site: Site, login: str, portal: str) -> None:
    client = site.client(login)
    for route in routes():
        if route.startswith(portal):
            answer = client.get(address(route, stories.NORA, "diabetes"))
            assert answer.status_code == (403 if login else 302), route


FROM_ELSEWHERE = {
    "/oauth/authorize": "a request of an application; the person decides on the next page",
    "/oauth/logout": "a request of an application; without proof of its session it asks first",
    "/oauth/token": "reads no cookie: the application proves who it is",
    "/oauth/revoke": "reads no cookie: the application proves who it is",
    "/oauth/par": "reads no cookie: the application proves who it is",
    "/oauth/bc-authorize": "reads no cookie: the application proves who it is",
    "/oauth/jwks": "is only read",
    "/oauth/style.json": "is only read",
    "/oauth/userinfo": "reads no cookie: the token proves who asks",
}
"""What OpenID Connect Core (3.1.2.1, 5.3.1) and its companions post from other places."""


def test_no_form_is_taken_without_its_token(site: Site) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.cookies = site.client("nora").cookies
    assert client.get("/patient/").status_code == 200
    for route in routes():
        answer = client.post(address(route, stories.NORA, "diabetes"))
        refused = {200, 400, 401, 405} if route in FROM_ELSEWHERE else {403}
        assert answer.status_code in refused, route
    assert client.get("/patient/").status_code == 200  # and nobody was signed out


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("place", ["/sign-in/", "/sign-out/", "/account/confirm/", "/language/"])
@pytest.mark.parametrize(
    "away",
    ["https://evil.example", "//evil.example", "/\\evil.example", "https:evil.example",
     "javascript:alert(1)", "http:///evil.example", "\thttps://evil.example"],
)  # fmt: skip
def test_no_address_leads_away(site: Site, method: str, place: str, away: str) -> None:
    client = site.client("nora")
    form = {"next": away, "language": "en", "login": "nora", "password": PASSWORD}
    answer = getattr(client, method)(place, form)
    assert "evil" not in answer.headers.get("location", "")
    assert "javascript:" not in answer.headers.get("location", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-http-method-override": "POST"},
        {"x-method-override": "DELETE"},
        {"x-forwarded-host": "evil.example"},
        {"x-original-url": "/patient/record/paul-durand/"},
        {"x-rewrite-url": "/patient/record/paul-durand/"},
        {"x-forwarded-user": "dr.petit"},
        {"authorization": "Bearer x"},
    ],
)
def test_no_header_changes_what_is_asked(site: Site, headers: dict[str, str]) -> None:
    place = f"/patient/consent/{stories.NORA}/choices/"
    plain, tricked = (site.client("nora").get(place, headers=one) for one in ({}, headers))
    assert plain.status_code == tricked.status_code == 200
    assert "evil.example" not in tricked.content.decode()
    assert "Durand" not in tricked.content.decode()


def test_no_cache_keeps_a_page_of_a_portal(site: Site) -> None:
    client = site.client("nora")
    for route in routes():
        if route.startswith("/patient/"):
            answer = client.get(address(route, stories.NORA, "cardiology"))
            assert "no-store" in answer.headers["cache-control"], route


def test_signing_in_changes_the_session(site: Site) -> None:
    client = site.client("paul")
    before = client.cookies["sessionid"].value
    client.post("/sign-out/")
    client.cookies["sessionid"] = before
    client.post("/sign-in/", {"login": "nora", "password": PASSWORD})
    assert client.cookies["sessionid"].value != before
    assert stories.NORA in client.get("/patient/record/", follow=True).request["PATH_INFO"]


def test_what_must_be_confirmed_is_not_done_without_the_password(site: Site) -> None:
    client = site.client("ada")  # signed in, and no password given in this session
    choices = f"/patient/consent/{stories.ADA}/choices"
    for name in ("close", "oppose", "emergency-refuse", "team-withdraw", "end-helper/x"):
        answer = client.post(f"{choices}/{name}/")
        assert answer.headers["location"].startswith("/account/confirm/"), name
    assert client.post(f"/patient/rights/{stories.ADA}/erase/", {"sure": "1"}).status_code == 302


def test_nobody_declares_by_the_identification_of_another(site: Site) -> None:
    form = {"code": "unconscious", "reason": "Inconscient, seul", "place": "Urgences"}
    form["kind"] = "break-glass"
    kept = {"patient": stories.ADA, "name": "Ada LEROY", "birth": "1990-04-12", "sex": "female"}
    token = signing.dumps(kept, salt=f"consent.emergency.Practitioner/{stories.ZOE}")
    answer = site.client("dr.roche").post(
        "/professional/emergency/declare/", {**form, "token": token}
    )
    assert answer.status_code == 403
    assert site.client("dr.roche").get(f"/professional/record/{stories.ADA}/").status_code == 404
