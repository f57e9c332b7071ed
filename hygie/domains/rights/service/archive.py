"""The ZIP of an export, written as a stream: entries one after the other, a manifest at the end."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

MANIFEST = "manifest.json"
FORMAT = 1
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class Entry(msgspec.Struct, frozen=True):
    """One file of the archive; ``count`` is its number of lines where it is NDJSON."""

    size: int
    sha256: str
    count: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """What ``manifest.json`` says.

    Attributes:
        patient: id of the Patient resource.
        made: instant of the copy, in UTC.
        source: FHIR base address of the instance it was made by.
        complete: False where the copy was made for a representative, who sees less.
        files: every other file of the archive.
    """

    patient: str
    made: str
    source: str
    complete: bool
    files: dict[str, Entry]
    hygie_export: int = FORMAT


class EntryWriter:
    """Writes one entry and knows its size, lines and SHA-256."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._size = 0
        self.count = 0

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._stream.write(data)
        self._hash.update(data)
        self._size += len(data)

    def line(self, body: bytes) -> None:
        """Append one resource; a line break between two tokens becomes a space."""
        self.write(body.translate(_ONE_LINE) + b"\n")
        self.count += 1

    def entry(self) -> Entry:
        """Return what the manifest says of it."""
        return Entry(self._size, self._hash.hexdigest(), self.count)


class Archive:
    """An open archive; entries are never open two at a time."""

    def __init__(self, stream: IO[bytes], *, at: datetime) -> None:
        self._zip = ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=6)
        self._date = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self.files: dict[str, Entry] = {}

    @contextlib.contextmanager
    def entry(self, name: str) -> Iterator[EntryWriter]:
        """Open one file of the archive for the length of a block."""
        with self._open(name) as stream:
            writer = EntryWriter(stream)
            yield writer
        self.files[name] = writer.entry()

    def add(self, name: str, content: bytes) -> None:
        """Add one file."""
        with self.entry(name) as writer:
            writer.write(content)

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and the table of contents."""
        text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
        with self._open(MANIFEST) as stream:
            stream.write(text + b"\n")
        self._zip.close()

    def _open(self, name: str) -> IO[bytes]:
        info = ZipInfo(name, self._date)
        info.compress_type = ZIP_DEFLATED
        return self._zip.open(info, "w", force_zip64=True)
