"""No answer before its trace is durable: what a durable trace costs.

    python benches/trace.py [SECONDS]

Prints, in one interleaved run on one embedded server with fsync, durable traces per second in
transactions of 1, 32 and 500 rows, as the application writes them, beside a bare insert of one
small row in transactions of the same size and the fsync time of the disk; then 32 clients who each
wait for their own trace; then bytes per event, and how fast the sequencer follows.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit.sequencer import sequence
from hygie.kernel.audit.trace import Trace, ensure_partitions, write
from hygie.kernel.clock import SystemClock
from hygie.kernel.database import roles
from hygie.kernel.store.batch import Batch
from hygie.testing.database import ScratchDatabase, embedded_server

if TYPE_CHECKING:
    from asyncpg import Connection

BATCHES = (1, 32, 500)
ROUNDS = 3
CLIENTS, PROMISE = 32, 2_000
_BARE = "INSERT INTO bare SELECT * FROM unnest($1::bigint[])"
_SIZES = """
SELECT CASE WHEN relname LIKE 'trace_leaf%' OR relname LIKE 'trace_head%' THEN 'tree'
  WHEN relkind = 'i' THEN 'trace indexes' ELSE 'trace rows' END AS part, sum(pg_relation_size(oid))
FROM pg_class WHERE relname LIKE 'trace%' AND relkind IN ('r', 'i', 't') GROUP BY 1 ORDER BY 1
"""


def traces(count: int) -> list[Trace]:
    """Return traces of reads, as the store writes them."""
    return [
        Trace(
            request=uuid.uuid4(),
            kind=2,
            party=number % 3_000,
            agent=f"Practitioner/{uuid.uuid4()}",
            purpose="TREAT",
            interaction="read",
            outcome=200,
            rule="care_team",
            pat=number * 7919 % 50_000,
            rt=3,
            uid=uuid.uuid4(),
            ver=1,
            peer="192.0.2.7",
            agent_role="10",
            agent_structure=number % 200,
        )
        for number in range(count)
    ]


async def rate(act: Callable[[], Awaitable[None]], batch: int, *, seconds: float) -> float:
    """Return rows per second of an act that commits ``batch`` rows."""
    begun, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - begun) < seconds:
        await act()
        done += batch
    return done / spent


def fsync_milliseconds(folder: Path) -> float:
    """Return the median time to make 4 kB durable on the disk of the server."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


async def appends(connection: Connection, *, seconds: float) -> None:
    """Measure durable appends beside the bare insert, rounds interleaved."""
    rows = traces(500)
    print("batch   traces/s   bare insert/s   ratio")
    for batch in BATCHES:

        async def trace(size: int = batch) -> None:
            async with connection.transaction():
                await write(connection, rows[:size])

        async def bare(size: int = batch) -> None:
            async with connection.transaction():
                await connection.execute(_BARE, list(range(size)))

        best = [0.0, 0.0]
        for _ in range(ROUNDS):
            for at, act in enumerate((trace, bare)):
                best[at] = max(best[at], await rate(act, batch, seconds=seconds))
        print(f"{batch:5} {best[0]:10,.0f} {best[1]:15,.0f} {best[0] / best[1]:7.2f}")


async def clients(app: Connection, *, seconds: float) -> None:
    """Measure 32 clients who each wait for their own trace, grouped as the store groups reads."""

    async def commit(rows: Sequence[Trace]) -> Sequence[None]:
        async with app.transaction():
            await write(app, rows)
        return [None] * len(rows)

    batch: Batch[Trace, None] = Batch(commit, lanes=1)
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client(row: Trace) -> None:
        while (begun := time.perf_counter()) < end:
            await batch.submit(row)
            latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*map(client, traces(CLIENTS)))
    latencies.sort()
    rated = len(latencies) / seconds
    p50, p95 = (latencies[len(latencies) * at // 100] * 1e3 for at in (50, 95))
    print(
        f"{CLIENTS} clients: {rated:,.0f} durable traces/s, p50 {p50:.1f} ms, p95 {p95:.1f} ms; "
        f"{rated / PROMISE:.1f} times the promise of {PROMISE:,}"
    )


async def follow(app: Connection, placer: Connection) -> None:
    """Measure the sequencer: traces placed, hashed and signed per second, durable."""
    key = Ed25519PrivateKey.generate()
    while await sequence(placer, key):
        pass
    for _ in range(40):
        await write(app, traces(500))
    begun, placed = time.perf_counter(), 0
    while count := await sequence(placer, key):
        placed += count
    print(f"sequencer: {placed / (time.perf_counter() - begun):,.0f} traces/s")


async def measure(database: ScratchDatabase, *, seconds: float) -> None:
    """Measure and print."""
    async with (
        database.open(role=roles.OWNER, size=1) as owners,
        database.open(size=1) as apps,
        database.open(role=roles.SEQUENCER, size=1) as placers,
        owners.connection() as owner,
        apps.connection() as app,
        placers.connection() as placer,
    ):
        await owner.execute(f"CREATE TABLE bare (n bigint); GRANT ALL ON bare TO {roles.APP}")
        await ensure_partitions(owner, today=SystemClock().now().date())
        await appends(app, seconds=seconds)
        await clients(app, seconds=2 * seconds)
        await follow(app, placer)
        await owner.execute("VACUUM trace")
        total = await placer.fetchval("SELECT size FROM trace_tree")
        parts = {row[0]: row[1] / total for row in await owner.fetch(_SIZES)}
        each = ", ".join(f"{name} {size:.0f}" for name, size in parts.items())
        print(f"bytes per event: {sum(parts.values()):.0f} ({each}); prototype 803")


def main() -> None:
    """Run on a server of its own."""
    seconds = float(sys.argv[1]) if sys.argv[1:] else 1.0
    with tempfile.TemporaryDirectory(prefix="hygie-bench-") as name:
        folder = Path(name)
        print(f"fsync of 4 kB: {fsync_milliseconds(folder):.2f} ms")
        with embedded_server(folder) as server:
            asyncio.run(measure(server.create(), seconds=seconds))


if __name__ == "__main__":
    main()
