"""From a card at the listener to a session on the pages, and every way in which none opens."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from hygie.domains.cards.tests.people import (
    INES,
    LOGIN,
    asked,
    client_context,
    present,
    professional,
    state_of,
)
from hygie.kernel.web.environ import CERTIFICATE_KEY, environ_of
from hygie.testing.card_authority import DAY, STRUCTURE_POLICY, Card, CardAuthority
from hygie.testing.cards import CardPlace
from hygie.testing.portal import Site
from hygie.testing.simulators.serving import Outside


@pytest.fixture
def listener(site: Site, card_listener: CardPlace) -> Iterator[CardPlace]:
    card_listener.forget()
    professional(site)
    yield card_listener
    card_listener.forget()


def begun(client: Client, back: str = "") -> str:
    page = client.get("/cards/", {"next": back} if back else {})
    assert page.status_code == 200
    return state_of(page.content.decode())


def ticket_of(cards: CardPlace, card: Card | None, state: str) -> str:
    status, location = present(cards, card, f"/card/?state={state}")
    assert status == 303
    assert "/cards/back/" in location, location
    return asked(location, "ticket")


def why_of(cards: CardPlace, card: Card, state: str) -> str:
    status, location = present(cards, card, f"/card/?state={state}")
    assert status == 303
    assert "/cards/refused/" in location, location
    return asked(location, "why")


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_card_opens_the_session_of_its_holder(site: Site, listener: CardPlace) -> None:
    client = site.client()
    ticket = ticket_of(listener, listener.authority.issue(INES), begun(client))
    assert client.get("/cards/back/", {"ticket": ticket}).status_code == 302
    assert client.session["hygie_proofs"]["list"][-1]["method"] == "card"
    page = client.get("/professional/patients/")
    assert "Ines Carte" in page.content.decode()


def test_the_page_that_was_wanted_comes_after(site: Site, listener: CardPlace) -> None:
    client = site.client()
    state = begun(client, "/professional/patients/?q=x")
    ticket = ticket_of(listener, listener.authority.issue(INES), state)
    there = client.get("/cards/back/", {"ticket": ticket})["location"]
    assert there == "/professional/patients/?q=x"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:1"])
def test_nobody_is_sent_elsewhere_after(site: Site, listener: CardPlace, address: str) -> None:
    client = site.client()
    ticket = ticket_of(listener, listener.authority.issue(INES), begun(client, address))
    assert client.get("/cards/back/", {"ticket": ticket})["location"].startswith("/home")


def test_a_ticket_is_worth_nothing_the_second_time(site: Site, listener: CardPlace) -> None:
    client = site.client()
    ticket = ticket_of(listener, listener.authority.issue(INES), begun(client))
    client.get("/cards/back/", {"ticket": ticket})
    client.post("/sign-out/")
    assert client.get("/cards/back/", {"ticket": ticket}).status_code == 403


def test_a_ticket_is_worth_nothing_in_another_browser(site: Site, listener: CardPlace) -> None:
    client, thief = site.client(), site.client()
    begun(thief)
    ticket = ticket_of(listener, listener.authority.issue(INES), begun(client))
    assert thief.get("/cards/back/", {"ticket": ticket}).status_code == 403
    assert not is_signed_in(thief)


def test_a_ticket_is_worth_nothing_after_half_a_minute(site: Site, listener: CardPlace) -> None:
    client = site.client()
    state = begun(client)
    listener.now = datetime.now(UTC) - timedelta(seconds=31)
    ticket = ticket_of(listener, listener.authority.issue(INES), state)
    assert client.get("/cards/back/", {"ticket": ticket}).status_code == 403


def test_only_digests_are_kept(site: Site, listener: CardPlace) -> None:
    from hygie.domains.cards.orm import Attempt

    client = site.client()
    state = begun(client)
    ticket = ticket_of(listener, listener.authority.issue(INES), state)
    kept = Attempt.objects.latest("pk")
    row = f"{bytes(kept.state)!r} {bytes(kept.ticket or b'')!r} {kept.proven}"
    assert state not in row
    assert ticket not in row
    assert "CARTE" not in row


def test_one_sign_in_takes_one_card(site: Site, listener: CardPlace) -> None:
    state = begun(site.client())
    card = listener.authority.issue(INES)
    ticket_of(listener, card, state)
    assert why_of(listener, card, state) == "over"


def test_a_card_without_a_sign_in_gets_no_ticket(listener: CardPlace) -> None:
    assert why_of(listener, listener.authority.issue(INES), "nothing") == "over"


@pytest.mark.parametrize(
    "card",
    [
        lambda one: one.issue(INES, valid=(-3 * DAY, -DAY)),
        lambda one: one.issue(INES, signs=True),
        lambda _: CardAuthority().issue(INES),
        lambda _: None,
    ],
    ids=["expired", "signature certificate", "other authority", "no certificate"],
)
def test_the_handshake_itself_refuses(listener: CardPlace, card: Any) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        present(listener, card(listener.authority), "/card/?state=x")


def test_a_revoked_card_is_refused_at_the_next_sign_in(site: Site, listener: CardPlace) -> None:
    card = listener.authority.issue(INES)
    ticket_of(listener, card, begun(site.client()))
    listener.authority.revoke(card)
    listener.authority.write_lists(listener.folder)
    assert why_of(listener, card, begun(site.client())) == "revoked"


def test_a_list_that_is_too_old_closes_the_door(site: Site, listener: CardPlace) -> None:
    old = datetime.now(UTC).replace(microsecond=0) - 9 * DAY
    listener.authority.write_lists(listener.folder, at=old, lasts=7 * DAY)
    assert why_of(listener, listener.authority.issue(INES), begun(site.client())) == "stale-list"


def test_the_certificate_of_a_structure_is_refused(site: Site, listener: CardPlace) -> None:
    card = listener.authority.issue(INES, policy=STRUCTURE_POLICY)
    assert why_of(listener, card, begun(site.client())) == "not-a-person"


def after(site: Site, listener: CardPlace, card: Card) -> str:
    client = site.client()
    ticket = ticket_of(listener, card, begun(client))
    page = client.get("/cards/back/", {"ticket": ticket})
    assert page.status_code == 403
    assert not is_signed_in(client)
    return page.content.decode()


def test_a_number_nobody_has_opens_nothing(site: Site, listener: CardPlace) -> None:
    stranger = replace(INES, number="810000009999", rpps="10000009999")
    assert "annuaire" in after(site, listener, listener.authority.issue(stranger))


def test_who_practises_no_more_is_refused(site: Site, listener: CardPlace) -> None:
    professional(site, running=False)
    assert "aucun exercice" in after(site, listener, listener.authority.issue(INES))


def test_a_card_of_another_profession_is_refused(site: Site, listener: CardPlace) -> None:
    card = listener.authority.issue(replace(INES, profession="10"))
    assert "la même profession" in after(site, listener, card)


def test_a_closed_account_stays_closed(site: Site, listener: CardPlace) -> None:
    account = professional(site)
    account.is_active = False
    account.save()
    assert "Votre compte est fermé" in after(site, listener, listener.authority.issue(INES))


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/"), ("GET", "/fhir/metadata"), ("POST", "/card/"), ("GET", "/card/../home/")],
)
def test_the_listener_has_nothing_else(listener: CardPlace, method: str, target: str) -> None:
    card = listener.authority.issue(INES)
    assert present(listener, card, target, method=method) == (404, "")


def test_the_listener_survives_noise(listener: CardPlace) -> None:
    card = listener.authority.issue(INES)
    for noise in (
        b"\x00\xff\r\n\r\n",
        b"GET",
        b"A" * 20_000,
        b"GET /card/?state=\xff HTTP/1.1\r\n\r\n",
    ):
        context = client_context(listener, card)
        with (
            socket.create_connection(("127.0.0.1", listener.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as line,
        ):
            line.sendall(noise)
    assert present(listener, card, "/")[0] == 404


def test_nothing_is_resumed(listener: CardPlace) -> None:
    """A second connection proves the card again, in TLS 1.2 as well."""
    card = listener.authority.issue(INES)
    context = client_context(listener, card)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    for _ in range(2):
        with (
            socket.create_connection(("127.0.0.1", listener.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=session) as line,
        ):
            line.sendall(b"GET /card/?state=x HTTP/1.1\r\n\r\n")
            assert b"303" in line.recv(4096)
            resumed, session = line.session_reused, line.session
    assert not resumed


@pytest.mark.parametrize("why", ["revoked", "over", "<script>", ""])
def test_every_refusal_has_a_page(site: Site, why: str) -> None:
    page = site.client().get("/cards/refused/", {"why": why})
    assert page.status_code == 403
    assert "<script>" not in page.content.decode().replace("<script src", "")


class TestBehindAProxy:
    """The proxy asks for the card and passes the certificate on; nobody else may."""

    @pytest.fixture(autouse=True)
    def behind(self, site: Site, listener: CardPlace, outside: Outside) -> Iterator[None]:
        before = site.platform.settings
        file = listener.folder / "proxied.toml"
        told = listener.described(outside, address="https://cards.example.org", header=True)
        file.write_text("\n".join(one for one in told.split("\n") if "listen =" not in one))
        site.platform.settings = replace(before, cards=file, trusted_proxies=("10.0.0.9",))
        yield
        site.platform.settings = before

    def test_its_header_hands_a_ticket_over(self, site: Site, listener: CardPlace) -> None:
        client, proxied = site.client(), site.client()
        passed: dict[str, Any] = {
            CERTIFICATE_KEY: quote(listener.authority.issue(INES).pem().decode())
        }
        answer = proxied.get("/cards/proxy/", {"state": begun(client)}, **passed)
        ticket = asked(answer["location"], "ticket")
        assert client.get("/cards/back/", {"ticket": ticket}).status_code == 302
        assert is_signed_in(client)
        assert not is_signed_in(proxied)

    def test_the_chain_is_checked_again_here(self, site: Site) -> None:
        client = site.client()
        passed: dict[str, Any] = {
            CERTIFICATE_KEY: quote(CardAuthority().issue(INES).pem().decode())
        }
        assert client.get("/cards/proxy/", {"state": begun(client)}, **passed).status_code == 403

    def test_the_header_of_a_browser_proves_nothing(self, site: Site, listener: CardPlace) -> None:
        client = site.client()
        forged = quote(listener.authority.issue(INES).pem().decode())
        answer = client.get(
            "/cards/proxy/",
            {"state": begun(client)},
            headers={"x-client-certificate": forged},
        )
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("peer", "kept"), [("10.0.0.9", "from the proxy"), ("203.0.113.7", "")], ids=["proxy", "else"]
)
def test_the_edge_keeps_the_header_of_a_trusted_proxy_alone(peer: str, kept: str) -> None:
    scope = {
        "method": "GET",
        "path": "/cards/proxy/",
        "headers": [(b"x-client-certificate", b"from the proxy")],
        "client": (peer, 4711),
    }
    environ = environ_of(scope, BytesIO(), 0, proxies=frozenset({"10.0.0.9"}))
    assert environ.get(CERTIFICATE_KEY, "") == kept
    assert "HTTP_X_CLIENT_CERTIFICATE" not in environ


def test_the_door_is_on_the_sign_in_page(site: Site) -> None:
    assert LOGIN
    page = site.client().get("/sign-in/").content.decode()
    assert "S’identifier avec sa carte CPS" in page
