"""``hygie export``: current resources as NDJSON, one file per type, with a manifest."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from hygie.app import compose
from hygie.commands import archive
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.store import open_repository
from hygie.kernel.store.exporting import Manifest, export

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "export", about="Write current resources as NDJSON, one file per type.", run=run
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="an empty or new folder"
    )
    parser.add_argument(
        "--type", nargs="+", default=[], metavar="TYPE", help="resource types (default: all)"
    )
    parser.add_argument("--gz", action="store_true", help="compress each file")


def run(arguments: argparse.Namespace) -> int:
    """Export and print the counts.

    Raises:
        InvalidRequest: the folder is not empty.
        Malformed: a type does not exist.
    """
    settings = settings_of(arguments)
    folder: Path = arguments.to.expanduser().resolve()
    archive.check_is_empty(folder, why="an export goes to a folder of its own.")
    # Holds every record it names.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    with server.running(settings):
        manifest = asyncio.run(
            _export(settings, folder, types=arguments.type, compress=arguments.gz)
        )
    for output in manifest.output:
        sys.stdout.write(f"{output.count:>10}  {output.url}\n")
    sys.stdout.write(f"Export of {settings.data} complete: {folder}\n")
    return 0


async def _export(
    settings: Settings, folder: Path, *, types: list[str], compress: bool
) -> Manifest:
    repository = await open_repository(settings, projections=compose(settings).projections)
    try:
        # Nobody watches a bar in a file: without a terminal the final counts are enough.
        with tqdm(unit=" resources", disable=None) as bar:

            def show(rt: str, count: int) -> None:
                bar.set_description(rt)
                bar.n = count
                bar.refresh()

            return await export(repository, folder, types=types, compress=compress, show=show)
    finally:
        await repository.database.close()
