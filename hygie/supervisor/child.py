"""A child process that is kept alive: restarted when it dies, later and later."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from hygie.kernel.database.process import dying_with

log = logging.getLogger(__name__)
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0


class Child:
    """One process of ours; made by the main thread, because it dies with the thread."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = list(command)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._pause = FIRST_PAUSE
        self._start_again_at: float | None = None

    @property
    def pid(self) -> int | None:
        """Return its process number, or None before its first start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it."""
        self._started = time.monotonic()
        self._start_again_at = None
        self._process = subprocess.Popen(  # noqa: S603 - our own programme
            self.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops in order
            preexec_fn=dying_with(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - prctl only
        )

    def returncode(self) -> int | None:
        """Return how it ended, or None while it lives; collects it when it died."""
        return self._process.poll() if self._process else None

    def keep_alive(self) -> None:
        """Start it again when it died, after a pause that doubles while it keeps dying."""
        code = self.returncode()
        if code is None:
            return
        now = time.monotonic()
        if self._start_again_at is None:
            if now - self._started > STEADY_AFTER:
                self._pause = FIRST_PAUSE
            log.error("child.died", extra={"child": self.name, "code": code, "pause": self._pause})
            self._start_again_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif now >= self._start_again_at:
            self.start()

    def stop(self, *, patience: float) -> None:
        """Ask it to end, then insist; collect it."""
        if self._process is None:
            return
        for deadly in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            self._process.send_signal(deadly)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                log.warning("child.slow_stop", extra={"child": self.name, "signal": deadly.name})
