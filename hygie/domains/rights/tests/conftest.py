"""Two records, their people, and an archive read back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from zipfile import ZipFile

import msgspec
import pytest

from hygie.domains.rights.service.copying import Wish, copy_person
from hygie.domains.rights.service.traces import traces_of
from hygie.kernel.api.tests.client import Client
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Access, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.law import Law
from hygie.testing import stories
from hygie.testing.database import ScratchDatabase
from hygie.testing.service import Service

T = TypeVar("T")
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(resource: object) -> bytes:
    return _ENCODER.encode(resource)


async def put(repository: Repository, resource: dict[str, Any]) -> None:
    await repository.update(SYSTEM, resource["resourceType"], resource["id"], encode(resource))


async def tell(repository: Repository) -> None:
    for story in (
        stories.diabetic_woman,
        stories.unknown_man,
        stories.helping_daughter,
        stories.care_team,
    ):
        for one in story():
            await put(repository, one)


async def person(repository: Repository, rid: str) -> Caller:
    number = await repository.party_number(f"Patient/{rid}")
    return Caller(Kind.PATIENT, number, f"Patient/{rid}", purpose="PATRQT")


def law_of_the_house(database: ScratchDatabase) -> Law:
    """Return the law that the domains make together."""
    platform = Platform(database.settings)
    discover(platform, "hygie.domains")
    return platform.law


@pytest.fixture(scope="module")
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(database.settings, law=law_of_the_house(database))
    await tell(opened)
    yield opened
    await opened.database.close()


async def copied(repository: Repository, access: Access, patient: str) -> ZipFile:
    """Return the archive of a person, in memory."""
    into = io.BytesIO()
    wish = Wish(patient, "fr", "Nora MARTIN", AT)
    traces = traces_of(repository, access, patient)
    await copy_person(repository, access, wish, into, traces=traces)
    return ZipFile(into)


def lines(archive: ZipFile, name: str) -> list[dict[str, Any]]:
    """Return the resources of one NDJSON file, none where it is absent."""
    if name not in archive.namelist():
        return []
    return [msgspec.json.decode(one) for one in archive.read(name).splitlines()]


@pytest.fixture(scope="module")
def registering() -> Callable[[Platform], None]:
    """Let the domains answer on the service."""
    return lambda platform: discover(platform, "hygie.domains")


@dataclass
class Over:
    """What people ask over HTTP of a service with the stories told."""

    service: Service

    def __call__(self, kind: Kind, reference: str) -> Client:
        """Return a client with a token of somebody."""
        return Client(self.service, self.service.token(self.service.caller(kind, reference)))

    def person(self, rid: str) -> Client:
        """Return a client with a token of a person of the record."""
        return self(Kind.PATIENT, f"Patient/{rid}")

    def doctor(self, rid: str) -> Client:
        """Return a client with a token of a professional."""
        return self(Kind.PROFESSIONAL, f"Practitioner/{rid}")

    def operator(self) -> Client:
        """Return a client with a token of the local operator."""
        return Client(self.service, self.service.token())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something where the service runs."""
        return asyncio.run_coroutine_threadsafe(work, self.service.loop).result(60)

    def tell(self, *resources: dict[str, Any]) -> None:
        """Store resources as the operator."""
        for one in resources:
            self.run(put(self.service.repository, one))


@pytest.fixture(scope="module")
def over(service: Service) -> Over:
    """Give the service with Nora, Paul, Lucie, Tom, and who cares for them."""
    found = Over(service)
    found.run(tell(service.repository))
    found.tell(*stories.choices(), *stories.child())
    return found
