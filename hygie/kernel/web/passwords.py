"""Password hashing with argon2id, at most a few at once and behind everything else.

One hash takes about 0.2 s of CPU and 100 MiB: without a cap, a burst of sign-ins would starve the
engine of both. The threads that hash run at a lower priority, so that the reads of those who are
signed in come first on a machine that is full.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLateError
from functools import cache
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from hygie.kernel.errors import Unavailable

T = TypeVar("T")
AT_ONCE = 2
"""Hashes at once, in one process."""
PATIENCE = 8.0
"""Seconds somebody waits for their turn and their hash."""
NICENESS = 10
"""How far hashing stands behind: a share of about a tenth against a busy thread (nice(2))."""


class CappedArgon2(Argon2PasswordHasher):
    """Django's argon2id hasher with a place in a short queue."""

    def encode(self, password: str, salt: str) -> str:
        """Return the stored form of ``password``."""
        return _in_turn(lambda: super(CappedArgon2, self).encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether ``password`` gives ``encoded``."""
        return _in_turn(lambda: super(CappedArgon2, self).verify(password, encoded))


def _in_turn(work: Callable[[], T]) -> T:
    asked: Future[T] = _hashers().submit(work)
    try:
        return asked.result(PATIENCE)
    except (TooLateError, CancelledError) as late:
        # One that has not begun is never begun: nobody waits for it.
        asked.cancel()
        raise Unavailable("Too many people are signing in at this moment. Try again.") from late


@cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "hygie-hash", initializer=_step_back)


def _step_back() -> None:
    """Lower the priority of this thread; the lanes of argon2 inherit it.

    Linux alone gives each thread its own; elsewhere the call would slow the whole process.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
