"""``hygie export``: everything that is stored now, as NDJSON."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from hygie.app import compose
from hygie.commands.archive import check_is_empty
from hygie.commands.options import command, settings_of
from hygie.kernel.config import Settings
from hygie.kernel.database import server
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store import open_repository
from hygie.kernel.store.exporting import export

if TYPE_CHECKING:
    from hygie.commands.options import Commands

Write = Callable[[str, bytes], object]
NEWLINES = b"\r\n"


def add(commands: Commands) -> None:
    """Describe the command."""
    parser = command(
        commands, "export", about="Write every resource as NDJSON, one line each.", run=run
    )
    parser.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="PLACE",
        help="one file (.ndjson, .ndjson.gz), or a folder that gets one file per type",
    )


def run(arguments: argparse.Namespace) -> int:
    """Export, then print how many resources of each type left.

    Raises:
        InvalidRequest: the place holds something already.
    """
    settings = settings_of(arguments)
    place: Path = arguments.to.expanduser()
    writing = one_file if place.name.endswith((".ndjson", ".ndjson.gz")) else file_per_type
    with server.running(settings), writing(place) as write:
        counts = asyncio.run(_export(settings, write))
    for name, count in sorted(counts.items()):
        sys.stdout.write(f"{count:>10}  {name}\n")
    sys.stdout.write(f"{counts.total():>10}  resources in {place}\n")
    return 0


async def _export(settings: Settings, write: Write) -> Counter[str]:
    repository = await open_repository(settings, projections=compose(settings).projections)
    counts: Counter[str] = Counter()
    try:
        async with contextlib.aclosing(export(repository)) as everything:
            async for name, body in everything:
                write(name, on_one_line(body))
                counts[name] += 1
    finally:
        await repository.database.close()
    return counts


def on_one_line(body: bytes) -> bytes:
    r"""Return a body as one line; in JSON a line break stands between tokens only, never inside.

    >>> on_one_line(b'{\n "a": 1.10\n}')
    b'{  "a": 1.10 }\n'
    """
    for newline in NEWLINES:
        body = body.replace(bytes([newline]), b" ")
    return body + b"\n"


@contextlib.contextmanager
def one_file(place: Path) -> Iterator[Write]:
    """Write everything to one file, which appears when it is complete."""
    if place.exists():
        raise InvalidRequest(f"{place} is there already: choose another name.")
    draft = _draft(place)
    with _open(draft, packed=place.suffix == ".gz") as file:
        yield lambda _, line: file.write(line)
    draft.rename(place)


@contextlib.contextmanager
def file_per_type(place: Path) -> Iterator[Write]:
    """Write one file per type into a folder; each appears when all are complete."""
    check_is_empty(place, why="an export goes to a folder of its own.")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        files: dict[str, BinaryIO] = {}

        def write(name: str, line: bytes) -> None:
            if name not in files:
                draft = _draft(place / f"{name}.ndjson")
                files[name] = closing.enter_context(_open(draft, packed=False))
            files[name].write(line)

        yield write
    for name in files:
        (place / f".{name}.ndjson.part").rename(place / f"{name}.ndjson")


def _draft(place: Path) -> Path:
    return place.with_name(f".{place.name}.part")


@contextlib.contextmanager
def _open(path: Path, *, packed: bool) -> Iterator[BinaryIO]:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with path.open("wb") as file:
        if packed:
            with gzip.GzipFile(fileobj=file, mode="wb") as stream:
                yield cast("BinaryIO", stream)
        else:
            yield file
