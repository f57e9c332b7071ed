"""The serving process: granian and its workers, ``python -m hygie.supervisor.serving``.

It starts at the same time as the database: until the supervisor publishes that the database
is up to date, ``/healthz`` answers 503 with the reason.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels

from hygie.kernel.config import settings_from_environment
from hygie.kernel.database.process import die_with_parent
from hygie.supervisor import journal

APPLICATION = "HYGIE_APPLICATION"
DEFAULT_APPLICATION = "hygie.app:application"
PATIENCE = 5
# granian configures logging again in each worker: its lines then go where ours go.
OUR_LOGS = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}},
}


def serve() -> None:
    """Serve until told to stop."""
    settings = settings_from_environment()
    journal.set_up(settings.log)
    os.register_at_fork(after_in_child=_begin_worker)
    Granian(
        os.environ.get(APPLICATION, DEFAULT_APPLICATION),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        log_level=LogLevels.warning,
        log_dictconfig=OUR_LOGS,
        ssl_protocol_min=SSLProtocols.tls12,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        workers_kill_timeout=PATIENCE,
        respawn_failed_workers=True,
    ).serve(target_loader=load)


def load(target: str) -> Callable[..., Any]:
    """Return the application of one worker, made there: ``module:factory`` takes the settings."""
    settings = settings_from_environment()
    journal.set_up(settings.log)
    module, _, factory = target.partition(":")
    application: Callable[..., Any] = getattr(importlib.import_module(module), factory)(settings)
    return application


def _begin_worker() -> None:
    """Let a worker end when it is told to, or when granian's main process is killed.

    A forked worker inherits handlers that only wake the main process: until it has its own, it
    would not hear that it must end.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()


if __name__ == "__main__":
    serve()
