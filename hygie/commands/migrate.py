"""``hygie migrate``: bring the database up to date without serving."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from hygie.commands.options import command, settings_of
from hygie.kernel.database import server
from hygie.supervisor.supervisor import prepare_pages_apart

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    command(commands, "migrate", about="Bring the database up to date, then end.", run=run)


def run(arguments: argparse.Namespace) -> int:
    """Apply what is not applied yet and print it.

    Raises:
        Unavailable: the tables of the pages could not be made.
    """
    settings = settings_of(arguments)
    with server.running(settings) as ready:
        for name in ready.applied:
            sys.stdout.write(f"{name}\n")
        prepare_pages_apart(settings)
        sys.stdout.write("The database is up to date.\n")
    return 0
