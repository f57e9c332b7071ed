"""The pages of helping, on the real repository and the real templates."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from hygie.testing.portal import PASSWORD, Site
from hygie.testing.stories import LUCIE, NORA, PAUL

if TYPE_CHECKING:
    from django.test import Client

MINE = "/patient/helping"
DAUGHTER = {"given": "Lucie", "family": "Martin", "birth": "1988-02-29"}


def _confirmed(site: Site, login: str, language: str = "fr") -> Client:
    """Return a client that gave its password a moment ago."""
    client = site.client(login, language)
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def _text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return str(answer.content.decode())


def _invited(site: Site, scope: str = "helper", days: int = 30) -> str:
    """Let Paul invite Lucie; return the code."""
    until = (timezone.localdate() + timedelta(days=days)).isoformat()
    answer = _confirmed(site, "paul").post(
        f"{MINE}/{PAUL}/invite/", {**DAUGHTER, "scope": scope, "until": until}
    )
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'id="code">([A-Z0-9-]{14})<', answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def _accepted(site: Site, scope: str = "helper") -> Client:
    """Let Lucie accept an invitation of Paul."""
    lucie = site.client("lucie")
    shown = lucie.post(f"{MINE}/accept/", {**DAUGHTER, "code": _invited(site, scope)})
    kept = re.search(r'name="kept" value="([^"]+)"', shown.content.decode())
    assert kept, shown.content.decode()
    answer = lucie.post(f"{MINE}/accept/", {"kept": kept[1], "answer": "accept"})
    assert answer.url.endswith("done=accepted"), answer.url
    return lucie


@pytest.fixture
def lucie_of_paul(site: Site) -> Client:
    """Give Lucie, who helps Paul, and let her leave afterwards."""
    client = _accepted(site)
    return client


def test_an_invitation_opens_nothing_before_it_is_accepted(site: Site) -> None:
    _invited(site)
    assert site.client("lucie").get(f"/patient/record/{PAUL}/").status_code == 404


def test_whoever_accepts_acts_under_a_banner_and_sees_nothing_of_their_own(site: Site) -> None:
    lucie = _accepted(site)
    answer = lucie.get(f"/patient/record/{PAUL}/")
    assert answer.status_code == 302
    assert answer.url.startswith(f"{MINE}/{PAUL}/act/?next=")
    assert lucie.post(f"{MINE}/{PAUL}/act/").status_code == 302
    for path in (f"/patient/record/{PAUL}/", "/patient/", "/help/"):
        assert "Vous agissez pour Paul DURAND" in _text(lucie, path), path
    for path in (f"/patient/record/{LUCIE}/", f"/patient/record/{NORA}/", "/patient/helping/"):
        assert "Cette page n’est pas de son dossier" in _text(lucie, path, 403), path
    assert lucie.post(f"{MINE}/stop/").status_code == 302
    assert "Vous agissez pour" not in _text(lucie, "/patient/")
