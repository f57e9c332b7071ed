"""``hygie migrate``: bring the database up to date without serving."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from hygie.commands.options import command, settings_of
from hygie.kernel.config import environment_of
from hygie.kernel.database import server
from hygie.kernel.errors import Unavailable
from hygie.supervisor.supervisor import PREPARE_PAGES

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
        environment = {**os.environ, **environment_of(settings)}
        # In a process of its own, as under the supervisor: Django is configured once a process.
        prepared = subprocess.run(PREPARE_PAGES, env=environment, check=False)  # noqa: S603 - ours
        if prepared.returncode:
            raise Unavailable("The tables of the pages could not be made; the lines above say why.")
        sys.stdout.write("The database is up to date.\n")
    return 0
