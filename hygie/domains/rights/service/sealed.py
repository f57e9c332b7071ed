"""A file sealed under a key of its own, written and read as a stream (AES-256-GCM, STREAM).

The file is a sequence of pieces of 64 KiB, each with its own tag. The nonce counts the pieces and
marks the last one, so that a piece that is moved, repeated or cut off is refused (Hoang,
Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption", 2015: construction STREAM).
A key seals one file only: the nonce needs no random part.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hygie.kernel.errors import Unavailable

PIECE = 64 * 1024
TAG = 16


def new_key() -> bytes:
    """Return a fresh key of 32 bytes, for one file."""
    return secrets.token_bytes(32)


class SealedWriter(io.RawIOBase):
    """A binary stream that only appends; ``close`` seals the last piece.

    ``written`` counts the bytes in clear.
    """

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        self._pending = bytearray()
        self._place = 0
        self.written = 0

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, data: object) -> int:
        """Append bytes."""
        view = memoryview(data)  # type: ignore[arg-type]  # what a file takes
        self._pending += view
        self.written += view.nbytes
        while len(self._pending) > PIECE:
            self._seal(bytes(self._pending[:PIECE]), last=False)
            del self._pending[:PIECE]
        return view.nbytes

    def close(self) -> None:
        """Seal what is left; without this the file is refused."""
        if not self.closed:
            self._seal(bytes(self._pending), last=True)
            self._pending.clear()
            self._file.flush()
        super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._place, last=last), piece, None))
        self._place += 1


class SealedReader(io.RawIOBase):
    """The content of a sealed file, read from any place: one piece is opened at a time.

    Raises:
        Unavailable: a piece that is read was damaged or changed; ask for another export.
    """

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        total = file.seek(0, io.SEEK_END)
        self._count = max(1, -(-total // (PIECE + TAG)))
        self.size = total - self._count * TAG
        self._at = 0
        self._piece = b""
        self._place = -1

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place of the content."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place that is read next."""
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill a buffer with what follows, at most to the end of a piece."""
        into = memoryview(buffer)  # type: ignore[arg-type]  # what a file fills
        place, start = divmod(self._at, PIECE)
        if place >= self._count:
            return 0
        found = self._open(place)[start : start + into.nbytes]
        into[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _open(self, place: int) -> bytes:
        if place != self._place:
            self._file.seek(place * (PIECE + TAG))
            sealed = self._file.read(PIECE + TAG)
            nonce = _nonce(place, last=place == self._count - 1)
            try:
                self._piece, self._place = self._cipher.decrypt(nonce, sealed, None), place
            except InvalidTag as error:
                raise Unavailable(
                    "The prepared file was damaged on the disk. Ask for a new one."
                ) from error
        return self._piece


def unsealed(path: Path, key: bytes) -> Iterator[bytes]:
    """Yield the content of a sealed file, piece by piece.

    Raises:
        Unavailable: it was damaged or changed; ask for another export.
    """
    with path.open("rb") as file:
        reader = SealedReader(file, key)
        while piece := reader.read(PIECE):
            yield piece


def _nonce(place: int, *, last: bool) -> bytes:
    return place.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
