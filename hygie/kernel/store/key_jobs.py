"""The job that looks after keys: it rotates and destroys in time, traces it, and tells when late.

``keys.keep`` runs every hour and mostly finds nothing to do; ``keys.watch`` runs apart, so that an
alarm sounds while the key service does not answer.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from hygie.kernel.audit import alarms
from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.security.caller import Caller, job
from hygie.kernel.security.keys.keeping import DESTRUCTION, ROTATION, Kept, keep, lateness

if TYPE_CHECKING:
    from datetime import datetime

    from hygie.kernel.store.repository import Repository

log = logging.getLogger(__name__)
KEEP, WATCH = "keys.keep", "keys.watch"
EVERY = 3600.0
"""Seconds between two looks at whether something is due."""
KEYS = job("keys")
_ALARM = "keys"
_DONE = 200


async def keep_keys(repository: Repository, *, at: datetime) -> Kept:
    """Rotate and destroy what is due, and leave one trace of it.

    Raises:
        Unavailable: the key service does not answer.
    """
    keyring = repository.keyring
    done = await keep(keyring.database, keyring.port, at=at)
    if done.anything:
        log.info("keys.kept", extra={"wrapped": done.wrapped, "destroyed": len(done.destroyed)})
        await trace_upkeep(repository.database, KEYS, done.told)
    return done


async def watch_keys(repository: Repository, *, at: datetime) -> None:
    """Sound an alarm where a rotation or a destruction is late; end it once it is done."""
    async with repository.keyring.database.connection() as connection:
        late = {one.subject: one.detail for one in await lateness(connection, at=at)}
    places = await Database.open(repository.database.dsn, role=SEQUENCER, size=1)
    try:
        async with places.connection() as connection:
            for subject in (ROTATION, DESTRUCTION):
                if subject in late:
                    await alarms.sound(connection, _ALARM, subject, late[subject])
                else:
                    await alarms.end(connection, _ALARM, subject)
    finally:
        await places.close()


async def trace_upkeep(database: Database, caller: Caller, detail: str) -> None:
    """Leave one trace of what was done; ``database`` connects as the application."""
    trace = Trace(
        request=uuid.uuid4(),
        kind=int(caller.kind),
        party=0,
        agent=caller.reference,
        purpose=caller.purpose,
        interaction="operation",
        outcome=_DONE,
        rule="system",
        detail=detail,
    )
    async with database.connection() as connection:
        await write(connection, [trace])
