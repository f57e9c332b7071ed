"""Kill -9 of the database and of the writers, again and again: nothing acknowledged is lost.

Promise of the journal: what was answered is stored exactly as told, what was refused is not, what
was never attempted does not appear, and no version is missing or doubled.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hygie.kernel.config import Settings
from hygie.kernel.database import folders, migrate, roles
from hygie.kernel.database.launcher import SUPERUSER, EmbeddedServer
from hygie.kernel.database.session import connect
from hygie.testing.writers import Journal, faults, stored_versions, wait_until_open


class Machine:
    """A database server and one process that writes to it; both may die at any moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = EmbeddedServer(folder)
        self.journals: list[Journal] = []
        self.writer: subprocess.Popen[bytes] | None = None
        self.dsn = self.server.dsn(user=roles.LOGIN, database="postgres")

    def prepare(self) -> None:
        """Start for the first time: login, roles and tables."""
        self.server.start()
        admin = self.server.dsn(user=SUPERUSER, database="postgres")
        with connect(admin) as session:
            roles.ensure_login(session)
        migrate.prepare(self.dsn, admin_dsn=admin)

    def start_writer(self, seed: int, seconds: float) -> None:
        """Start a process that writes for some seconds and keeps a journal."""
        journal = Journal(self.folder / f"journal-{seed}")
        self.journals.append(journal)
        self.writer = subprocess.Popen(  # noqa: S603 - our own programme
            [sys.executable, "-m", "hygie.testing.writers", self.dsn, str(self.folder),
             str(journal.path), str(seed), str(seconds)],
        )  # fmt: skip

    def kill_server(self) -> None:
        """Kill the postmaster and, as a power cut would, every process of the server."""
        if self.server.pid is None:
            return
        postmaster = psutil.Process(self.server.pid)
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with_signal(process.pid)
        self.server.stop()

    def kill_postmaster(self) -> None:
        """Kill the postmaster alone; its backends find out by themselves."""
        if self.server.pid is not None:
            with_signal(self.server.pid)
            self.server.stop()

    def kill_writer(self) -> None:
        """Kill the writing process."""
        if self.writer is not None:
            with_signal(self.writer.pid)
            self.writer.wait()

    def close(self) -> None:
        """End what still runs."""
        self.kill_writer()
        self.server.stop()
        for journal in self.journals:
            journal.close()

    async def check(self) -> int:
        """Compare the journals with what is stored; return how many writes were acknowledged."""
        events = [event for journal in self.journals for event in journal.events()]
        repository = await wait_until_open(self.dsn, self.folder)
        try:
            wrong = faults(events, await stored_versions(repository))
        finally:
            await repository.database.close()
        assert not wrong, "\n".join(wrong[:20])
        return sum(event["event"] == "ok" for event in events)


def with_signal(pid: int) -> None:
    """Kill one process; it may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="hygie-kill-"))
    folders.make(Settings(data=folder).data)
    made = Machine(folder)
    try:
        made.prepare()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


async def test_nothing_acknowledged_is_lost_in_four_kills(machine: Machine) -> None:
    await loop(machine, rounds=4, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_acknowledged_is_lost_in_two_hundred_kills(machine: Machine) -> None:
    await loop(machine, rounds=200, seed=2)


async def loop(machine: Machine, *, rounds: int, seed: int) -> None:
    """Kill the server, the postmaster alone or the writer; restart; check all journals so far."""
    chance = random.Random(seed)  # noqa: S311 - test data
    acknowledged = 0
    for number in range(rounds):
        machine.start_writer(seed * 1000 + number, seconds=60)
        await writing(machine.journals[-1])
        await asyncio.sleep(chance.uniform(0.05, 0.7))
        victim = ("server", "writer", "postmaster", "both")[number % 4]
        if victim in ("writer", "both"):
            machine.kill_writer()
        if victim in ("server", "both"):
            machine.kill_server()
        elif victim == "postmaster":
            machine.kill_postmaster()
        if victim != "writer":
            await asyncio.to_thread(machine.server.start)
            await asyncio.sleep(chance.uniform(0, 0.3))
        machine.kill_writer()
        told = await machine.check()
        assert told > acknowledged
        acknowledged = told


async def writing(journal: Journal) -> None:
    """Wait until a writer has its first answer."""
    for _ in range(400):
        if any(event["event"] == "ok" for event in journal.events()):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the writer wrote nothing in twenty seconds")
