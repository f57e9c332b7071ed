"""Lists fetched from an address: kept when they hold, and never instead of a better one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hygie.domains.cards.jobs import fetch_lists
from hygie.domains.cards.model.installation import Vitale, read_installation
from hygie.domains.cards.service.lists import fetch
from hygie.domains.cards.service.trust import lists_of
from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError
from hygie.kernel.platform import Platform
from hygie.testing.card_authority import DAY, CardAuthority

NOW = datetime.now(UTC).replace(microsecond=0)


class Shelf:
    """An address that gives lists; ``content`` is what it gives, ``status`` how it answers."""

    def __init__(self) -> None:
        self.content, self.status = b"", 200
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(shelf.status)
                self.send_header("Content-Length", str(len(shelf.content)))
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(shelf.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Write no line per request."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/issuer.crl"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    made = Shelf()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture(scope="module")
def authority() -> CardAuthority:
    return CardAuthority(now=NOW)


@pytest.fixture
def place(authority: CardAuthority, shelf: Shelf, tmp_path: Path) -> Vitale:
    (tmp_path / "authorities.pem").write_bytes(authority.authorities())
    (tmp_path / "crl").mkdir()
    shelf.content = authority.lists()[1]
    return Vitale(
        authorities=tmp_path / "authorities.pem",
        revocation=(tmp_path / "crl",),
        policies=(),
        revocation_urls=(shelf.address,),
    )


def test_a_list_is_kept_once(place: Vitale) -> None:
    assert fetch(place, at=NOW) == 1
    assert fetch(place, at=NOW) == 0
    assert len(lists_of(place.revocation)) == 1


def test_a_newer_list_replaces_an_older_one(
    place: Vitale, shelf: Shelf, authority: CardAuthority
) -> None:
    shelf.content = authority.lists(at=NOW - DAY)[1]
    fetch(place, at=NOW)
    shelf.content = authority.lists()[1]
    assert fetch(place, at=NOW) == 1
    assert lists_of(place.revocation)[0].last_update_utc == NOW


def test_nothing_worse_replaces_it(place: Vitale, shelf: Shelf, authority: CardAuthority) -> None:
    fetch(place, at=NOW)
    (held,) = place.revocation[0].iterdir()
    before = held.read_bytes()
    worse = {
        "older": authority.lists(at=NOW - DAY)[1],
        "of the future": authority.lists(at=NOW + DAY)[1],
        "of another": CardAuthority(now=NOW).lists()[1],
        "forged": authority.lists(signed_by=CardAuthority().issuer)[1],
        "half": before[: len(before) // 2],
        "empty": b"",
    }
    for name, content in worse.items():
        shelf.content = content
        assert fetch(place, at=NOW) == 0, name
        assert held.read_bytes() == before, name


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_error_changes_nothing(place: Vitale, shelf: Shelf, status: int) -> None:
    shelf.status = status
    assert fetch(place, at=NOW) == 0
    assert lists_of(place.revocation) == ()


def test_an_address_that_is_away_stops_nobody(place: Vitale, shelf: Shelf) -> None:
    away = replace(place, revocation_urls=("http://127.0.0.1:9/x.crl", shelf.address))
    assert fetch(away, at=NOW) == 1


async def test_the_job_fetches_what_the_file_names(place: Vitale, shelf: Shelf) -> None:
    folder = place.authorities.parent
    (folder / "cards.toml").write_text(
        'realm = "test"\n[vitale]\nauthorities = "authorities.pem"\nrevocation = ["crl"]\n'
        f'policies = []\nrevocation_urls = ["{shelf.address}"]\n'
    )
    await fetch_lists(Platform(Settings(data=folder, cards=folder / "cards.toml", realm="test")))
    assert len(lists_of(place.revocation)) == 1


@pytest.mark.parametrize(
    ("revocation", "address", "words"),
    [
        ('["a.crl"]', "http://x/", "folder"),
        ("[]", "http://x/", "folder"),
        ('["a"]', "ftp://x/", "http"),
    ],
)
def test_addresses_need_a_folder(tmp_path: Path, revocation: str, address: str, words: str) -> None:
    text = (
        f'realm = "test"\n[vitale]\nauthorities = "a"\nrevocation = {revocation}\npolicies = []\n'
        f'revocation_urls = ["{address}"]\n'
    )
    with pytest.raises(ConfigurationError, match=words):
        read_installation(text, realm="test", folder=tmp_path)
