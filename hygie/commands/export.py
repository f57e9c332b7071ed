"""``hygie export``: every current resource as NDJSON, one file per type."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.archive import check_is_empty
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.store import open_repository
from hygie.kernel.store.exporting import Manifest, export

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(commands, "export", about="Write resources as NDJSON, by type.", run=run)
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="an empty or new folder"
    )
    parser.add_argument("--type", action="append", default=[], metavar="T", help="only this type")
    parser.add_argument("--compress", action="store_true", help="write .ndjson.gz")


def run(arguments: argparse.Namespace) -> int:
    """Export, then print how many resources of each type left.

    Raises:
        InvalidRequest: the folder is not empty, or there is nothing to export.
        Malformed: a type does not exist.
    """
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    folder: Path = arguments.to.expanduser().resolve()
    check_is_empty(folder, why="an export goes to a folder of its own.")
    # Holds records in clear: for its owner only.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with server.running(settings):
        manifest = asyncio.run(
            _export(settings, folder, types=arguments.type, compress=arguments.compress)
        )
    for output in manifest.output:
        sys.stdout.write(f"{output.count:>10}  {output.type}\n")
    total = sum(output.count for output in manifest.output)
    sys.stdout.write(f"{total:>10}  resources in {folder}\n")
    return 0


async def _export(
    settings: Settings, folder: Path, *, types: Sequence[str], compress: bool
) -> Manifest:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        return await export(repository, folder, types=types, compress=compress)
    finally:
        await repository.database.close()
