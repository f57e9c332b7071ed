"""The erasure ledger: what was shredded, in lines that each name the hash of the one before.

It is the only thing that a backup does not bring back to its day: after a restore its lines are
carried out again. A line holds surrogate numbers and ids, and nothing a person could be known by.
It stands in table ``hygie_keys.erasure``, in ``data/ledger/erasures.ndjson``, and in the file of
``HYGIE_LEDGER``; the longest copy counts, and two that contradict each other stop the start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from hygie.kernel.config import Settings
from hygie.kernel.database import folders
from hygie.kernel.errors import ConfigurationError

FIRST = "0" * 64
NAME = "erasures.ndjson"


class Destroyed(msgspec.Struct, frozen=True):
    """One data key that was destroyed; ``id`` is its random id, in hexadecimal."""

    version: int
    id: str


class Erasure(msgspec.Struct, frozen=True):
    """One line of the ledger.

    Attributes:
        number: its place, from 1.
        at: instant of the erasure, UTC.
        patient: surrogate number of the patient.
        keys: the data keys that were destroyed with it.
        resources: ``Type/id`` of resources that were removed as well.
        previous: SHA-256 of the line before, in hexadecimal; zeros for the first.
    """

    number: int
    at: datetime
    patient: int
    keys: tuple[Destroyed, ...]
    resources: tuple[str, ...]
    previous: str

    @property
    def line(self) -> str:
        """Return the line, without its end."""
        return msgspec.json.encode(self).decode()

    @property
    def hash(self) -> str:
        """Return the SHA-256 of the line, in hexadecimal."""
        return line_hash(self.line)


def line_hash(line: str) -> str:
    """Return what the next line names."""
    return hashlib.sha256(line.encode()).hexdigest()


def read_lines(lines: Iterable[str], *, source: str) -> list[Erasure]:
    """Return the lines of a ledger, each verified against the one before.

    Raises:
        ConfigurationError: a line was changed, removed, added or exchanged.
    """
    found: list[Erasure] = []
    before = FIRST
    for number, line in enumerate(lines, 1):
        try:
            erasure = msgspec.json.decode(line, type=Erasure)
        except msgspec.DecodeError as error:
            raise _broken(source, number) from error
        if erasure.number != number or erasure.previous != before or erasure.line != line:
            raise _broken(source, number)
        before = line_hash(line)
        found.append(erasure)
    return found


def longest(copies: Iterable[Sequence[Erasure]]) -> Sequence[Erasure]:
    """Return the longest of some copies of one ledger.

    Raises:
        ConfigurationError: two copies are not the beginning of one another.
    """
    best: Sequence[Erasure] = ()
    for copy in copies:
        short, long = sorted((best, copy), key=len)
        if list(long[: len(short)]) != list(short):
            raise ConfigurationError(
                "Two copies of the erasure ledger contradict each other: keep both, find out which "
                "one was changed, and start with the true one."
            )
        best = long
    return best


class Ledger:
    """The files of the ledger."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths

    @classmethod
    def of(cls, settings: Settings) -> Ledger:
        """Return the ledger of an installation."""
        own = folders.ledger(settings.data) / NAME
        return cls(own, *([settings.ledger] if settings.ledger else []))

    def read(self) -> Sequence[Erasure]:
        """Return the lines of the longest file, verified."""
        return longest(read_file(path) for path in self.paths)

    def bring_up_to(self, erasures: Sequence[Erasure]) -> None:
        """Add, durably, the lines that a file lacks.

        Raises:
            ConfigurationError: a file contradicts them, or cannot be written.
        """
        for path in self.paths:
            try:
                _extend(path, erasures)
            except OSError as error:
                raise ConfigurationError(
                    f"The erasure ledger {path} cannot be written ({error.strerror})."
                ) from error


def read_file(path: Path) -> list[Erasure]:
    """Return the lines of one file, none where it does not exist."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    # A line without its end was being written when the machine stopped: it was not acknowledged.
    return read_lines(text.split("\n")[:-1], source=str(path))


def _extend(path: Path, erasures: Sequence[Erasure]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(file, "r+", encoding="utf-8", newline="") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        lines = stream.read().split("\n")[:-1]
        standing = read_lines(lines, source=str(path))
        whole = longest([standing, erasures])
        stream.seek(sum(len(line.encode()) + 1 for line in lines))
        stream.truncate()
        stream.writelines(f"{erasure.line}\n" for erasure in whole[len(standing) :])
        stream.flush()
        os.fsync(stream.fileno())


def _broken(source: str, number: int) -> ConfigurationError:
    return ConfigurationError(
        f"Line {number} of the erasure ledger {source} was changed: restore the ledger from "
        "another copy."
    )
