"""Where resources come from: JSON and NDJSON files, compressed or not, folders, and streams."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from hygie.kernel.errors import HygieError, InvalidRequest, Malformed, TooLarge
from hygie.kernel.fhir.scan import MAX_BYTES
from hygie.kernel.store.loading.items import Fault, Group, Item, Source, identify
from hygie.kernel.store.loading.unpacking import unpack

MOST_BUNDLE = 512 * 1024 * 1024
"""Largest JSON file read, in bytes: a Bundle is held in memory whole, NDJSON is not."""
MOST_RATIO, ALWAYS_ALLOWED = 250, 64 * 1024 * 1024
"""How far a .gz file may grow: 250 times its size beyond the first 64 MB; FHIR grows 10 to 60."""
MANIFEST = "manifest.json"
"""Tells of an export's files in their folder, and is none of its resources."""
MOST_BLANK = 10_000
"""Empty lines of a file beyond which it is no list of resources."""
LINES = 500
LINES_BYTES = 8 * 1024 * 1024

_NAMED = re.compile(r".+\.(?P<kind>json|ndjson|jsonl)(?P<gz>\.gz)?", re.IGNORECASE)
# What others point to comes first, so that conditional references find it at once: Synthea's own
# files, then the types of the directory, then patients, in the names of bulk exports.
_EARLY = re.compile(
    r"(?P<synthea>hospitalInformation|practitionerInformation)"
    r"|(?P<directory>Organization|Location|Practitioner|PractitionerRole|HealthcareService)\b"
    r"|(?P<people>Patient|RelatedPerson)\b"
)


@dataclass(frozen=True, slots=True)
class File:
    """One file; its size and date of change stand for its content."""

    path: Path
    size: int
    changed: int

    @classmethod
    def at(cls, path: Path) -> File:
        """Return the file at a path."""
        facts = path.stat()
        return cls(path, facts.st_size, facts.st_mtime_ns)

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    @property
    def weight(self) -> int:
        """Return the size in bytes, as it stands on the disk."""
        return max(self.size, 1)

    @property
    def identity(self) -> str:
        """Return the SHA-256 of path, size and date of change."""
        text = f"{self.path.resolve()}\n{self.size}\n{self.changed}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def groups(self, start: int) -> Iterator[Group]:
        """Yield what the file holds; a fault of the file itself ends it."""
        named = _NAMED.fullmatch(self.path.name)
        lines = named is not None and named["kind"].lower() != "json"
        try:
            with self._open() as (stream, file):
                if lines:
                    yield from self._lines(stream, file, start)
                else:
                    yield _from(unpack(self._read(stream), max_bytes=MOST_BUNDLE), start)
        except HygieError as error:
            yield Group(start, 1.0, faults=[Fault(start, error)])
        except (OSError, EOFError, zlib.error) as error:
            sentence = f"The file cannot be read to its end: {error}."
            yield Group(start, 1.0, faults=[Fault(start, Malformed(sentence))])

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """Give the content, and the file it comes from."""
        with self.path.open("rb") as file:
            if self.path.suffix.lower() == ".gz":
                with gzip.open(file) as stream:
                    yield cast("BinaryIO", stream), file
            else:
                yield file, file

    def _read(self, stream: BinaryIO) -> bytes:
        most = min(MOST_BUNDLE, self._most())
        raw = stream.read(most + 1)
        if len(raw) > most:
            raise _too_large(most)
        return raw

    def _most(self) -> int:
        return max(ALWAYS_ALLOWED, MOST_RATIO * self.size)

    def _lines(self, stream: BinaryIO, file: BinaryIO, start: int) -> Iterator[Group]:
        group, read, held, blank = Group(), 0, 0, 0
        for place, line in enumerate(iter(lambda: stream.readline(MAX_BYTES + 1), b"")):
            read += len(line)
            held += len(line)
            text = line.strip()
            blank += not text
            if len(line) > MAX_BYTES or read > self._most() or blank > MOST_BLANK:
                yield group
                raise _too_large(min(MAX_BYTES, self._most()))
            if place >= start and text:
                _add_line(group, place, text)
            if len(group.items) >= LINES or held > LINES_BYTES:
                group.after, group.share = place + 1, min(1.0, file.tell() / self.weight)
                yield group
                group, held = Group(), 0
            group.after = place + 1
        group.share = 1.0
        yield group


@dataclass(frozen=True, slots=True)
class Feed:
    """Resources made by a programme: lists of JSON texts, the same ones at each run.

    ``name`` stands for the content: change it when the content changes. ``expected`` is a rough
    number of resources, for the progress bar.
    """

    name: str
    records: Iterable[Sequence[bytes]]
    expected: int = 1

    @property
    def weight(self) -> int:
        """Return the expected number of resources."""
        return max(self.expected, 1)

    @property
    def identity(self) -> str:
        """Return the SHA-256 of the name."""
        return hashlib.sha256(f"feed\n{self.name}".encode()).hexdigest()

    def groups(self, start: int) -> Iterator[Group]:
        """Yield one group per record."""
        place = 0
        for record in self.records:
            group = Group(place + len(record), min(1.0, (place + len(record)) / self.weight))
            if group.after > start:
                for offset, raw in enumerate(record):
                    if place + offset >= start:
                        _add_line(group, place + offset, raw)
                yield group
            place = group.after


def find_sources(paths: Iterable[Path]) -> tuple[list[Source], list[Path]]:
    """Return the files below some paths in the order of loading, and those left out by name.

    Raises:
        InvalidRequest: a path does not exist, or is a file of an unknown kind.
    """
    found: dict[Path, File] = {}
    ignored: list[Path] = []
    for path in paths:
        if path.is_dir():
            for below in sorted(path.rglob("*")):
                if below.is_file() and not below.name.startswith("."):
                    if _NAMED.fullmatch(below.name) and below.name != MANIFEST:
                        found.setdefault(below.resolve(), File.at(below))
                    else:
                        ignored.append(below)
        elif not path.is_file():
            raise InvalidRequest(f"{path} is not there.")
        elif not _NAMED.fullmatch(path.name):
            raise InvalidRequest(
                f"{path}: the name must end in .json, .ndjson or .jsonl, with or without .gz."
            )
        else:
            found.setdefault(path.resolve(), File.at(path))
    return [*sorted(found.values(), key=_rank)], ignored


def _rank(file: File) -> int:
    match = _EARLY.match(file.path.name)
    order = {"synthea": 0, "directory": 1, "people": 2, None: 3}
    return order[match.lastgroup if match else None]


def _add_line(group: Group, place: int, raw: bytes) -> None:
    try:
        rt, rid = identify(raw)
    except HygieError as error:
        group.faults.append(Fault(place, error))
    else:
        group.items.append(Item(place, rt, rid, raw, group.links))


def _from(group: Group, start: int) -> Group:
    """Leave out what an earlier run has done; links still know it."""
    group.items = [item for item in group.items if item.place >= start]
    group.faults = [fault for fault in group.faults if fault.place >= start]
    return group


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The file holds over {most} bytes at once, or is nearly empty, or unpacks too far."
    )
