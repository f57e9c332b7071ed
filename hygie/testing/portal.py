"""The portal for tests: all domains and portals composed, on a database of its own.

Django is configured once per process, so every test of pages shares this one site.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hygie.kernel.api.asgi import MachineFace, is_machine_path
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import Receive, Scope, Send
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.config import Settings
from hygie.kernel.platform import DemoAccount, Face, Platform, discover
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.web import bridge, portal
from hygie.kernel.web.wsgi import WsgiBridge
from hygie.testing import stories
from hygie.testing.cards import CardPlace
from hygie.testing.database import ScratchServer
from hygie.testing.ports import free_port, wait_for
from hygie.testing.simulators.serving import Outside

if TYPE_CHECKING:
    from django.test import Client

_encoder = msgspec.json.Encoder(decimal_format="number")
PASSWORD = "trois ponts sur la Loire"  # noqa: S105  of accounts that live as long as a test
ACCOUNTS = (
    ("nora", "Nora Martin", "patient", f"Patient/{stories.NORA}"),
    ("paul", "Paul Durand", "patient", f"Patient/{stories.PAUL}"),
    ("lucie", "Lucie Martin", "patient", f"Patient/{stories.LUCIE}"),
    ("ada", "Ada Leroy", "patient", f"Patient/{stories.ADA}"),
    ("tom", "Tom Martin", "patient", f"Patient/{stories.TOM}"),
    ("dr.petit", "Dr Hélène Petit", "professional", f"Practitioner/{stories.HELENE}"),
    ("marc.vidal", "Marc Vidal", "professional", f"Practitioner/{stories.MARC}"),
    ("dr.lang", "Dr Zoé Lang", "professional", f"Practitioner/{stories.ZOE}"),
    ("dr.roche", "Dr Alix Roche", "professional", f"Practitioner/{stories.SAMU}"),
    ("jade.colin", "Jade Colin", "professional", f"Practitioner/{stories.SECRETARY}"),
    ("operateur", "Opérateur", "administrator", ""),
    ("relectrice", "Inès Garo", "administrator", ""),
    ("agent", "Léa Kervella", "administrator", ""),
    ("accueil", "Yann Riou", "administrator", ""),
    ("accueil.deux", "Anna Morel", "administrator", ""),
    ("mandataire", "Élise Caro", "patient", ""),
    ("guichet", "Lise Morel", "administrator", ""),
)
RIGHTS = {
    "dr.lang": ("identify",),
    "dr.roche": ("identify",),
    "guichet": ("identify",),
    "relectrice": ("review",),
    "agent": ("desk",),
    "accueil": ("register",),
    "accueil.deux": ("register",),
}
"""Rights given to an account; finding a stranger wants one, reviewing accesses another."""


class TestDirectory:
    """Demonstration accounts as the start page shows them."""

    __test__ = False

    def accounts(self) -> Sequence[DemoAccount]:
        """Return the accounts of the tests."""
        story = ("Une histoire courte, pour essayer.", "A short story, to try.")
        return [
            DemoAccount(login, name, kind, reference, *story)
            for login, name, kind, reference in ACCOUNTS
        ]

    def password(self) -> str:
        """Return their password."""
        return PASSWORD


@dataclass(frozen=True, slots=True)
class Site:
    """The composed portal. ``loop`` runs in a thread of its own, as the engine's does."""

    platform: Platform
    loop: asyncio.AbstractEventLoop

    def client(self, login: str = "", language: str = "fr") -> Client:
        """Return Django's test client, signed in when a login is given.

        ``lucie for nora-martin`` is Lucie who acts for Nora, under the banner.
        """
        from django.contrib.auth import get_user_model  # noqa: PLC0415  after configure
        from django.test import Client  # noqa: PLC0415

        client = Client(headers={"accept-language": language})
        login, _for, helped = login.partition(" for ")
        if login:
            client.force_login(get_user_model().objects.get(username=login))
        if helped:
            client.post(f"/patient/helping/{helped}/act/")
        return client


