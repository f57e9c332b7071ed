"""The composed portal: who may enter, what every answer carries, what is never imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.security.secret import secret_key
from hygie.testing.portal import Site
from hygie.testing.stories import NORA

SERVE_ONE_PAGE = """
import asyncio, sys, tempfile
from pathlib import Path
from hygie.kernel.config import Settings
from hygie.kernel.platform import Platform, discover
from hygie.kernel.web import portal

async def main():
    platform = Platform(Settings(data=Path(tempfile.mkdtemp())))
    discover(platform, "hygie.domains")
    discover(platform, "hygie.portals")
    pages = portal.serve(platform, dsn="")
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": "/%s", "headers": [(b"host", b"localhost")]}
    await pages(scope, receive, send)
    pages.close()
    print(sent[0]["status"], "django.core.asgi" in sys.modules,
          "django.core.handlers.asgi" in sys.modules)

asyncio.run(main())
"""


def test_the_serving_process_never_imports_djangos_asgi_handler() -> None:
    code = SERVE_ONE_PAGE % "language/"
    done = subprocess.run(  # noqa: S603  our own interpreter and text
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["302", "False", "False"]


@pytest.mark.parametrize(
    ("login", "path", "status"),
    [
        ("", "/", 200),
        ("", "/patient/", 302),
        ("", f"/professional/record/{NORA}/", 302),
        ("nora", "/patient/", 200),
        ("nora", "/professional/patients/", 403),
        ("nora", f"/professional/record/{NORA}/", 403),
        ("dr.petit", "/patient/", 403),
        ("dr.petit", "/professional/", 302),
        ("operateur", "/professional/patients/", 403),
        ("operateur", "/home/", 302),
        ("operateur", "/establishment/", 200),
        ("operateur", "/establishment/reviews/", 403),
        ("relectrice", "/establishment/reviews/", 200),
        ("nora", "/establishment/", 403),
    ],
)
def test_each_portal_is_kept_to_its_people(site: Site, login: str, path: str, status: int) -> None:
    assert site.client(login).get(path).status_code == status


def test_a_page_of_a_portal_carries_the_strict_headers(site: Site) -> None:
    headers = site.client("nora").get("/patient/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_style_sheet_is_kept_forever_under_a_hashed_name(site: Site) -> None:
    page = site.client().get("/").content.decode()
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = site.client().get(address, headers={"accept-encoding": "br"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "br"
    answer.close()


def test_the_language_follows_the_browser_then_the_choice(site: Site) -> None:
    client = site.client(language="en")
    assert 'lang="en"' in client.get("/help/").content.decode()
    client.post("/language/", {"language": "fr", "next": "/help/"})
    assert 'lang="fr"' in client.get("/help/").content.decode()


def test_an_unknown_page_says_what_to_do(site: Site) -> None:
    answer = site.client().get("/élève/")
    assert answer.status_code == 404
    assert "Vérifiez l’adresse" in answer.content.decode()


def test_the_start_page_shows_accounts_in_demonstration_mode_only(site: Site) -> None:
    assert "Dr Hélène Petit" in site.client().get("/").content.decode()
    demo, site.platform.demo = site.platform.demo, None
    try:
        assert "Dr Hélène Petit" not in site.client().get("/").content.decode()
    finally:
        site.platform.demo = demo


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    first = secret_key(settings)
    assert len(first) == 64
    assert secret_key(settings) == first
    assert (tmp_path / "keys" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_form_without_its_token_is_refused_in_words(site: Site) -> None:
    client = site.client()
    client.handler.enforce_csrf_checks = True
    answer = client.post("/sign-in/", {"login": "nora"})
    assert answer.status_code == 403
    assert "revenez en arrière" in answer.content.decode()


def test_an_unexpected_fault_gives_a_page_that_asks_nothing_of_the_database(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = site.client("nora")
    client.raise_request_exception = False
    monkeypatch.setattr(site.platform, "repository", object())
    answer = client.get(f"/patient/record/{NORA}/")
    assert answer.status_code == 500
    assert "Service indisponible" in answer.content.decode()
    assert "Nora Martin" not in answer.content.decode()


def test_pages_say_that_hygie_starts_while_the_record_is_not_open(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.platform, "repository", None)
    assert site.client("nora").get(f"/patient/record/{NORA}/").status_code == 503
