"""A store with the rules of the product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase

_encoder = msgspec.json.Encoder(decimal_format="number")


@pytest.fixture
async def repository(fresh_database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Give an empty store under the rules of the shared record."""
    platform = Platform(fresh_database.settings)
    discover(platform, "hygie.domains")
    opened = await open_repository(fresh_database.settings, law=platform.law)
    yield opened
    await opened.database.close()


async def put(repository: Repository, *resources: dict[str, Any]) -> None:
    """Write resources as the operator."""
    for one in resources:
        raw = _encoder.encode(one)
        await repository.update(SYSTEM, str(one["resourceType"]), str(one["id"]), raw)
