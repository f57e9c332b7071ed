"""``hygie restore DIR``: bring an installation back on an empty machine."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.commands import archive, key_tables
from hygie.commands.archive import Header
from hygie.commands.erasures import repeat_all
from hygie.commands.options import command, settings_of
from hygie.commands.postgres_tools import client, run_tool
from hygie.kernel.config import Settings
from hygie.kernel.database import binaries, folders, roles, server
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.session import connect
from hygie.kernel.errors import HygieError, InvalidRequest
from hygie.kernel.security.keys.ledger import Erasure, read_file
from hygie.kernel.security.keys.opening import open_port
from hygie.kernel.security.keys.recovery import RecoveryKey, read_recovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hygie.commands.options import Commands

STAGE = "restore"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "restore", about="Bring a backup back into an empty data folder.", run=run
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder made by hygie backup")
    parser.add_argument(
        "--keys", type=Path, metavar="FILE", help="a newer archive of keys (default: DIR's own)"
    )
    parser.add_argument(
        "--recovery-key", type=Path, metavar="FILE", help="the recovery key of the backup"
    )
    parser.add_argument(
        "--ledger", type=Path, metavar="FILE", help="the newest copy of the erasure ledger"
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify the backup, copy it into place, erase again what was erased since.

    Raises:
        InvalidRequest: the backup is damaged, or there is something in its place already.
    """
    settings = settings_of(arguments)
    folder: Path = arguments.folder.expanduser().resolve()
    keys: Path = (arguments.keys or folder / archive.KEYS).expanduser().resolve()
    data_header, keys_header = archive.header_of(folder / archive.DATA), archive.header_of(keys)
    check_kinds(settings, data_header, keys_header)
    archive.check_is_empty(settings.data, why="a backup is restored into an empty data folder.")
    later = read_file(arguments.ledger) if arguments.ledger else []
    recovery = read_recovery(arguments.recovery_key) if arguments.recovery_key else None
    lock = _take(settings)
    try:
        unpack(settings, folder / archive.DATA, keys, recovery)
        put_in_place(settings, data_header)
    except HygieError:
        _clear(settings.data)
        raise
    finally:
        lock.release()
    with server.running(settings) as ready:
        erasures = finish(settings, ready.dsn, later)
    sys.stdout.write(f"The backup of {data_header.made} is back in {settings.data}.\n")
    sys.stdout.write(_told(erasures))
    return 0


def check_kinds(settings: Settings, data: Header, keys: Header) -> None:
    """Raise when the archives are exchanged, or of the other sort of server.

    Raises:
        InvalidRequest: with what to change.
    """
    if (data.holds, keys.holds) != ("data", "keys"):
        raise InvalidRequest(f"{archive.DATA} and {archive.KEYS} were exchanged.")
    if data.kind == "dump" and not settings.database_url:
        raise InvalidRequest(
            "This backup was made of a real server: give an empty database in HYGIE_DATABASE_URL."
        )
    if data.kind == "embedded" and settings.database_url:
        raise InvalidRequest(
            "This backup was made of the embedded server: restore it without HYGIE_DATABASE_URL."
        )


def unpack(settings: Settings, data: Path, keys: Path, recovery: RecoveryKey | None) -> None:
    """Decrypt both archives beside their place."""
    stage = _stage(settings)
    port = open_port(settings) if settings.keys else None
    archive.unpack(keys, stage / "keys.unpacked", port=port, recovery=recovery)
    archive.unpack(data, stage / "data.unpacked", port=port, recovery=recovery)


def put_in_place(settings: Settings, header: Header) -> None:
    """Move what was unpacked where it belongs; PostgreSQL verifies its own files first."""
    data, keys = _stage(settings) / "data.unpacked", _stage(settings) / "keys.unpacked"
    if header.kind == "dump":
        load_dump(settings, data / archive.DUMP)
    else:
        source = data / archive.POSTGRES
        run_tool([binaries.find(header.major).program("pg_verifybackup"), "--quiet", str(source)])
        source.chmod(0o700)
        source.rename(folders.postgres(settings.data))
    for source in (data / "blobs", keys / "keys", keys / "ledger"):
        source.chmod(0o700)
        source.rename(settings.data / source.name)
    (keys / archive.TABLES).rename(_tables(settings))
    shutil.rmtree(_stage(settings))


def finish(settings: Settings, dsn: str, later: Sequence[Erasure]) -> Sequence[Erasure]:
    """Bring the keys to the day of their archive, then repeat every erasure ever recorded."""
    key_tables.load(dsn, _tables(settings))
    shutil.rmtree(_tables(settings))
    return repeat_all(settings, dsn, more=later)


def load_dump(settings: Settings, dump: Path) -> None:
    """Load the schemas into the empty database of a real server.

    Raises:
        InvalidRequest: that database already has a schema of Hygie.
    """
    programs = client(settings)
    with connect(server.dsn(settings)) as session:
        if session.execute("SELECT to_regnamespace('hygie')").fetchone() != (None,):
            raise InvalidRequest("The database of HYGIE_DATABASE_URL already holds Hygie's tables.")
        roles.ensure_roles(session, member=str(session.info.user))
        roles.ensure_schemas(session)
    owners = (("hygie", roles.OWNER), ("portal", roles.PORTAL), ("hygie_keys", roles.OWNER))
    for schema, owner in owners:
        run_tool(
            [programs.program("pg_restore"), "--exit-on-error", "--single-transaction",
             "--no-owner", f"--role={owner}", f"--schema={schema}", str(dump), "--dbname"],
            secret=settings.database_url,
        )  # fmt: skip


def _take(settings: Settings) -> FolderLock:
    folders.make(settings.data)
    lock = FolderLock(settings.data)
    lock.take()
    return lock


def _clear(data: Path) -> None:
    """Leave the folder as empty as it was: a restore that failed can be repeated."""
    for path in data.iterdir():
        shutil.rmtree(path)


def _stage(settings: Settings) -> Path:
    return folders.run(settings.data) / STAGE


def _tables(settings: Settings) -> Path:
    return folders.run(settings.data) / archive.TABLES


def _told(erasures: Sequence[Erasure]) -> str:
    if not erasures:
        return "The erasure ledger is empty. If a later copy exists, restore again with --ledger.\n"
    last = erasures[-1].at.date().isoformat()
    return (
        f"{len(erasures)} erasures were repeated, the last one of {last}. If a later copy of the "
        "erasure ledger exists, restore again with --ledger before you serve.\n"
    )
