"""Background work of accounts: tell people, by the channel they chose, that something awaits them.

The other domains put events of kind ``notice`` in the outbox: who is told, never what about. What
leaves the platform is one sentence that asks to sign in, at most once a day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.database import server
from hygie.kernel.fhir.names import type_name
from hygie.kernel.outbox import queue
from hygie.kernel.store.ids import id_of
from hygie.kernel.web import bridge, portal

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.outbox.job import Job
    from hygie.kernel.platform import Platform

log = logging.getLogger(__name__)
KIND = "notice"
EVERY = 60.0
LEASE = timedelta(minutes=5)
MOST = 200
_PARTIES = "SELECT num, rt, uid, rid FROM party WHERE num = ANY ($1::int[]) AND uid IS NOT NULL"


def register(platform: Platform) -> None:
    """Deliver notices every minute."""
    platform.add_job("sign_in.deliver_notices", deliver, every=EVERY)


async def deliver(platform: Platform) -> None:
    """Turn the notices that wait into messages of the accounts they are for."""
    repository = platform.repository
    if repository is None:
        return
    async with repository.database.connection() as connection:
        taken = await queue.claim(
            connection, [KIND], now=datetime.now(UTC), lease=LEASE, limit=MOST
        )
        references = await _references(connection, taken)
    if not taken:
        return
    bridge.install(bridge.Bridge(asyncio.get_running_loop(), platform))
    await asyncio.to_thread(_tell, platform, list(references.values()))
    async with repository.database.connection() as connection:
        for one in taken:
            await queue.finish(connection, one, now=datetime.now(UTC))


async def _references(connection: Connection, taken: Sequence[Job]) -> Mapping[int, str]:
    told = {int(msgspec.json.decode(one.payload).get("party") or 0) for one in taken}
    rows = await connection.fetch(_PARTIES, sorted(told))
    return {row["num"]: f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}" for row in rows}


def _tell(platform: Platform, references: Sequence[str]) -> None:
    """Write the messages; the models are imported once Django is configured."""
    portal.configure(platform, dsn=server.dsn(platform.settings))
    telling = import_module("hygie.domains.sign_in.service.telling")
    try:
        log.info("notices.delivered", extra={"count": telling.invite_to_sign_in(references)})
    finally:
        import_module("django.db").connection.close()
