from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import KEYS
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.keyring import CONNECTIONS, Keyring
from hygie.kernel.security.keys.ledger import NAME, Ledger
from hygie.testing.database import ScratchDatabase


@pytest.fixture
async def data(fresh_database: ScratchDatabase) -> AsyncIterator[Database]:
    """Give connections of requests."""
    async with fresh_database.open() as database:
        yield database


@pytest.fixture
def port(tmp_path: Path) -> FileKeys:
    return FileKeys(tmp_path / "kek")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger" / NAME)


@pytest.fixture
def keyring(data: Database, port: FileKeys, ledger: Ledger) -> Keyring:
    return Keyring(data.beside(role=KEYS, size=CONNECTIONS), port, ledger=ledger)
