"""Everything that follows the access log in the background: one task each, none stops another."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import alarms, merging, sequencer, timestamps
from hygie.kernel.audit.handover import current_key
from hygie.kernel.audit.limits import LIMITS
from hygie.kernel.audit.timestamps import Authority
from hygie.kernel.audit.witness import rounds
from hygie.kernel.audit.witness.client import Remote, parse_remote
from hygie.kernel.audit.witness.place import folder_of, socket_of
from hygie.kernel.database import folders
from hygie.kernel.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
CONNECTIONS = 4
"""What :func:`run` uses at once."""
LOOK_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Keeping:
    """How one installation keeps its log.

    Attributes:
        data: the data folder, for the keys and the spools.
        witnesses: who cosigns the heads.
        authority: who timestamps them, None for nobody.
    """

    data: Path
    witnesses: Sequence[Remote] = ()
    authority: Authority | None = None


async def run(database: Database, keeping: Keeping, stop: asyncio.Event) -> None:
    """Sequence, merge spools, bring heads to witnesses and authority, and watch, until ``stop``.

    ``database`` is opened with role ``hygie_sequencer`` and :data:`CONNECTIONS`.
    """
    key_of = log_key(keeping.data)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_sequence(database, key_of, stop))
        tasks.create_task(merging.run(database, keeping.data, stop))
        tasks.create_task(watch(database, stop))
        if keeping.witnesses:
            tasks.create_task(rounds.run(database, keeping.witnesses, stop, key_of=key_of))
        if keeping.authority is not None:
            tasks.create_task(timestamps.run(database, keeping.authority, stop))


async def watch(database: Database, stop: asyncio.Event, *, every: float = LOOK_EVERY) -> None:
    """Sound an alarm while traces wait for their place for too long (F26)."""
    while not stop.is_set():
        with contextlib.suppress(Unavailable):
            async with database.connection() as connection:
                waiting = await connection.fetchval("SELECT clock_timestamp() - pending_since()")
                if waiting is not None and waiting > LIMITS.late_head:
                    told = f"Traces wait since {_minutes(waiting)} for a signed head."
                    await alarms.sound(connection, "late-head", "log", told)
                else:
                    await alarms.end(connection, "late-head", "log")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


async def _sequence(database: Database, key_of: sequencer.KeyOf, stop: asyncio.Event) -> None:
    try:
        await sequencer.run(database, key_of, stop)
    except ConfigurationError:
        log.exception("audit.log_refused")


def log_key(data: Path) -> sequencer.KeyOf:
    """Return what gives the log's key from the data folder."""

    def key_of(origin: str, handed_to: str | None) -> Ed25519PrivateKey:
        return current_key(folders.keys(data), origin=origin, handed_to=handed_to)

    return key_of


def remotes(data: Path, named: Sequence[str]) -> list[Remote]:
    """Return the witness of this machine, where it was ever started, and those of the settings.

    Raises:
        ConfigurationError: one of the settings is badly written.
    """
    own = [Remote(f"unix:{socket_of(data)}")] if folder_of(data).is_dir() else []
    return [*own, *(parse_remote(text) for text in named)]


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:.1f} minutes"
