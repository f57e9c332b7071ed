"""Look for what was erased in the raw files of an installation, whatever reads them otherwise."""

from __future__ import annotations

import base64
import mmap
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

AREAS = {
    "postgres/base": "tables and indexes",
    "postgres/pg_wal": "journal",
    "postgres": "rest of PostgreSQL",
    "blobs": "documents",
}
"""What the folders of a data folder are called in a finding; others keep their own name."""


def forms(secret: bytes) -> list[bytes]:
    """Return how bytes may stand in a file: as they are, and in base64 at each of three offsets.

    >>> forms(b"a marker of some length")[1]
    b'YSBtYXJrZXIgb2Ygc29tZSBsZW5ndGg'
    """
    encoded = []
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + secret).rstrip(b"=")
        # The first and last letters also hold bits of the neighbours.
        encoded.append(text[4:-1] if offset else text)
    return [secret, *encoded]


def scan(folder: Path, needles: Mapping[str, list[bytes]]) -> Mapping[str, Counter[str]]:
    """Count, for each named needle, in how many places of each area of a folder it stands."""
    found: dict[str, Counter[str]] = {name: Counter() for name in needles}
    for path in _files(folder):
        area = _area(path.relative_to(folder))
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ) as text:
            for name, given in needles.items():
                count = sum(_count(text, one) for one in given)
                if count:
                    found[name][area] += count
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            yield path


def _area(path: Path) -> str:
    for beginning, name in AREAS.items():
        if path.is_relative_to(beginning):
            return name
    return path.parts[0]


def _count(text: mmap.mmap, needle: bytes) -> int:
    count, at = 0, text.find(needle)
    while at >= 0:
        count, at = count + 1, text.find(needle, at + 1)
    return count
