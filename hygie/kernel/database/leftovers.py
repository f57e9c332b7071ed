"""Clear what a killed server left: its live processes, then its stale lock files.

After a ``kill -9`` of everything, or a reboot, ``postmaster.pid`` and ``.s.PGSQL.5432.lock``
may name a process that is dead, defunct, or by now somebody else's; PostgreSQL only asks
whether the number exists, and refuses to start. Here the process itself is looked at.
"""

from __future__ import annotations

import logging
import signal
import time
from pathlib import Path

import psutil

from hygie.kernel.database.process import is_defunct, servers_of
from hygie.kernel.errors import ConfigurationError

log = logging.getLogger(__name__)
PATIENCE = {signal.SIGINT: 30.0, signal.SIGQUIT: 10.0, signal.SIGKILL: 5.0}
CLOCK_STEP = 5.0


def clear(pgdata: Path, sockets: Path) -> None:
    """Stop any live server of this data folder, then remove its lock files.

    The caller holds the lock of the data folder, so no other Hygie uses that server.

    Raises:
        ConfigurationError: a lock may belong to a live server that cannot be looked at.
    """
    stop_servers(pgdata)
    locks = (pgdata / "postmaster.pid", *sockets.glob(".s.PGSQL.*.lock"))
    for lock in locks:
        if lock.exists():
            check_is_stale(lock, pgdata)
            lock.unlink()
            log.warning("database.stale_lock_removed", extra={"lock": lock.name})
    for socket in sockets.glob(".s.PGSQL.*"):
        socket.unlink()


def stop_servers(pgdata: Path) -> None:
    """Stop the processes that still serve a data folder: fast, then immediate, then by force.

    Children of a dead postmaster leave by themselves; the signals are for those that do not.
    """
    for deadly, patience in PATIENCE.items():
        alive = list(servers_of(pgdata))
        if not alive:
            return
        log.warning("database.left_running", extra={"processes": len(alive), "signal": deadly.name})
        # A fast stop is asked of the postmaster alone: it tells its children itself.
        told = [p for p in alive if p.pid == _pid_of(pgdata / "postmaster.pid")] or alive
        for process in told if deadly is not signal.SIGKILL else alive:
            _send(process, deadly)
        _wait_for_silence(pgdata, patience)


def check_is_stale(lock: Path, pgdata: Path) -> None:
    """Raise when the process a lock file names may be a live server of this data folder.

    Raises:
        ConfigurationError: with the number of that process.
    """
    pid = _pid_of(lock)
    if pid is None or not psutil.pid_exists(pid):
        return
    try:
        process = psutil.Process(pid)
        if is_defunct(process) or process.name() not in {"postgres", "postmaster"}:
            return
        if process.cwd() != str(pgdata.resolve()):
            return
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        if not _started_when_locked(psutil.Process(pid), lock):
            return
    raise ConfigurationError(
        f"Process {pid} may be a live server of {pgdata}: stop it first (kill -INT {pid}), then "
        "start again."
    )


def _started_when_locked(process: psutil.Process, lock: Path) -> bool:
    """Compare the start of a process we may not look into with line 3 of the lock."""
    lines = lock.read_text().splitlines()
    try:
        return abs(process.create_time() - float(lines[2])) <= CLOCK_STEP
    except (IndexError, ValueError, psutil.NoSuchProcess):
        return False


def _pid_of(lock: Path) -> int | None:
    try:
        return abs(int(lock.read_text().splitlines()[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _send(process: psutil.Process, deadly: signal.Signals) -> None:
    try:
        process.send_signal(deadly)
    except psutil.NoSuchProcess:
        return


def _wait_for_silence(pgdata: Path, patience: float) -> None:
    limit = time.monotonic() + patience
    while time.monotonic() < limit and any(servers_of(pgdata)):
        time.sleep(0.05)
