"""``hygie backup DIR``: copy everything of an installation, encrypted, while it runs or not."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hygie.commands import archive, key_tables
from hygie.commands.archive import Header, Kind
from hygie.commands.options import command, settings_of
from hygie.commands.postgres_tools import client, run_tool
from hygie.kernel.config import Settings
from hygie.kernel.database import binaries, folders, server
from hygie.kernel.security.keys.opening import open_port
from hygie.kernel.security.keys.recovery import load_or_draw, recovery_file
from hygie.kernel.security.keys.shredding import check_is_repeated

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(commands, "backup", about="Copy database, blobs and keys, encrypted.", run=run)
    parser.add_argument("folder", type=Path, metavar="DIR", help="an empty or new folder")
    parser.add_argument(
        "--keys-to",
        type=Path,
        metavar="DIR",
        help="another folder for the archive of keys, which is kept for 35 days at most",
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the backup and say what it holds.

    Raises:
        InvalidRequest: a folder is not empty, or there is nothing to copy.
    """
    settings = settings_of(arguments)
    folder, keys_folder = (
        path.expanduser().resolve()
        for path in (arguments.folder, arguments.keys_to or arguments.folder)
    )
    for path in (folder, keys_folder):
        archive.check_is_empty(path, why="a backup goes to a folder of its own.")
    server.check_is_installed(settings)
    for path in (folder, keys_folder):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    with server.running(settings):
        header = make(settings, folder, keys_folder)
    sys.stdout.write(f"Backup of {settings.data} complete: {folder / archive.DATA}\n")
    sys.stdout.write(f"Archive of keys, to delete after 35 days: {keys_folder / archive.KEYS}\n")
    sys.stdout.write(
        f"Recovery key {header.recovery} opens both: keep a copy of "
        f"{recovery_file(settings.data)} on paper or on another machine.\n"
    )
    return 0


def make(settings: Settings, folder: Path, keys_folder: Path) -> Header:
    """Copy the data first: a blob and a key are written before the row that names them."""
    check_is_repeated(settings, server.dsn(settings))
    port, recovery = open_port(settings), load_or_draw(settings.data)
    with _workplace(settings.data) as place:
        kind, major = copy_database(settings, place)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        header = _draft(made, "data", kind, major)
        path = folder / archive.DATA
        with archive.written(path, header, port=port, recovery=recovery) as tar:
            for part in sorted(place.iterdir()):
                tar.add(part, part.name)
            tar.add(folders.blobs(settings.data), "blobs")
        header = _draft(made, "keys", kind, major)
        key_tables.save(server.dsn(settings), place / archive.TABLES)
        path = keys_folder / archive.KEYS
        with archive.written(path, header, port=port, recovery=recovery) as tar:
            tar.add(place / archive.TABLES, archive.TABLES)
            tar.add(folders.keys(settings.data), "keys")
            tar.add(folders.ledger(settings.data), "ledger")
    return archive.header_of(path)


def copy_database(settings: Settings, place: Path) -> tuple[Kind, int]:
    """Copy the database into a folder; return how, and its major version."""
    if settings.database_url:
        return "dump", dump(settings, place / archive.DUMP)
    return "embedded", copy_server(settings, place / archive.POSTGRES)


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
    """Dump the schemas of a real server, but no wrapped key; return its major version.

    Its own physical backups (Barman, pgBackRest) are better for large installations.
    """
    programs = client(settings)
    run_tool(
        [programs.program("pg_dump"), "--format=custom", "--schema=hygie", "--schema=portal",
         "--schema=hygie_keys", "--exclude-table-data=hygie_keys.*", "--no-owner",
         "--file", str(target), "--dbname"],
        secret=settings.database_url,
    )  # fmt: skip
    return programs.major


@contextmanager
def _workplace(data: Path) -> Iterator[Path]:
    """Give a private folder on the disk of the data, which holds it in clear already."""
    place = Path(tempfile.mkdtemp(prefix="backup-", dir=folders.run(data)))
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _draft(made: str, holds: Literal["data", "keys"], kind: Kind, major: int) -> Header:
    return Header(made, holds, kind, major, 0, "", "", "")
