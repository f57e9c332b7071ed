"""Start everything in order, keep it alive, stop it in order.

::

    lock the folder > checks > serving starts --------------------> /healthz 503, then 200
                             > PostgreSQL > migrations > witness, jobs, cards > population > ready

Stopping goes the other way: serving, cards, jobs, witness, PostgreSQL.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

from hygie.kernel.config import Settings, environment_of
from hygie.kernel.database import server, state
from hygie.kernel.database.launcher import EmbeddedServer
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.process import adopt_orphans, reap_orphans
from hygie.kernel.database.state import State
from hygie.kernel.errors import ConfigurationError, Unavailable
from hygie.kernel.security.keys import check_keys
from hygie.kernel.security.keys.shredding import check_is_repeated
from hygie.supervisor.checks import check_port_is_free, check_tls
from hygie.supervisor.child import Child
from hygie.supervisor.health import answers

log = logging.getLogger(__name__)
TICK = 0.1
SERVING_PATIENCE = 6.0
JOBS_PATIENCE = 3.0
DATABASE_PATIENCE = 5.0


PREPARE_PAGES = (sys.executable, "-m", "hygie.supervisor.preparation")


def prepare_pages_apart(settings: Settings) -> None:
    """Prepare the pages in a process of their own: Django is configured once a process.

    Raises:
        Unavailable: the tables or the static files could not be made.
    """
    environment = {**os.environ, **environment_of(settings)}
    prepared = subprocess.run(PREPARE_PAGES, env=environment, check=False)  # noqa: S603 - ours
    if prepared.returncode:
        raise Unavailable("The pages could not be prepared; the lines above say why.")


class StopRequested(BaseException):
    """A signal asked to stop; raised in the main thread wherever it stands."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What the children run.

    Attributes:
        serving: answers requests.
        jobs: background work.
        witness: keeps and cosigns the heads of the access log; empty for none.
        cards: listens to the cards of professionals; empty for none.
        pages: brings the pages' tables and files up to date, then ends; empty for none.
        population: makes the demonstration population, then ends; empty when it is there.
    """

    serving: Sequence[str] = (sys.executable, "-m", "hygie.supervisor.serving")
    jobs: Sequence[str] = (sys.executable, "-m", "hygie", "jobs")
    witness: Sequence[str] = ()
    cards: Sequence[str] = ()
    pages: Sequence[str] = ()
    population: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """The programme behind ``hygie serve``."""

    def __init__(
        self,
        settings: Settings,
        *,
        commands: Commands,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self._on_ready = on_ready
        self._commands = commands
        environment = {**os.environ, **environment_of(settings), **commands.environment}
        self._serving = Child("serving", commands.serving, environment)
        self._jobs = Child("jobs", commands.jobs, environment)
        self._witness = Child("witness", commands.witness, environment)
        self._cards = Child("cards", commands.cards, environment)
        self._passing = [
            Child(name, each, environment)
            for name, each in (("pages", commands.pages), ("population", commands.population))
        ]
        self._database = None if settings.database_url else EmbeddedServer(settings.data)
        self._stopping = False
        self._state = State("starting")

    def run(self) -> int:
        """Serve until a signal asks to stop; return the exit code.

        Raises:
            ConfigurationError: this folder is served already, or the start is impossible.
        """
        lock = FolderLock(self.settings.data)
        lock.take()
        adopt_orphans()
        self._listen_to_signals()
        try:
            check_tls(self.settings)
            check_port_is_free(self.settings)
            check_keys(self.settings)
            self._start()
            while True:
                time.sleep(TICK)
                self._look_after()
        except StopRequested:
            return 0
        finally:
            self._stop()
            lock.release()

    def _start(self) -> None:
        self._publish("starting", "the database is starting")
        self._serving.start()
        self._start_database()
        self._publish("starting", "the database is being brought up to date")
        server.prepare(self.settings)
        check_is_repeated(self.settings, server.dsn(self.settings))
        pages, population = self._passing
        self._wait_for_end(pages)
        self._publish("starting", "the programme is starting", database=True)
        if self._witness.command:
            self._witness.start()
        self._jobs.start()
        if self._cards.command:
            self._cards.start()
        self._wait_for_end(population)
        self._publish("ready", database=True)
        while not answers(self.settings):
            time.sleep(TICK)
            self._look_after()
        log.info("supervisor.ready", extra={"address": self.settings.base_url})
        self._on_ready()

    def _wait_for_end(self, child: Child) -> None:
        """Run a child that prepares something; an interrupted one goes on at the next start.

        Raises:
            Unavailable: it failed.
        """
        if not child.command:
            return
        child.start()
        while (code := child.returncode()) is None:
            time.sleep(TICK)
            self._look_after()
        if code:
            raise Unavailable(
                f"The preparation of the {child.name} failed; the lines above say why. Start again "
                "to go on where it stopped."
            )

    def _look_after(self) -> None:
        children = (self._serving, self._jobs, self._witness, self._cards)
        for child in children:
            child.keep_alive()
        if self._database is not None and not self._database.is_running():
            self._restart_database()
        known = {child.pid for child in (*children, *self._passing) if child.pid}
        if self._database is not None and self._database.pid:
            known.add(self._database.pid)
        reap_orphans(frozenset(known))

    def _start_database(self) -> None:
        if self._database is not None:
            self._database.start()

    def _restart_database(self) -> None:
        log.error("database.died")
        before = self._state
        again = State("starting", "the database is starting again", database=True)
        state.publish(self.settings.data, again)
        try:
            self._start_database()
        except (Unavailable, ConfigurationError) as error:
            log.exception("database.restart_failed", exc_info=error)
            time.sleep(1)
            return
        state.publish(self.settings.data, before)

    def _stop(self) -> None:
        self._stopping = True
        self._publish("stopping", "the programme is stopping")
        self._serving.stop(patience=SERVING_PATIENCE)
        self._cards.stop(patience=JOBS_PATIENCE)
        for child in self._passing:
            child.stop(patience=JOBS_PATIENCE)
        self._jobs.stop(patience=JOBS_PATIENCE)
        self._witness.stop(patience=JOBS_PATIENCE)
        if self._database is not None:
            self._database.stop(patience=DATABASE_PATIENCE)
        reap_orphans(frozenset())

    def _listen_to_signals(self) -> None:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            log.info("supervisor.stopping", extra={"signal": signal.Signals(number).name})
            raise StopRequested

    def _publish(self, status: state.Status, reason: str = "", *, database: bool = False) -> None:
        self._state = State(status, reason, database)
        state.publish(self.settings.data, self._state)
