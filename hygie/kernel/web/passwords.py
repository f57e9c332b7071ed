"""Password hashing with argon2id, at most a few at once.

One hash takes about 0.2 s of CPU and 100 MiB: without a cap, a burst of sign-ins would starve the
engine of both.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher

from hygie.kernel.errors import Unavailable

AT_ONCE = 2
PATIENCE = 8.0
_places = threading.BoundedSemaphore(AT_ONCE)


class CappedArgon2(Argon2PasswordHasher):
    """Django's argon2id hasher with a place in a short queue."""

    def encode(self, password: str, salt: str) -> str:
        """Return the stored form of ``password``."""
        with _place():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Tell whether ``password`` gives ``encoded``."""
        with _place():
            return super().verify(password, encoded)


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=PATIENCE):
        raise Unavailable("Too many people are signing in at this moment. Try again.")
    try:
        yield
    finally:
        _places.release()
