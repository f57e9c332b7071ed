"""The machine face on a real port, over a database of its own, for tests with real clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hygie.kernel.api.asgi import MachineFace
from hygie.kernel.api.engine import Engine
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.platform import Platform
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.tokens import issue
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchServer
from hygie.testing.law import LAW
from hygie.testing.ports import free_port, wait_for


@dataclass(frozen=True, slots=True)
class Service:
    """A running FHIR service.

    ``base`` is its FHIR base URL; ``loop`` runs in a thread of its own, as in the product;
    ``platform`` holds what domains registered.
    """

    base: str
    repository: Repository
    loop: asyncio.AbstractEventLoop
    platform: Platform

    def token(self, caller: Caller = SYSTEM, *, hours: float = 1) -> str:
        """Return a bearer token for a caller."""
        return asyncio.run_coroutine_threadsafe(self._issue(caller, hours), self.loop).result(10)

    def caller(self, kind: Kind, reference: str) -> Caller:
        """Return a caller who stands for a person of the record."""
        asked = self.repository.party_number(reference)
        number = asyncio.run_coroutine_threadsafe(asked, self.loop).result(10)
        return Caller(kind, number, reference)

    async def _issue(self, caller: Caller, hours: float) -> str:
        async with self.repository.database.connection() as connection:
            valid = timedelta(hours=hours)
            return await issue(connection, caller, at=datetime.now(UTC), valid=valid)


@pytest.fixture(scope="module")
def law() -> Law:
    """Give the law the service obeys; a module may give another."""
    return LAW


@pytest.fixture(scope="module")
def registering() -> Callable[[Platform], None]:
    """Give what registers on the platform of the service: nothing; a module may give domains."""
    return lambda _platform: None


@pytest.fixture(scope="module")
def service(
    database_server: ScratchServer, law: Law, registering: Callable[[Platform], None]
) -> Iterator[Service]:
    """Serve FHIR with the product's own server on a free port."""
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.server.embed import Server  # noqa: PLC0415

    port = free_port()
    settings = replace(database_server.create().settings, port=port)
    platform = Platform(settings)
    registering(platform)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="engine", daemon=True)
    thread.start()
    opening = open_repository(settings, law=platform.law if platform.policies else law)
    repository = asyncio.run_coroutine_threadsafe(opening, loop).result(60)
    platform.repository = repository
    face = MachineFace(_engine(repository, platform))
    server = Server(face, address="127.0.0.1", port=port, interface=Interfaces.ASGINL)
    serving = asyncio.run_coroutine_threadsafe(server.serve(), loop)
    wait_for(port)
    yield Service(settings.fhir_base, repository, loop, platform)
    loop.call_soon_threadsafe(server.stop)
    serving.result(10)
    asyncio.run_coroutine_threadsafe(repository.database.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def _engine(repository: Repository, platform: Platform) -> Engine:
    settings = platform.settings
    base, zone = settings.fhir_base, ZoneInfo(settings.zone)
    events = AuditEvents(base=base, key_of=key_of, zone=zone, clock=SystemClock())
    return Engine(repository, base, events, "0", platform)
