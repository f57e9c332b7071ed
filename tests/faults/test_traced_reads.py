"""Kill -9 at random instants: nothing was ever shown without its trace (G8).

The long run kills two hundred times; a short seed runs in CI. A negative control shows that the
check would see an answer that left too early.
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
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hygie.kernel.config import Settings
from hygie.kernel.database import folders, migrate, roles
from hygie.kernel.database.launcher import SUPERUSER, EmbeddedServer
from hygie.kernel.database.session import connect
from hygie.testing.readers import untraced
from hygie.testing.writers import Event, Journal


class Reading:
    """A database server and one process that reads from it; both may die at any moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = EmbeddedServer(folder)
        self.dsn = self.server.dsn(user=roles.LOGIN, database="postgres")
        self.admin = self.server.dsn(user=SUPERUSER, database="postgres")
        self.journals: list[Journal] = []
        self.reader: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self.server.start()
        with connect(self.admin) as session:
            roles.ensure_login(session)
        migrate.prepare(self.dsn, admin_dsn=self.admin)

    def start_reader(self, seed: int) -> Journal:
        journal = Journal(self.folder / f"shown-{seed}")
        self.journals.append(journal)
        self.reader = subprocess.Popen(  # noqa: S603 - our own programme
            [sys.executable, "-m", "hygie.testing.readers", self.dsn, str(self.folder),
             str(journal.path), str(seed), "60"],
        )  # fmt: skip
        return journal

    def kill_server(self) -> None:
        if self.server.pid is None:
            return
        postmaster = psutil.Process(self.server.pid)
        for process in [postmaster, *postmaster.children(recursive=True)]:
            kill(process.pid)
        self.server.stop()

    def kill_reader(self) -> None:
        if self.reader is not None:
            kill(self.reader.pid)
            self.reader.wait()

    def events(self) -> list[Event]:
        return [event for journal in self.journals for event in journal.events()]

    def close(self) -> None:
        self.kill_reader()
        self.server.stop()
        for journal in self.journals:
            journal.close()


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def reading() -> Iterator[Reading]:
    folder = Path(tempfile.mkdtemp(prefix="hygie-read-"))
    folders.make(Settings(data=folder).data)
    made = Reading(folder)
    try:
        made.prepare()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


async def test_nothing_is_shown_untraced_in_four_kills(reading: Reading) -> None:
    await loop(reading, rounds=4, seed=1)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_is_shown_untraced_in_two_hundred_kills(reading: Reading) -> None:
    await loop(reading, rounds=200, seed=2)


async def test_the_check_sees_what_was_shown_without_a_trace(reading: Reading) -> None:
    ghost = str(uuid.uuid4())
    assert await untraced(reading.admin, [{"event": "shown", "request": ghost}]) == [ghost]


async def loop(reading: Reading, *, rounds: int, seed: int) -> None:
    """Kill the server or the reader at a random instant, restart, look for what was not traced."""
    chance = random.Random(seed)  # noqa: S311 - test data
    shown = 0
    for number in range(rounds):
        await reading_well(reading.start_reader(seed * 1000 + number))
        await asyncio.sleep(chance.uniform(0.02, 0.6))
        if number % 2:
            reading.kill_reader()
        else:
            reading.kill_server()
            await asyncio.to_thread(reading.server.start)
            await asyncio.sleep(chance.uniform(0, 0.3))
        reading.kill_reader()
        events = reading.events()
        assert len(events) > shown
        assert not await untraced(reading.admin, events[shown:])
        shown = len(events)


async def reading_well(journal: Journal) -> None:
    """Wait until a reader was shown something."""
    for _ in range(400):
        if any(journal.events()):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the reader was shown nothing in twenty seconds")
