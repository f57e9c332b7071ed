"""Promises: an encrypted document costs 1.10 times a plain one; a million keys turn in 5 minutes.

    python benches/encrypt.py [SECONDS] [KEYS]

Reads go through the repository as requests do: decision, durable trace, rebuilt body. The plain
document is its twin, stored as before encryption; both are read in turn, in the same run. The
rotation wraps KEYS keys anew (100,000 by default) with the key in a file; the time of a million is
the proportion, since batches do not depend on one another.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import random
import statistics
import sys
import time
from datetime import UTC, datetime

from harness import opened, scratch

from hygie.kernel.database.blobs import BlobStore
from hygie.kernel.database.roles import KEYS
from hygie.kernel.database.session import connect
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys.rotation import rotate
from hygie.kernel.store import Repository
from hygie.kernel.store.codec import Codec
from hygie.testing.database import ScratchDatabase

SIZES = (2_000, 20_000, 200_000, 2_000_000)
OVERHEAD = 1.10
ROTATION = 300.0
PATIENTS = 200


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    keys = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with scratch() as (database, _):
        kept = asyncio.run(reads(database, seconds / len(SIZES)))
        kept = asyncio.run(rotation(database, keys)) and kept
    sys.exit(not kept)


async def reads(database: ScratchDatabase, seconds: float) -> bool:
    """Print both medians of each size; return whether the promise is kept."""
    kept = True
    async with opened(database) as repository:
        print("encrypted read over plain, p50 of one client")
        for size in SIZES:
            await write_twins(repository, database, size)
            plain, sealed = await medians(repository, size, seconds)
            ratio = sealed / plain
            kept = kept and ratio <= OVERHEAD
            print(f"{size:>10,} bytes  {plain:7.3f} ms  {sealed:7.3f} ms  ratio {ratio:5.3f}")
    print(f"promise: at most {OVERHEAD:.2f}: {'kept' if kept else 'NOT kept'}")
    return kept


async def write_twins(repository: Repository, database: ScratchDatabase, size: int) -> None:
    """Store documents of many patients, each twice: sealed, and as before encryption."""
    rng = random.Random(size)
    number = PATIENTS if size < 1_000_000 else PATIENTS // 10
    for place in range(number):
        content = rng.randbytes(size)
        for form in ("sealed", "plain"):
            rid = f"{form}-{size}-{place}"
            body = document(rid, f"patient-{place}", content)
            written = await repository.update(SYSTEM, "DocumentReference", rid, body)
            if form == "plain":
                make_plain(database, rid, written.stored.body or b"", content)


def document(rid: str, patient: str, content: bytes) -> bytes:
    """Return a document of some bytes."""
    return json.dumps(
        {
            "resourceType": "DocumentReference",
            "id": rid,
            "status": "current",
            "subject": {"reference": f"Patient/{patient}"},
            "content": [{"attachment": {"data": base64.b64encode(content).decode()}}],
        }
    ).encode()


def make_plain(database: ScratchDatabase, rid: str, body: bytes, content: bytes) -> None:
    """Put the body as it was stored before encryption."""
    text = base64.b64encode(content)
    if len(text) >= 64 * 1024:
        digest = hashlib.sha256(content)
        body = body.replace(text, b"hygie-blob:" + digest.hexdigest().encode())
        path = BlobStore(database.settings.data / "blobs").path(digest.digest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with connect(database.admin_dsn) as session:
        session.execute(
            "UPDATE hygie.resource SET body = %s WHERE rid = %s",
            (_codec(database).compress(33, body), rid),
        )


_known: list[Codec] = []


def _codec(database: ScratchDatabase) -> Codec:
    if not _known:
        with connect(database.admin_dsn) as session:
            rows = session.execute("SELECT id, rt, bytes FROM hygie.body_dictionary").fetchall()
        _known.append(Codec({number: (rt, content) for number, rt, content in rows}))
    return _known[0]


async def medians(repository: Repository, size: int, seconds: float) -> tuple[float, float]:
    """Read both forms in turn; return their medians in milliseconds."""
    number = PATIENTS if size < 1_000_000 else PATIENTS // 10
    taken: dict[str, list[float]] = {"plain": [], "sealed": []}
    rng = random.Random(1)
    for warm in (True, False):
        end = time.perf_counter() + (seconds / 4 if warm else seconds)
        while time.perf_counter() < end:
            place = rng.randrange(number)
            for form in rng.sample(("plain", "sealed"), 2):
                start = time.perf_counter()
                await repository.read(SYSTEM, "DocumentReference", f"{form}-{size}-{place}")
                if not warm:
                    taken[form].append((time.perf_counter() - start) * 1000)
    return statistics.median(taken["plain"]), statistics.median(taken["sealed"])


async def rotation(database: ScratchDatabase, number: int) -> bool:
    """Print the time to wrap many keys anew; return whether a million fits the promise."""
    async with opened(database) as repository:
        keyring = repository.keyring
        first = 10_000
        for start in range(first, first + number, 1_000):
            await keyring.latest(range(start, start + 1_000))
        async with database.open(role=KEYS, size=1) as keys:
            start_time = time.perf_counter()
            done = await rotate(keys, keyring.port, at=datetime.now(UTC))
            taken = time.perf_counter() - start_time
    million = taken / done * 1_000_000
    kept = million <= ROTATION
    print(f"{done:,} keys wrapped anew in {taken:.1f} s: {million:.0f} s for a million")
    print(f"promise: at most {ROTATION:.0f} s (ratio {million / ROTATION:.2f}): "
          f"{'kept' if kept else 'NOT kept'}")  # fmt: skip
    return kept


if __name__ == "__main__":
    main()
