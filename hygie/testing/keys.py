"""A key service that waits and stops, as one of another organisation does."""

from __future__ import annotations

import time
from pathlib import Path

from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.port import Wrapped


class RemoteKeys:
    """The keys of a folder behind a line that can be cut (``stopped``) or slow (``delay``).

    Attributes:
        stopped: every call is refused.
        delay: seconds that each call takes.
        asked: how many keys were unwrapped.
    """

    blocks = True

    def __init__(self, folder: Path) -> None:
        self.stopped = False
        self.delay = 0.0
        self.asked = 0
        self._keys = FileKeys(folder)

    def versions(self) -> list[int]:
        """Return the versions."""
        self._travel()
        return self._keys.versions()

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        """Encrypt a data key."""
        self._travel()
        return self._keys.wrap(key, about=about)

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        """Return the data key."""
        self._travel()
        self.asked += 1
        return self._keys.unwrap(wrapped, about=about)

    def rotate(self) -> int:
        """Make a new version."""
        self._travel()
        return self._keys.rotate()

    def destroy(self, version: int) -> None:
        """Destroy a version."""
        self._travel()
        self._keys.destroy(version)

    def _travel(self) -> None:
        time.sleep(self.delay)
        if self.stopped:
            raise Unavailable("The key service does not answer; retry in a few seconds.")
