"""An encrypted file of any length: a header in clear, then pieces that each open on their own.

Each piece is AES-256-GCM under a key of this file alone. Its nonce counts the pieces and says which
is the last; its additional data is the hash of the header. A piece that was changed, exchanged,
repeated or left out is refused, and so is a file that ends early (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, 2015).

::

    hygie-archive-1 LF | length of the header, 4 bytes | header, JSON | pieces of 1 MiB and a tag
"""

from __future__ import annotations

import hashlib
import struct
from types import TracebackType
from typing import BinaryIO, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hygie.kernel.errors import InvalidRequest

MARK = b"hygie-archive-1\n"
PIECE = 1024 * 1024
TAG = 16
LONGEST_HEADER = 64 * 1024
_LENGTH = struct.Struct(">I")
_NONCE = struct.Struct(">3xQB")


def write_header(stream: BinaryIO, header: bytes) -> bytes:
    """Write the beginning of a file; return what binds its pieces to it."""
    stream.write(MARK + _LENGTH.pack(len(header)) + header)
    return hashlib.sha256(header).digest()


def read_header(stream: BinaryIO, *, name: str) -> bytes:
    """Return the header of a file.

    Raises:
        InvalidRequest: it is no such file.
    """
    start = stream.read(len(MARK) + _LENGTH.size)
    if not start.startswith(MARK) or len(start) < len(MARK) + _LENGTH.size:
        raise InvalidRequest(f"{name} is not an archive of Hygie.")
    (length,) = _LENGTH.unpack(start[len(MARK) :])
    header = stream.read(min(length, LONGEST_HEADER))
    if len(header) != length:
        raise InvalidRequest(f"{name} is damaged at its beginning: take another backup.")
    return header


class Encrypting:
    """Encrypts what is written; ``close`` writes the last piece."""

    def __init__(self, stream: BinaryIO, key: bytes, about: bytes) -> None:
        """Take the file, its own key, and what :func:`write_header` returned."""
        self._stream = stream
        self._cipher = AESGCM(key)
        self._about = about
        self._waiting = bytearray()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What is left unfinished must not look finished.
        if kind is None:
            self._put(last=True)

    def write(self, content: bytes) -> int:
        """Encrypt some bytes."""
        self._waiting += content
        # The last piece is known at the end only: one stays behind.
        while len(self._waiting) > PIECE:
            self._put(last=False)
        return len(content)

    def _put(self, *, last: bool) -> None:
        piece = bytes(self._waiting[:PIECE])
        del self._waiting[:PIECE]
        nonce = _NONCE.pack(self._count, last)
        self._stream.write(self._cipher.encrypt(nonce, piece, self._about))
        self._count += 1


class Decrypting:
    """Reads an encrypted file from after its header; holds two pieces at most."""

    def __init__(self, stream: BinaryIO, key: bytes, about: bytes, *, name: str) -> None:
        """Take the file, its key, the SHA-256 of its header, and its name for sentences."""
        self._stream = stream
        self._cipher = AESGCM(key)
        self._about = about
        self._name = name
        self._ahead = stream.read(PIECE + TAG)
        self._open = bytearray()
        self._count = 0
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, fewer at the end only.

        Raises:
            InvalidRequest: the file was changed, or is not whole.
        """
        while not self._ended and (size < 0 or len(self._open) < size):
            self._take()
        wanted = len(self._open) if size < 0 else size
        content = bytes(self._open[:wanted])
        del self._open[:wanted]
        return content

    def finish(self) -> None:
        """Read what is left, so that the end too was verified."""
        while self.read(PIECE):
            pass

    def _take(self) -> None:
        piece, self._ahead = self._ahead, self._stream.read(PIECE + TAG)
        self._ended = not self._ahead
        try:
            self._open += self._cipher.decrypt(
                _NONCE.pack(self._count, self._ended), piece, self._about
            )
        except (InvalidTag, ValueError) as error:
            raise InvalidRequest(
                f"{self._name} is damaged or not whole: take another backup."
            ) from error
        self._count += 1
