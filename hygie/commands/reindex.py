"""``hygie reindex``: bring search values, facts, matters and labels up to date."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Never

from tqdm import tqdm

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.store import open_repository
from hygie.kernel.store.reindexing import Reindexed, reindex

if TYPE_CHECKING:
    from hygie.commands.options import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    command(
        commands,
        "reindex",
        about="Bring what is kept beside the resources up to date; goes on where it stopped.",
        run=run,
    )


def run(arguments: argparse.Namespace) -> int:
    """Reindex, then say what was done; 1 when a resource could not be prepared anew."""
    settings = settings_of(arguments)
    with server.running(settings):
        done = asyncio.run(_reindex(settings))
    sys.stdout.write(f"{done.seen:>10}  resources\n{done.changed:>10}  changed\n")
    for reference in done.refused:
        sys.stderr.write(f"left as it is, this version would refuse it: {reference}\n")
    return 1 if done.refused else 0


async def _reindex(settings: Settings) -> Reindexed:
    repository = await open_repository(settings, law=compose(settings).law)
    try:
        with tqdm(unit=" resources", disable=None) as bar:
            return await reindex(repository, show=lambda done: _show(bar, done))
    finally:
        await repository.database.close()


def _show(bar: tqdm[Never], done: Reindexed) -> None:
    bar.update(done.seen - bar.n)
