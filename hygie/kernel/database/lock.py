"""One programme at a time per data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hygie.kernel.database import folders
from hygie.kernel.errors import ConfigurationError


class FolderLock:
    """The lock ``data/run/lock``: the kernel frees it when its holder dies, however it dies."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._file: int | None = None

    def try_take(self) -> bool:
        """Take the lock unless another programme holds it."""
        file = os.open(folders.run(self.data) / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        return True

    def take(self) -> None:
        """Take the lock.

        Raises:
            ConfigurationError: another programme serves this folder.
        """
        if not self.try_take():
            raise ConfigurationError(
                f"Hygie already runs on {self.data} (process {self.holder()}): stop it first, or "
                "choose another folder with --data."
            )

    def holder(self) -> str:
        """Return the process number that the last holder wrote."""
        return (folders.run(self.data) / "lock").read_text().strip() or "unknown"

    def release(self) -> None:
        """Let the lock go."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
