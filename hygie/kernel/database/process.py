"""Operating-system processes: which one is it, who owns it, when must it die."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def dying_with(parent: int, deadly: signal.Signals) -> Callable[[], None]:
    """Return a ``preexec_fn`` that ties a child to its parent: see prctl(2), PR_SET_PDEATHSIG.

    The kernel sends the signal when the *thread* that made the child ends, so children are
    made by the main thread only. The setting is lost when the child changes user: Popen changes
    user first and calls this afterwards.
    """

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(deadly), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)

    return tie


def die_with_parent(deadly: signal.Signals = signal.SIGTERM) -> None:
    """Tie this very process to the thread that made it; serving workers call it at start."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(deadly), 0, 0, 0)


def adopt_orphans() -> None:
    """Receive the orphans of our children, so that none stays defunct where PID 1 is lazy."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known: frozenset[int]) -> None:
    """Collect the dead among adopted children; ``known`` ones belong to their Popen object."""
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        # A known one stands in front of the others until its Popen object has collected it.
        if dead is None or dead.si_pid in known:
            return
        os.waitpid(dead.si_pid, os.WNOHANG)


def is_defunct(process: psutil.Process) -> bool:
    """Return whether a process ended and only waits to be collected by its parent."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def servers_of(folder: Path) -> Iterator[psutil.Process]:
    """Yield the live PostgreSQL processes of one data folder, the postmaster among them.

    A server works inside its data folder, and its children with it, whatever title they
    give themselves: the working folder identifies them, a process number does not. Defunct
    processes have no working folder, so they never match.
    """
    wanted = str(folder.resolve())
    for process in psutil.process_iter():
        try:
            if process.name() in {"postgres", "postmaster"} and process.cwd() == wanted:
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
