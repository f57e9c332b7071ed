"""``hygie restore DIR``: bring an installation back on an empty machine."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.commands import archive
from hygie.commands.options import command, settings_of
from hygie.commands.postgres_tools import client, run_tool
from hygie.kernel.config import Settings
from hygie.kernel.database import binaries, folders, roles, server
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.session import connect
from hygie.kernel.errors import InvalidRequest

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "restore", about="Bring a backup back into an empty data folder.", run=run
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder made by hygie backup")


def run(arguments: argparse.Namespace) -> int:
    """Verify the backup, copy it into place, and start the database once.

    Raises:
        InvalidRequest: the backup is damaged, or there is something in its place already.
    """
    settings = settings_of(arguments)
    folder: Path = arguments.folder.expanduser().resolve()
    manifest = archive.check_is_whole(folder)
    archive.check_is_empty(settings.data, why="a backup is restored into an empty data folder.")
    check_kind(settings, manifest)
    folders.make(settings.data)
    archive.copy_folders(folder, settings.data)
    if manifest.kind == "dump":
        load_dump(settings, folder / archive.DUMP)
    else:
        copy_server(settings, folder / archive.POSTGRES, major=manifest.major)
    with server.running(settings):
        sys.stdout.write(f"The backup of {manifest.made} is back in {settings.data}.\n")
    return 0


def check_kind(settings: Settings, manifest: archive.Manifest) -> None:
    """Raise when the backup is of the other sort of server.

    Raises:
        InvalidRequest: with what to change.
    """
    if manifest.kind == "dump" and not settings.database_url:
        raise InvalidRequest(
            "This backup was made of a real server: give an empty database in HYGIE_DATABASE_URL."
        )
    if manifest.kind == "embedded" and settings.database_url:
        raise InvalidRequest(
            "This backup was made of the embedded server: restore it without HYGIE_DATABASE_URL."
        )


def copy_server(settings: Settings, source: Path, *, major: int) -> None:
    """Copy the embedded server into place after PostgreSQL verified each of its files."""
    lock = FolderLock(settings.data)
    lock.take()
    try:
        run_tool([binaries.find(major).program("pg_verifybackup"), "--quiet", str(source)])
        place = folders.postgres(settings.data)
        fresh = place.with_name("postgres.new")
        shutil.copytree(source, fresh, symlinks=True)
        fresh.chmod(0o700)
        fresh.rename(place)
    finally:
        lock.release()


def load_dump(settings: Settings, dump: Path) -> None:
    """Load both schemas into the empty database of a real server.

    Raises:
        InvalidRequest: that database already has a schema of Hygie.
    """
    programs = client(settings)
    with connect(server.dsn(settings)) as session:
        if session.execute("SELECT to_regnamespace('hygie')").fetchone() != (None,):
            raise InvalidRequest("The database of HYGIE_DATABASE_URL already holds Hygie's tables.")
        roles.ensure_roles(session, member=str(session.info.user))
        roles.ensure_schemas(session)
    for schema, owner in (("hygie", roles.OWNER), ("portal", roles.PORTAL)):
        run_tool(
            [programs.program("pg_restore"), "--exit-on-error", "--single-transaction",
             "--no-owner", f"--role={owner}", f"--schema={schema}", str(dump), "--dbname"],
            secret=settings.database_url,
        )  # fmt: skip
