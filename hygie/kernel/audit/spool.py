r"""A spool: traces kept in a local file while the access log cannot be written.

One file per process, appended and synchronised before an answer leaves. A line is the base64 of
an Ed25519 signature, a space, and JSON that holds its number, the SHA-256 of the line before, the
instant and the trace: a changed, moved or removed line breaks the chain, and nobody without the
key makes another one. What was cut off the very end of a file is not seen by the file alone.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hygie.kernel.clock import Clock
from hygie.kernel.errors import Unavailable

MOST_BYTES = 64 * 1024 * 1024
"""What one process may spool: some 100,000 accesses."""
SUFFIX = ".spool"
FULL = (
    "The access log cannot be written and the emergency spool takes no more, so nothing is shown; "
    "tell the operator of this platform."
)


class Line(msgspec.Struct, frozen=True):
    """What is signed; ``before`` is the SHA-256 of the line before, empty for the first one."""

    number: int
    before: str
    at: datetime
    trace: msgspec.Raw


class Spool:
    """The spool of this process."""

    def __init__(self, path: Path, key: Ed25519PrivateKey, clock: Clock, *, most: int) -> None:
        self.path = path
        self._key = key
        self._clock = clock
        self._most = most
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._turn = threading.Lock()
        self._number, self._before, self._size = 0, "", 0

    @classmethod
    def create(
        cls, folder: Path, key: Ed25519PrivateKey, clock: Clock, *, most: int = MOST_BYTES
    ) -> Spool:
        """Begin a new file; its name is drawn."""
        spool = cls(folder / f"{uuid.uuid4()}{SUFFIX}", key, clock, most=most)
        _sync_folder(folder)
        return spool

    def write(self, traces: Sequence[bytes]) -> None:
        """Append traces, as JSON; they are on the disk when this returns.

        Raises:
            Unavailable: the spool is full, or the disk refuses: nothing may be answered.
        """
        with self._turn:
            number, before, block = self._number, self._before, b""
            for trace in traces:
                line = self._line(number, before, trace)
                number, before, block = number + 1, digest(line), block + line + b"\n"
            if self._size + len(block) > self._most:
                raise Unavailable(FULL)
            self._append(block)
            self._number, self._before, self._size = number, before, self._size + len(block)

    def close(self) -> None:
        """Close the file, which lets it be merged to its end and removed."""
        with self._turn:
            os.close(self._file)

    def _line(self, number: int, before: str, trace: bytes) -> bytes:
        told = msgspec.json.encode(Line(number, before, self._clock.now(), msgspec.Raw(trace)))
        return base64.b64encode(self._key.sign(told)) + b" " + told

    def _append(self, block: bytes) -> None:
        try:
            written = os.write(self._file, block)
            if written == len(block):
                os.fsync(self._file)
                return
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise Unavailable(FULL) from error
        os.ftruncate(self._file, self._size)
        raise Unavailable(FULL)


@dataclass(frozen=True, slots=True)
class Read:
    """What a spool holds: the lines that are proved, and the sentence of the first that is not."""

    lines: tuple[Line, ...]
    fault: str | None


def read(path: Path, key: Ed25519PublicKey) -> Read:
    """Read a spool up to its first line that is not proved.

    A last line without its end was never acknowledged and is left out.
    """
    lines: list[Line] = []
    before = ""
    for text in path.read_bytes().split(b"\n")[:-1]:
        line = _opened(text, key)
        if line is None:
            return Read(tuple(lines), f"line {len(lines) + 1} is not signed by this installation")
        if line.number != len(lines) or line.before != before:
            return Read(tuple(lines), f"line {len(lines) + 1} does not follow the one before it")
        lines.append(line)
        before = digest(text)
    return Read(tuple(lines), None)


def digest(line: bytes) -> str:
    """Return what the next line holds of this one."""
    return hashlib.sha256(line).hexdigest()


def is_closed(path: Path) -> bool:
    """Return whether the process that wrote a spool is done with it."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _opened(text: bytes, key: Ed25519PublicKey) -> Line | None:
    signature, _, told = text.partition(b" ")
    try:
        key.verify(base64.b64decode(signature, validate=True), told)
        return msgspec.json.decode(told, type=Line)
    except (InvalidSignature, binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
