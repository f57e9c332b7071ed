"""``hygie jobs``: the job worker and the sequencer of the access log; ``serve`` starts one."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from hygie.app import compose
from hygie.commands.options import command, settings_of
from hygie.kernel.audit import emergency, upkeep
from hygie.kernel.audit.timestamps import open_authority
from hygie.kernel.config import Settings
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.outbox import worker
from hygie.kernel.outbox.job import Handler, Job
from hygie.kernel.platform import Job as Periodic
from hygie.kernel.platform import Platform
from hygie.kernel.store import open_repository
from hygie.supervisor import journal

if TYPE_CHECKING:
    from hygie.commands.options import Commands
    from hygie.kernel.database.connection import Connection

log = logging.getLogger(__name__)
CONNECTIONS = worker.LANES + 2


def add(commands: Commands) -> None:
    """Describe the command."""
    command(commands, "jobs", about="Run background jobs beside hygie serve.", run=run)


def run(arguments: argparse.Namespace) -> int:
    """Work until told to stop, on the database of a Hygie that serves."""
    settings = settings_of(arguments)
    journal.set_up(settings.log)
    asyncio.run(work(settings))
    return 0


async def work(settings: Settings) -> None:
    """Run jobs and give traces their place until a signal asks to stop."""
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    platform = compose(settings)
    platform.repository = await open_repository(settings, law=platform.law)
    jobs = await Database.open(settings, size=CONNECTIONS)
    places = await Database.open(settings, role=SEQUENCER, size=upkeep.CONNECTIONS)
    emergency.arm(settings.data)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(worker.run(jobs, handlers(platform), periodic(platform), stop=stop))
            both.create_task(upkeep.run(places, keeping(settings), stop))
    finally:
        for database in (jobs, places, platform.repository.database):
            await database.close()


def keeping(settings: Settings) -> upkeep.Keeping:
    """Return how the access log is kept: the witness of this machine, if it runs, and others.

    Raises:
        ConfigurationError: a witness or the timestamp authority is badly given.
    """
    authority = open_authority(settings.timestamp_url, settings.timestamp_certificate)
    witnesses = upkeep.remotes(settings.data, settings.witnesses)
    return upkeep.Keeping(settings.data, witnesses, authority)


def handlers(platform: Platform) -> dict[str, Handler]:
    """Return what runs each kind of job."""
    return {name: _adapted(job, platform) for name, (_, job) in platform.jobs.items()}


def periodic(platform: Platform) -> dict[str, timedelta]:
    """Return how often each job of the platform starts by itself."""
    return {name: timedelta(seconds=every) for name, (every, _) in platform.jobs.items()}


def _adapted(job: Periodic, platform: Platform) -> Handler:
    async def handle(_connection: Connection, _job: Job) -> None:
        await job(platform)

    return handle
