"""The embedded server: initialise, start, stop and reap one PostgreSQL of our own."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from hygie.kernel.database import binaries, folders, leftovers
from hygie.kernel.database.account import Account, let_read, let_through, server_account
from hygie.kernel.database.binaries import Binaries
from hygie.kernel.database.process import dying_with
from hygie.kernel.database.tuning import parameters
from hygie.kernel.errors import Unavailable

log = logging.getLogger(__name__)
SUPERUSER = "postgres"
LOG_LIMIT = 10_000_000
BUILTIN_LOCALE_SINCE = 17


class EmbeddedServer:
    """One PostgreSQL below a data folder, reachable through its Unix socket only.

    The caller holds the :class:`~hygie.kernel.database.lock.FolderLock` of the folder and
    starts the server from its main thread: the server stops when that thread ends.
    """

    def __init__(self, data: Path, *, programs: Binaries | None = None) -> None:
        self.data = data
        self.pgdata = folders.postgres(data)
        self._programs = programs
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process number of the postmaster, or None before start."""
        return self._child.pid if self._child else None

    def dsn(self, *, user: str, database: str) -> str:
        """Return the connection string of one user and database."""
        return embedded_dsn(self.data, user=user, database=database)

    def start(self, *, patience: float = 60.0) -> None:
        """Initialise at first start, clear what a killed server left, start, wait until ready.

        Raises:
            ConfigurationError: no usable PostgreSQL, or the folder belongs to somebody else.
            Unavailable: the server did not become ready; its log says why.
        """
        account = server_account(self.pgdata)
        programs = self._programs = self._programs or binaries.find(self._major_of_data())
        folders.make(self.data)
        prepare_account(account, programs, self.pgdata)
        if not self.pgdata.exists():
            initialise(self.pgdata, programs, account)
        elif account.other and self.pgdata.stat().st_uid != account.uid:
            account.own_all(self.pgdata)
        sockets = folders.make_socket_folder(self.data, account)
        let_through(account, sockets)
        leftovers.clear(self.pgdata, sockets)
        self._launch(programs, account, sockets)
        self._wait_until_ready(patience)

    def is_running(self) -> bool:
        """Return whether the postmaster lives; collects it when it died."""
        return self._child is not None and self._child.poll() is None

    def stop(self, *, patience: float = 10.0) -> None:
        """Stop fast (open transactions roll back), then immediately; collect the process."""
        if self._child is None:
            return
        for deadly in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self._child.poll() is not None:
                break
            self._child.send_signal(deadly)
            try:
                self._child.wait(patience)
            except subprocess.TimeoutExpired:
                log.warning("database.slow_stop", extra={"signal": deadly.name})
        self._child = None

    def _major_of_data(self) -> int | None:
        version = self.pgdata / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    def _launch(self, programs: Binaries, account: Account, sockets: Path) -> None:
        with _open_log(self.data) as output:
            self._child = subprocess.Popen(  # noqa: S603 - our own programme
                [programs.program("postgres"), "-D", str(self.pgdata),
                 *parameters(programs, sockets)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment(),
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops in order
                preexec_fn=dying_with(os.getpid(), signal.SIGINT),  # noqa: PLW1509 - prctl only
                user=account.uid if account.other else None,
                group=account.gid if account.other else None,
                extra_groups=[] if account.other else None,
            )  # fmt: skip

    def _wait_until_ready(self, patience: float) -> None:
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if not self.is_running():
                break
            if self._reported_status() == "ready":
                return
            time.sleep(0.02)
        self.stop()
        raise Unavailable(
            f"PostgreSQL did not start; the end of {folders.logs(self.data) / 'postgres.log'} "
            f"says: {_last_lines(self.data)}"
        )

    def _reported_status(self) -> str:
        """Return line 8 of postmaster.pid, where the server says how far it is."""
        try:
            lines = (self.pgdata / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        status_line = 7
        mine = lines[:1] == [str(self.pid)]
        return lines[status_line].strip() if mine and len(lines) > status_line else ""


def embedded_dsn(data: Path, *, user: str, database: str) -> str:
    """Return the connection string of the embedded server of a data folder."""
    return f"postgresql://{user}@/{database}?host={quote(str(folders.socket_folder(data)))}"


def prepare_account(account: Account, programs: Binaries, pgdata: Path) -> None:
    """Let the server's account reach its programmes and its data."""
    if account.other:
        if programs.wheel:
            let_read(account, programs.folder.parent)
        let_through(account, programs.folder / "postgres", pgdata)


def initialise(pgdata: Path, programs: Binaries, account: Account) -> None:
    """Make PGDATA beside its place, then rename: an interrupted first start leaves nothing."""
    fresh = pgdata.with_name(f"{pgdata.name}.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700, parents=True)
    account.own(fresh, mode=0o700)
    locale = (
        ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if programs.major >= BUILTIN_LOCALE_SINCE
        else ["--locale=C.UTF-8"]
    )
    run_as(
        account,
        [programs.program("initdb"), "-D", str(fresh), "-U", SUPERUSER, "-E", "UTF8", *locale,
         "--data-checksums", "--auth-local=trust", "--auth-host=reject"],
    )  # fmt: skip
    fresh.rename(pgdata)


def run_as(account: Account, command: Sequence[str]) -> None:
    """Run one of PostgreSQL's programmes as the server's account.

    Raises:
        Unavailable: it failed; with what it wrote.
    """
    done = subprocess.run(  # noqa: S603 - our own programme
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        cwd="/",
        user=account.uid if account.other else None,
        group=account.gid if account.other else None,
        extra_groups=[] if account.other else None,
    )
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def environment() -> dict[str, str]:
    """Return the environment of PostgreSQL's programmes: nothing of ours is inherited."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _open_log(data: Path) -> BinaryIO:
    path = folders.logs(data) / "postgres.log"
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.rename(path.with_suffix(".log.1"))
    return path.open("ab")


def _last_lines(data: Path) -> str:
    text = (folders.logs(data) / "postgres.log").read_text(errors="replace")
    return " / ".join(text.splitlines()[-3:])
