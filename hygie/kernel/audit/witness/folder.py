"""What a witness keeps, in a folder of mode 0700 that only one process uses.

``key`` and ``name`` of the witness, ``logs`` (the verifier key of each log it knows), ``forks``
(signed heads that it refused), and for each log a file of the heads it accepted, one JSON a line,
appended and synchronised before the answer leaves.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from hygie.kernel.audit import note
from hygie.kernel.audit.note import VerifierKey
from hygie.kernel.errors import ConfigurationError

KEY_FILE = "key"
KEEP_ALL = timedelta(days=7)
"""Older heads are thinned at start, to the last one of each hour."""
_HOUR = 3600


class Kept(msgspec.Struct, frozen=True):
    """A head as a witness keeps it: the signed checkpoint, its own line, seconds since 1970."""

    checkpoint: str
    cosignature: str
    time: int

    def line(self) -> str:
        """Return the head as a line of JSON."""
        return msgspec.json.encode(self).decode()


def heads_name(origin: str) -> str:
    """Return the name of the file of a log's heads."""
    return f"heads-{hashlib.sha256(origin.encode()).hexdigest()[:16]}.ndjson"


def read_heads(path: Path) -> list[Kept]:
    """Return the heads of a file; a last line without its end was never answered.

    Raises:
        ConfigurationError: a line cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
        return [msgspec.json.decode(line, type=Kept) for line in lines]
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path} is damaged: restore it from a backup.") from error


def thin(heads: list[Kept], *, now: datetime) -> list[Kept]:
    """Return the heads without those of the same hour as a later one, seven days back or more.

    A change of key is always kept.
    """
    limit = int((now - KEEP_ALL).timestamp())
    last_of_hour = {one.time // _HOUR: place for place, one in enumerate(heads)}
    return [
        one
        for place, one in enumerate(heads)
        if one.time > limit
        or last_of_hour[one.time // _HOUR] == place
        or "\nnext " in one.checkpoint
    ]


def lock(folder: Path) -> int:
    """Take the folder for this process; closing what is returned gives it back.

    Raises:
        ConfigurationError: another process has it.
    """
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise ConfigurationError(f"A witness already runs on {folder}.") from error
    return file


def name_of(folder: Path) -> str:
    """Return the name of the witness, drawn at first start."""
    path = folder / "name"
    if not path.exists():
        replace(path, f"hygie/witness/{uuid.uuid4()}".encode())
    return path.read_text()


def logs_of(folder: Path) -> list[VerifierKey]:
    """Return the keys of the logs that the witness knows."""
    path = folder / "logs"
    return [note.parse_key(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, line: bytes) -> None:
    """Add a line to a file; it is on the disk when this returns."""
    is_new = not path.exists()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, line + b"\n")
        os.fsync(file)
    finally:
        os.close(file)
    if is_new:
        _sync(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; it is on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.new")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
