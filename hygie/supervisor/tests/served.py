"""Run the supervisor as a programme of its own, as a test or a bench needs it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import psutil

from hygie.kernel.config import settings_from_environment
from hygie.kernel.database.process import servers_of
from hygie.supervisor import journal
from hygie.supervisor.supervisor import Commands, Supervisor

MODULE = "hygie.supervisor.tests.served"
APPLICATION = "hygie.supervisor.tests.stand_in:application"


def main() -> int:
    """Supervise the stand-in application."""
    settings = settings_from_environment()
    journal.set_up(settings.log)
    sleep = (sys.executable, "-c", "import time; time.sleep(3600)")
    commands = Commands(jobs=sleep, environment={"HYGIE_APPLICATION": APPLICATION})
    return Supervisor(settings, commands=commands).run()


class Served:
    """A supervisor on a data folder and a free port."""

    def __init__(
        self, data: Path, port: int | None = None, *, command: Sequence[str] = ("-m", MODULE)
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.output = data.with_suffix(".output")
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own programme
                [sys.executable, *command],
                env={**os.environ, "HYGIE_DATA": str(data), "HYGIE_PORT": str(self.port)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def health(self) -> tuple[int, dict[str, object]]:
        """Return status and body of ``/healthz``; 0 when nothing listens."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/healthz", timeout=5
            ) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except OSError:
            return 0, {}

    def wait_until(self, status: int, *, patience: float = 20.0) -> None:
        limit = time.monotonic() + patience
        while self.health()[0] != status:
            assert time.monotonic() < limit, self.output.read_text()
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def postmaster(self) -> psutil.Process:
        (only,) = [p for p in servers_of(self.data / "postgres") if p.ppid() == self.process.pid]
        return only

    def stop(self, asked: signal.Signals = signal.SIGTERM) -> float:
        """Ask to stop and return how many seconds it took."""
        started = time.monotonic()
        self.process.send_signal(asked)
        assert self.process.wait(20) == 0, self.output.read_text()
        return time.monotonic() - started

    def kill_everything(self) -> None:
        """Do what an impatient operator does: ``kill -9`` on all that belongs to it."""
        # The supervisor first, or it would start again what is stopped.
        doomed = [psutil.Process(self.process.pid), *self.children()]
        for signalled in (signal.SIGSTOP, signal.SIGKILL):
            for process in doomed:
                # The database ends the processes of closed connections by itself.
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signalled)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
