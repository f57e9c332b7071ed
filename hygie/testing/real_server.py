"""A real server for the tests: the system's own PostgreSQL, over TCP with a password.

``python -m hygie.testing.real_server COMMAND...`` runs a command, such as pytest, with
``HYGIE_DATABASE_URL`` set to it. Debian 12 has PostgreSQL 15, the oldest version Hygie accepts.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from hygie.kernel.database.account import server_account
from hygie.kernel.database.binaries import Binaries, installed
from hygie.kernel.database.launcher import run_as

USER = "operator"


def main(command: Sequence[str]) -> int:
    """Run the command against the system's server; skip it, with a sentence, without one."""
    programs = system_binaries()
    if programs is None:
        sys.stdout.write("No PostgreSQL of the system: the tests on a real server are skipped.\n")
        return 0
    with real_server(programs) as url:
        sys.stdout.write(f"On PostgreSQL {programs.major} of the system:\n")
        sys.stdout.flush()
        environment = {**os.environ, "HYGIE_DATABASE_URL": url}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def system_binaries() -> Binaries | None:
    """Return the oldest PostgreSQL of the system that Hygie accepts, or None."""
    return min(
        (found for found in installed() if not found.wheel),
        key=lambda found: found.major,
        default=None,
    )


@contextlib.contextmanager
def real_server(programs: Binaries) -> Iterator[str]:
    """Run a server for the length of a block and yield its address, with a superuser."""
    folder = Path(tempfile.mkdtemp(prefix="hygie-real-"))
    account = server_account(folder / "data")
    account.own(folder, mode=0o700)
    password, port = secrets.token_urlsafe(12), _free_port()
    secret = folder / "password"
    secret.write_text(password)
    account.own(secret, mode=0o600)
    place = str(folder / "data")
    run_as(
        account,
        [programs.program("initdb"), "-D", place, "-U", USER, "-E", "UTF8", "--locale=C.UTF-8",
         "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync"],
    )  # fmt: skip
    options = (
        f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        " -c fsync=off -c max_connections=200"
    )
    pg_ctl = [programs.program("pg_ctl"), "-D", place, "-w", "-s"]
    # A log file, or the server would keep our pipes open.
    run_as(account, [*pg_ctl, "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
    finally:
        run_as(account, [*pg_ctl, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
