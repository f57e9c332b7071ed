"""Open the repository of one process."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hygie.kernel.clock import Clock
from hygie.kernel.config import Settings
from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.database.connection import Database
from hygie.kernel.security.keys import open_keyring
from hygie.kernel.security.secret import Sealer, secret_key
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.codec import Codec
from hygie.kernel.store.dictionaries import load_dictionaries
from hygie.kernel.store.law import Law
from hygie.kernel.store.repository import Repository
from hygie.kernel.store.site import PAGING, Site

CONNECTIONS = 8
"""Dedicated connections of one serving process; a group of requests uses one."""


async def open_repository(
    settings: Settings,
    *,
    law: Law,
    dsn: str | None = None,
    clock: Clock | None = None,
    size: int = CONNECTIONS,
) -> Repository:
    """Return the repository over the database of these settings, or over ``dsn``.

    Raises:
        Unavailable: the database does not answer.
    """
    database = await Database.open(dsn or settings, size=size)
    async with database.connection() as connection:
        dictionaries = await load_dictionaries(connection)
    keyring = open_keyring(database, settings)
    return Repository(
        database,
        bodies=Bodies(Codec(dictionaries), BlobStore(settings.data / "blobs"), keyring),
        law=law,
        site=Site(
            settings.fhir_base,
            ZoneInfo(settings.zone),
            Sealer(secret_key(settings), purpose=PAGING),
        ),
        clock=clock,
    )
