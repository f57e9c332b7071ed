"""``hygie keys``: look after the keys that documents and backups are encrypted with."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.erasures import repeat_all
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.connection import Database
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys.keeping import lateness
from hygie.kernel.security.keys.ledger import Ledger, read_file
from hygie.kernel.security.keys.opening import open_port
from hygie.kernel.security.keys.recovery import load_or_draw
from hygie.kernel.security.keys.rotation import destroy_superseded, rewrap, rotate
from hygie.kernel.store import open_repository
from hygie.kernel.store.key_jobs import trace_upkeep
from hygie.kernel.store.sealing import seal_all

if TYPE_CHECKING:
    from hygie.commands.options import Commands

_STATUS = """
SELECT count(*) FILTER (WHERE wrapped IS NOT NULL), count(*) FILTER (WHERE wrapped IS NULL)
FROM hygie_keys.patient_key
"""
_VERSIONS = """
SELECT k.kek, count(*), (SELECT superseded FROM hygie_keys.kek s WHERE s.version = k.kek)
FROM hygie_keys.patient_key k WHERE k.wrapped IS NOT NULL GROUP BY k.kek ORDER BY k.kek
"""

Work = Callable[[Settings, argparse.Namespace], Coroutine[None, None, str]]
LATE = "LATE: "


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(commands, "keys", about="Rotate and look after encryption keys.", run=run)
    parser.add_argument(
        "act",
        choices=(*_WORK, "repeat", "recovery"),
        help="status: what there is; rotate: a new key-encryption key, every data key wrapped "
        "anew; destroy: superseded key-encryption keys after 35 days; encrypt: what an earlier "
        "version stored in clear; repeat: the erasure ledger; recovery: print the recovery key",
    )
    parser.add_argument(
        "--resume", action="store_true", help="rotate: go on with an interrupted rotation"
    )
    parser.add_argument(
        "--now", action="store_true", help="destroy: do not wait for the end of the 35 days"
    )
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="repeat: the newest copy of the ledger"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do one thing with the keys, while Hygie runs or not."""
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    if arguments.act == "recovery":
        sys.stdout.write(f"{load_or_draw(settings.data).text}\n")
        return 0
    with server.running(settings) as ready:
        if arguments.act == "repeat":
            more = read_file(arguments.ledger) if arguments.ledger else []
            done = repeat_all(settings, ready.dsn, more=more)
            sys.stdout.write(f"{len(done)} erasures were repeated.\n")
        else:
            told = asyncio.run(_WORK[arguments.act](settings, arguments))
            sys.stdout.write(told)
            return 1 if LATE in told else 0
    return 0


async def _status(settings: Settings, _: argparse.Namespace) -> str:
    database = await Database.open(settings, role=roles.KEYS, size=1)
    try:
        async with database.connection() as connection:
            standing, destroyed = await connection.fetchrow(_STATUS) or (0, 0)
            versions = await connection.fetch(_VERSIONS)
            late = await lateness(connection, at=datetime.now(UTC))
    finally:
        await database.close()
    held = ", ".join(str(version) for version in open_port(settings).versions())
    where = "the PKCS#11 token" if settings.keys else "files of the data folder"
    lines = [
        f"Key-encryption keys: {held}, in {where}",
        f"Data keys: {standing}; destroyed: {destroyed}",
        *(f"  {count} wrapped by {kek}{_since(since)}" for kek, count, since in versions),
        f"Erasures in the ledger: {len(Ledger.of(settings).read())}",
        *(f"{LATE}{one.subject}: {one.detail}" for one in late),
    ]
    return "\n".join(lines) + "\n"


def _since(superseded: datetime | None) -> str:
    return f", superseded on {superseded.date().isoformat()}" if superseded else ""


async def _rotate(settings: Settings, arguments: argparse.Namespace) -> str:
    database = await Database.open(settings, role=roles.KEYS, size=1)
    try:
        work = rewrap if arguments.resume else rotate
        done = await work(database, open_port(settings), at=datetime.now(UTC))
    finally:
        await database.close()
    await _trace(settings, f"key-encryption key rotated; {done} data keys wrapped anew")
    return f"{done} data keys were wrapped anew. No document was touched.\n"


async def _destroy(settings: Settings, arguments: argparse.Namespace) -> str:
    database = await Database.open(settings, role=roles.KEYS, size=1)
    kept = timedelta(0) if arguments.now else None
    try:
        gone = await destroy_superseded(
            database, open_port(settings), at=datetime.now(UTC), kept=kept
        )
    finally:
        await database.close()
    if not gone:
        return "No key-encryption key was superseded long enough ago.\n"
    await _trace(settings, f"destroyed: {', '.join(map(str, gone))}")
    return f"Destroyed for ever: key-encryption keys {', '.join(map(str, gone))}.\n"


async def _trace(settings: Settings, detail: str) -> None:
    database = await Database.open(settings, size=1)
    try:
        await trace_upkeep(database, SYSTEM, detail)
    finally:
        await database.close()


async def _encrypt(settings: Settings, _: argparse.Namespace) -> str:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        done = await seal_all(repository)
    finally:
        await repository.database.close()
    return f"{done.versions} versions were encrypted, {done.files} plain files removed.\n"


_WORK: dict[str, Work] = {
    "status": _status,
    "rotate": _rotate,
    "destroy": _destroy,
    "encrypt": _encrypt,
}
