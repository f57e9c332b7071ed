"""What the benches of the store share: a server of their own, and many synthetic records."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from hygie.kernel.store import Repository, open_repository
from hygie.testing.database import ScratchDatabase, embedded_server
from hygie.testing.law import LAW

SAMPLE = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthea_r4"
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@contextlib.contextmanager
def scratch() -> Iterator[tuple[ScratchDatabase, Path]]:
    """Run an embedded server with one migrated, empty database; give a folder beside it."""
    folder = Path(tempfile.mkdtemp(prefix="hygie-bench-"))
    try:
        with embedded_server(folder) as server:
            yield server.create(), folder
    finally:
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def opened(database: ScratchDatabase) -> AsyncIterator[Repository]:
    """Open the repository of a database."""
    repository = await open_repository(database.settings, law=LAW)
    try:
        yield repository
    finally:
        await repository.database.close()


def replicate(folder: Path, copies: int, *, sample: Path = SAMPLE) -> list[Path]:
    """Write each Bundle of a sample several times, every UUID fresh, as other people's records."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(sample.glob("*.json.gz")):
        text = gzip.decompress(path.read_bytes())
        for copy in range(copies):
            target = folder / f"{path.name.split('.')[0]}_{copy:03}.json"
            target.write_bytes(_renewed(text, random.Random(f"{path.name}/{copy}")))
            written.append(target)
    return written


def _renewed(text: bytes, rng: random.Random) -> bytes:
    new: dict[bytes, bytes] = {}

    def renew(match: re.Match[bytes]) -> bytes:
        if match[0] not in new:
            new[match[0]] = str(uuid.UUID(int=rng.getrandbits(128), version=4)).encode()
        return new[match[0]]

    return _UUID.sub(renew, text)


@dataclass(slots=True)
class Timer:
    """Seconds of wall clock and of this process's CPU in a block."""

    wall: float = 0.0
    cpu: float = 0.0


@contextlib.contextmanager
def timed() -> Iterator[Timer]:
    """Measure a block."""
    timer, wall, cpu = Timer(), time.perf_counter(), time.process_time()
    yield timer
    timer.wall, timer.cpu = time.perf_counter() - wall, time.process_time() - cpu
