"""Large attachments, kept once each under the SHA-256 of their content."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from hygie.kernel.errors import NotFound, Unavailable


class BlobStore:
    """Files ``ab/cd/abcd….``: written durably before their digest is known to anybody.

    Calls block on the disk; from a coroutine, make them in a thread.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: bytes) -> bytes:
        """Keep the content and return its digest, 32 bytes; a second time costs one look."""
        digest = hashlib.sha256(content).digest()
        path = self.path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        try:
            _write_durably(temporary, content)
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent, self.folder):
            _sync_folder(folder)
        return digest

    def get(self, digest: bytes) -> bytes:
        """Return the content, verified.

        Raises:
            NotFound: nothing is kept under this digest.
            Unavailable: the file was damaged; restore it from a backup.
        """
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("This attachment is not in the blob store.") from error
        if hashlib.sha256(content).digest() != digest:
            raise Unavailable(
                f"The blob {digest.hex()} is damaged on disk: restore it from a backup."
            )
        return content

    def exists(self, digest: bytes) -> bool:
        """Return whether something is kept under this digest."""
        return self.path(digest).exists()

    def delete(self, digest: bytes) -> None:
        """Forget the content; nothing happens where it is unknown."""
        path = self.path(digest)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            _sync_folder(path.parent)

    def path(self, digest: bytes) -> Path:
        """Return where the content stands."""
        name = digest.hex()
        return self.folder / name[:2] / name[2:4] / name


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