def compose(settings: Settings) -> Platform:
    """Register every domain and portal of the tree on a new platform."""
    platform = Platform(settings, demo=TestDirectory())
    discover(platform, "hygie.domains")
    discover(platform, "hygie.portals")
    return platform


@pytest.fixture(scope="session")
def site(database_server: ScratchServer, outside: Outside, cards: CardPlace) -> Iterator[Site]:
    """Give the composed portal with its records, its accounts and a running loop."""
    scratch = database_server.create()
    providers = scratch.settings.data / "providers.toml"
    providers.write_text(outside.described(), "utf-8")
    settings = replace(
        scratch.settings, demo=4, providers=providers, cards=cards.file, port=free_port()
    )
    platform = compose(settings)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="engine", daemon=True)
    thread.start()
    repository = asyncio.run_coroutine_threadsafe(_open(platform), loop).result(60)
    platform.repository = repository
    bridge.install(bridge.Bridge(loop, platform))
    portal.prepare(platform, dsn=scratch.dsn)
    _open_accounts()
    yield Site(platform, loop)
    portal.close()
    asyncio.run_coroutine_threadsafe(repository.database.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _open(platform: Platform) -> Repository:
    repository = await open_repository(platform.settings, law=platform.law)
    told = (
        stories.diabetic_woman,
        stories.unknown_man,
        stories.helping_daughter,
        stories.care_team,
        stories.choices,
        stories.newcomer,
        stories.child,
    )
    for one in (one for story in told for one in story()):
        body = _encoder.encode(one)
        await repository.update(SYSTEM, one["resourceType"], one["id"], body)
    return repository


def _open_accounts() -> None:
    service = import_module("hygie.domains.sign_in.service")
    kinds = import_module("hygie.domains.sign_in.model").Kind
    service.open_accounts(
        [
            service.NewAccount(
                login,
                name,
                kinds(kind),
                reference,
                email=f"{login}@example.org",
                rights=RIGHTS.get(login, ()),
            )
            for login, name, kind, reference in ACCOUNTS
        ],
        password=PASSWORD,
    )


@pytest.fixture(scope="session")
def live(site: Site) -> Iterator[str]:
    """Serve pages and engine with the product's own server, at the public address; give it."""
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.server.embed import Server  # noqa: PLC0415

    pages, settings = WsgiBridge(get_wsgi_application()), site.platform.settings
    face = Both(pages, _machines(site.platform), _faces(site))
    server = Server(face, address="127.0.0.1", port=settings.port, interface=Interfaces.ASGINL)
    serving = asyncio.run_coroutine_threadsafe(server.serve(), site.loop)
    wait_for(settings.port)
    yield settings.base_url
    for one in face.faces.values():
        asyncio.run_coroutine_threadsafe(one.close(), site.loop).result(10)
    site.loop.call_soon_threadsafe(server.stop)
    serving.result(10)
    pages.close()


@dataclass(frozen=True, slots=True)
class Both:
    """Pages and engine behind one port, as the product has them."""

    pages: WsgiBridge
    machines: MachineFace
    faces: Mapping[str, Face]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        face = self.faces.get(scope["path"].lstrip("/").partition("/")[0])
        if face is not None:
            await face(scope, receive, send)
        elif is_machine_path(scope["path"]):
            await self.machines(scope, receive, send)
        else:
            await self.pages(scope, receive, send)


def _faces(site: Site) -> dict[str, Face]:
    made = {
        prefix: asyncio.run_coroutine_threadsafe(make(site.platform), site.loop)
        for prefix, make in site.platform.faces.items()
    }
    return {prefix: one.result(10) for prefix, one in made.items()}


def _machines(platform: Platform) -> MachineFace:
    repository, settings = platform.repository, platform.settings
    if repository is None:
        raise RuntimeError("the site is not open")
    events = AuditEvents(
        base=settings.fhir_base, key_of=key_of, zone=ZoneInfo(settings.zone), clock=SystemClock()
    )
    return MachineFace(Engine(repository, settings.fhir_base, events, "0", platform))
