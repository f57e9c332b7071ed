"""What a backup folder holds, and how it is verified.

::

    manifest.json    what follows, with the SHA-256 of each file; written last
    postgres/        a copy of the embedded server, with its own manifest (pg_basebackup)
    database.dump    or, of a real server, its schemas (pg_dump, custom format)
    blobs/  keys/    copies of those folders
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from hygie.kernel.errors import InvalidRequest

FORMAT = 1
COPIED = ("blobs", "keys")
POSTGRES, DUMP, MANIFEST = "postgres", "database.dump", "manifest.json"
Kind = Literal["embedded", "dump"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``manifest.json`` says.

    Attributes:
        made: instant of the backup, in UTC.
        kind: how the database was copied.
        major: major version of PostgreSQL.
        files: SHA-256 of each file but those of ``postgres/``, which has a manifest of its own.
        format: version of this layout.
    """

    made: str
    kind: Kind
    major: int
    files: dict[str, str]
    format: int = FORMAT


def copy_folders(source: Path, target: Path) -> None:
    """Copy blobs and keys, keeping modes."""
    for name in COPIED:
        if (source / name).exists():
            shutil.copytree(source / name, target / name)


def seal(folder: Path, *, made: str, kind: Kind, major: int) -> Manifest:
    """Write the manifest of a complete backup, durably."""
    files = {str(path.relative_to(folder)): checksum(path) for path in files_of(folder)}
    manifest = Manifest(made, kind, major, files)
    os.sync()
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    os.sync()
    return manifest


def check_is_whole(folder: Path) -> Manifest:
    """Return the manifest of a backup whose files are all there and unchanged.

    Raises:
        InvalidRequest: it is not a backup, was interrupted, or was damaged.
    """
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError, TypeError, ValueError) as error:
        raise InvalidRequest(f"{folder} is not a complete backup of Hygie.") from error
    if manifest.format != FORMAT:
        raise InvalidRequest(f"{folder} was made by a version of Hygie with another layout.")
    found = {str(path.relative_to(folder)): path for path in files_of(folder)}
    for name, expected in manifest.files.items():
        if name not in found or checksum(found[name]) != expected:
            raise InvalidRequest(f"{folder / name} is missing or damaged: take another backup.")
    return manifest


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a backup that its manifest answers for."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and inside[0] not in {POSTGRES, MANIFEST}:
            yield path


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_is_empty(folder: Path, *, why: str) -> None:
    """Raise when a folder holds anything.

    Raises:
        InvalidRequest: with the reason given.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidRequest(f"{folder} is not empty: {why}")
