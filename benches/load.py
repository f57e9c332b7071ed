"""Promise: ``hygie load`` of Synthea Bundles stores 3,000 resources a second in one process.

    python benches/load.py [COPIES] [FOLDER]

FOLDER holds Synthea Bundles (``*.json.gz``), by default ``shared/data/synthea_r4`` beside the
checkout; each is loaded COPIES times with fresh ids. Validation, search values, compression, traces
and fsync are on. Baseline, in the same run: bare COPY of the stored bodies into a table of two
columns with one index.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness import SAMPLE, opened, replicate, scratch, timed

from hygie.kernel.database.roles import OWNER
from hygie.kernel.store.loading import find_sources, load
from hygie.testing.database import ScratchDatabase

PROMISE = 3_000
BATCH = 1_500


async def measure(database: ScratchDatabase, folder: Path) -> float:
    """Load the folder and print the figures; return the resources a second."""
    sources, _ = find_sources([folder])
    async with opened(database) as repository:
        with timed() as loading:
            report = await load(repository, sources)
    count = report.created.total()
    async with database.open(role=OWNER, size=1) as owner, owner.connection() as connection:
        baseline = await bare_copy(connection)
    rate = count / loading.wall
    print(f"{count} resources from {len(sources)} Bundles, {report.refused} refused")
    print(f"hygie load     {rate:9.0f} resources/s   {loading.wall:6.1f} s")
    print(f"  this process {loading.cpu / count * 1e6:9.0f} µs of CPU per resource")
    print(f"bare COPY      {count / baseline:9.0f} resources/s   {baseline:6.1f} s")
    print(f"ratio to bare COPY {loading.wall / baseline:.1f}; promise {PROMISE} resources/s")
    return rate


async def bare_copy(connection) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Return the seconds a bare COPY of the same stored bodies takes, in as many transactions."""
    await connection.execute("BEGIN; SET LOCAL hygie.system = 'on'; SET LOCAL hygie.parties = '{}'")
    rows = [tuple(row) for row in await connection.fetch("SELECT key, body FROM resource")]
    await connection.execute("COMMIT")
    await connection.execute("CREATE TABLE bare (key bigint PRIMARY KEY, body bytea)")
    with timed() as copying:
        for start in range(0, len(rows), BATCH):
            await connection.copy_records_to_table("bare", records=rows[start : start + BATCH])
    await connection.execute("DROP TABLE bare")
    return copying.wall


def main() -> None:
    """Measure and print."""
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    sample = Path(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE
    with scratch() as (database, folder):
        bundles = folder / "bundles"
        replicate(bundles, copies, sample=sample)
        rate = asyncio.run(measure(database, bundles))
    sys.exit(rate < PROMISE)


if __name__ == "__main__":
    main()
