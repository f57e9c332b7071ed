"""Professionals with a card, for the tests: in the directory, with an account, each by a number."""

from __future__ import annotations

import asyncio
import http.client
import secrets
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from hygie.kernel.security.caller import SYSTEM
from hygie.testing.card_authority import Card, Subject
from hygie.testing.cards import CardPlace
from hygie.testing.portal import Site
from hygie.testing.stories import CABINET, PROFESSIONS

T = TypeVar("T")
NUMBER = "810000000041"
LOGIN = "ines.carte"
INES = Subject(number=NUMBER, rpps="10000000041", family="CARTE", given="Ines", profession="60")


def run(site: Site, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, site.loop).result(20)


def put(site: Site, *resources: dict[str, Any]) -> None:
    records = site.platform.repository
    assert records is not None
    for one in resources:
        raw = msgspec.json.encode(one)
        run(site, records.update(SYSTEM, one["resourceType"], one["id"], raw))


def professional(site: Site, *, profession: str = "60", running: bool = True) -> Any:
    """Put Ines into the directory, with an open account; return the account."""
    from django.contrib.auth import get_user_model

    put(
        site,
        {
            "resourceType": "Practitioner",
            "id": "ines-carte",
            "active": True,
            "identifier": [{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": NUMBER}],
            "name": [{"family": "Carte", "given": ["Ines"]}],
        },
        {
            "resourceType": "PractitionerRole",
            "id": "role-of-ines-carte",
            "active": running,
            "practitioner": {"reference": "Practitioner/ines-carte"},
            "organization": {"reference": f"Organization/{CABINET}"},
            "code": [{"coding": [{"system": PROFESSIONS, "code": profession}]}],
        },
    )
    accounts: Any = get_user_model()._default_manager
    account, _ = accounts.get_or_create(
        username=LOGIN,
        defaults={
            "display_name": "Ines Carte",
            "kind": "professional",
            "fhir_reference": "Practitioner/ines-carte",
        },
    )
    account.is_active = True
    account.save()
    return account


def state_of(page: str) -> str:
    """Return the state in the link to the listener."""
    marker = "state="
    return page[page.index(marker) + len(marker) :].partition('"')[0]


def client_context(cards: CardPlace, card: Card | None) -> ssl.SSLContext:
    """Return the TLS of a browser with a card, or with none."""
    context = ssl.create_default_context(cafile=str(cards.folder / "authorities.pem"))
    if card is not None:
        files = card.write(cards.folder, f"card-{secrets.token_hex(4)}")
        context.load_cert_chain(*files)
        for one in files:
            Path(one).unlink()
    return context


def present(
    cards: CardPlace, card: Card | None, target: str, *, method: str = "GET"
) -> tuple[int, str]:
    """Ask the listener with a card; return the status and where it leads."""
    context = client_context(cards, card)
    connection = http.client.HTTPSConnection("localhost", cards.port, context=context, timeout=10)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


def asked(location: str, name: str) -> str:
    """Return a parameter of an address."""
    return parse_qs(urlsplit(location).query).get(name, [""])[0]
