"""A repository over a fresh database, and callers to use it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from asyncpg import Record

from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW


@pytest.fixture(scope="module")
async def repository(database: ScratchDatabase) -> AsyncIterator[Repository]:
    opened = await open_repository(
        database.settings,
        law=LAW,
    )
    yield opened
    await opened.database.close()


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(resource: object) -> bytes:
    return _ENCODER.encode(resource)


async def put(repository: Repository, resource: dict[str, object]) -> None:
    """Store a resource under the id it carries."""
    await repository.update(
        SYSTEM, str(resource["resourceType"]), str(resource["id"]), encode(resource)
    )


async def patient_caller(repository: Repository, rid: str) -> Caller:
    number = await repository.party_number(f"Patient/{rid}")
    return Caller(Kind.PATIENT, number, f"Patient/{rid}", purpose="PATRQT")


async def professional_caller(repository: Repository, rid: str) -> Caller:
    number = await repository.party_number(f"Practitioner/{rid}")
    return Caller(Kind.PROFESSIONAL, number, f"Practitioner/{rid}")


async def traces(repository: Repository) -> list[Record]:
    """Return every trace so far, oldest first."""
    async with repository.database.transaction(system=True) as connection:
        return list(await connection.fetch("SELECT * FROM trace ORDER BY id"))
