"""``hygie clear-remnants``: clear the files of the database of what erased rows leave there."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import open_repository
from hygie.kernel.store.remnant_jobs import clear_remnants

if TYPE_CHECKING:
    from hygie.commands.options import Commands

OWN_SERVER = (
    "The journal of a server of your own was left: its superuser runs SELECT pg_switch_wal(); "
    "CHECKPOINT; and its archive keeps what it keeps.\n"
)


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands,
        "clear-remnants",
        about="Clear the files of the database of what erased rows leave there.",
        run=run,
    )
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="write the tables anew: nothing is left in them, and requests wait meanwhile",
    )


def run(arguments: argparse.Namespace) -> int:
    """Clear, while Hygie runs or not, and say what was done."""
    settings = settings_of(arguments)
    server.check_is_installed(settings)
    with server.running(settings):
        files = asyncio.run(_clear(settings, rewrite=arguments.rewrite))
    told = "written anew" if arguments.rewrite else "compacted"
    sys.stdout.write(f"Tables were {told}.\n")
    own = OWN_SERVER if files is None else f"{files} files of the journal were written over.\n"
    sys.stdout.write(own)
    return 0


async def _clear(settings: Settings, *, rewrite: bool) -> int | None:
    repository = await open_repository(settings, law=compose(settings).law)
    admin = None if settings.database_url else server.admin_dsn(settings)
    try:
        return await clear_remnants(repository, SYSTEM, admin_dsn=admin, rewrite=rewrite)
    finally:
        await repository.database.close()
