"""Merge the spools of an emergency into the log, each trace flagged and at its own instant."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hygie.kernel.audit import alarms, trace
from hygie.kernel.audit.checkpoint import load_or_create_key
from hygie.kernel.audit.emergency import KEY_FILE
from hygie.kernel.audit.spool import SUFFIX, Line, is_closed, read
from hygie.kernel.database import folders
from hygie.kernel.errors import Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
EVERY = 2.0
CHUNK = 1_000

_DONE = "SELECT lines FROM trace_spool WHERE name = $1"
_COUNT = """
INSERT INTO trace_spool (name, lines) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET lines = excluded.lines, at = clock_timestamp()
"""
_INSERT = trace.insert_with(at="timestamptz")


async def run(database: Database, data: Path, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """Merge what was spooled until ``stop``; needs role ``hygie_sequencer``."""
    while not stop.is_set():
        try:
            if any((data / "spool").glob(f"*{SUFFIX}")):
                async with database.connection() as connection:
                    await merge(connection, data)
        except Unavailable:
            log.warning("spool.database_lost")
        except asyncpg.PostgresError:
            log.exception("spool.not_merged")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every)


async def merge(connection: Connection, data: Path) -> int:
    """Merge what is not merged yet of every spool; return the number of traces.

    A spool that its process closed is removed once all of it is in the log. One that was changed
    is merged up to the first changed line, set aside as ``.changed``, and is an alarm.
    """
    key = load_or_create_key(folders.keys(data), KEY_FILE).public_key()
    merged = 0
    for path in sorted((data / "spool").glob(f"*{SUFFIX}")):
        merged += await _merge_one(connection, path, key)
    return merged


async def _merge_one(connection: Connection, path: Path, key: Ed25519PublicKey) -> int:
    closed = is_closed(path)
    found = read(path, key)
    done = await connection.fetchval(_DONE, path.name) or 0
    for start in range(done, len(found.lines), CHUNK):
        lines = found.lines[start : start + CHUNK]
        async with connection.transaction():
            await _insert(connection, lines)
            await connection.execute(_COUNT, path.name, start + len(lines))
    fault = found.fault or (_CUT if len(found.lines) < done else None)
    if fault is not None:
        _set_aside(path)
        told = f"{fault}: what follows is not in the log; look at the file ending in .changed"
        await alarms.sound(connection, "spool", path.name, told)
    elif closed:
        _remove(path)
    return max(len(found.lines) - done, 0)


_CUT = "its end was removed after it was read"


def _set_aside(path: Path) -> None:
    path.rename(path.with_suffix(".changed"))


def _remove(path: Path) -> None:
    path.unlink()
    log.info("spool.merged", extra={"spool": path.name})


async def _insert(connection: Connection, lines: Sequence[Line]) -> None:
    rows = [msgspec.json.decode(line.trace, type=trace.Trace) for line in lines]
    flagged = [msgspec.structs.replace(row, flags=row.flags | trace.Flag.SPOOLED) for row in rows]
    instants = [line.at for line in lines]
    await connection.execute(_INSERT, *trace.columns(flagged), instants)
