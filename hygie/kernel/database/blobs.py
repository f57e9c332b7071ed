"""Large attachments as files. What they hold is encrypted before it comes here.

A name is 16 random bytes: it says nothing of the content. Earlier versions of Hygie named a plain
file by the SHA-256 of its content, 32 bytes; those are still read, until ``hygie keys encrypt``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from hygie.kernel.errors import NotFound, Unavailable

NAME_BYTES = 16
DIGEST_BYTES = 32


class BlobStore:
    """Files ``ab/cd/abcd….``: written durably before their name is known to anybody.

    Calls block on the disk; from a coroutine, make them in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> bytes:
        """Keep the content and return its name."""
        name = secrets.token_bytes(NAME_BYTES)
        path = self.path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name}"
        try:
            _write_durably(temporary, content)
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent, self.folder):
            _sync_folder(folder)
        return name

    def get(self, name: bytes) -> bytes:
        """Return the content.

        Raises:
            NotFound: nothing is kept under this name.
            Unavailable: a plain file was damaged; restore it from a backup.
        """
        try:
            content = self.path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("This attachment is not in the blob store.") from error
        if is_plain(name) and hashlib.sha256(content).digest() != name:
            raise Unavailable(
                f"The blob {name.hex()} is damaged on disk: restore it from a backup."
            )
        return content

    def exists(self, name: bytes) -> bool:
        """Return whether something is kept under this name."""
        return self.path(name).exists()

    def delete(self, name: bytes) -> None:
        """Forget the content; nothing happens where it is unknown."""
        path = self.path(name)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            _sync_folder(path.parent)

    def path(self, name: bytes) -> Path:
        """Return where the content stands."""
        text = name.hex()
        return self.folder / text[:2] / text[2:4] / text


def is_plain(name: bytes) -> bool:
    """Tell whether a name is that of a plain file of earlier versions."""
    return len(name) == DIGEST_BYTES


def _write_durably(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
