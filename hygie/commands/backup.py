"""``hygie backup DIR``: copy everything of an installation, while it runs or not."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.commands import archive
from hygie.commands.options import command, settings_of
from hygie.commands.postgres_tools import client, run_tool
from hygie.kernel.config import Settings
from hygie.kernel.database import binaries, folders, server

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "backup", about="Copy database, blobs and keys to an empty folder.", run=run
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="an empty or new folder")


def run(arguments: argparse.Namespace) -> int:
    """Make the backup and say what it holds.

    Raises:
        InvalidRequest: the folder is not empty, or there is nothing to copy.
    """
    settings = settings_of(arguments)
    folder: Path = arguments.folder.expanduser().resolve()
    archive.check_is_empty(folder, why="a backup goes to a folder of its own.")
    server.check_is_installed(settings)
    # Holds the keys of the installation and every record.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with server.running(settings):
        manifest = make(settings, folder)
    sys.stdout.write(f"Backup of {settings.data} complete: {folder}\n")
    sys.stdout.write(f"PostgreSQL {manifest.major}, {len(manifest.files)} other files.\n")
    return 0


def make(settings: Settings, folder: Path) -> archive.Manifest:
    """Copy the database first: a blob is always written before the row that names it."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    if settings.database_url:
        major = dump(settings, folder / archive.DUMP)
    else:
        major = copy_server(settings, folder / archive.POSTGRES)
    archive.copy_folders(settings.data, folder)
    kind: archive.Kind = "dump" if settings.database_url else "embedded"
    return archive.seal(folder, made=made, kind=kind, major=major)


def copy_server(settings: Settings, target: Path) -> int:
    """Copy the embedded server with its journal, verify the copy; return its major version."""
    version = (folders.postgres(settings.data) / "PG_VERSION").read_text()
    programs = binaries.find(int(version))
    where = server.admin_dsn(settings)
    run_tool(
        [programs.program("pg_basebackup"), "--dbname", where, "--pgdata", str(target),
         "--wal-method=stream", "--checkpoint=fast", "--manifest-checksums=SHA256"]
    )  # fmt: skip
    run_tool([programs.program("pg_verifybackup"), "--quiet", str(target)])
    return programs.major


def dump(settings: Settings, target: Path) -> int:
    """Dump both schemas of a real server; return its major version.

    Its own physical backups (Barman, pgBackRest) are better for large installations.
    """
    programs = client(settings)
    run_tool(
        [programs.program("pg_dump"), "--format=custom", "--schema=hygie", "--schema=portal",
         "--no-owner", "--file", str(target), "--dbname"],
        secret=settings.database_url,
    )  # fmt: skip
    return programs.major
