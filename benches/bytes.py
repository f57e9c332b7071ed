"""Promise: at most 1,000 bytes on disk per resource, all indexes, the access log apart.

    python benches/bytes.py [COPIES] [FOLDER]

FOLDER holds Synthea Bundles, by default ``shared/data/synthea_r4`` beside the checkout; each is
loaded COPIES times with fresh ids (30 copies: some 64,000 resources). Baselines: the JSON of the
same resources without white space, and the same as one gzip.
"""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path

from harness import SAMPLE, opened, replicate, scratch
from psycopg.rows import TupleRow

from hygie.kernel.database.session import connect
from hygie.kernel.store.loading import find_sources, load
from hygie.testing.database import ScratchDatabase

PROMISE = 1_000
_SIZES = """
SELECT t.relname, c.relname,
       CASE WHEN c.oid = t.oid
            THEN pg_total_relation_size(c.oid) - pg_indexes_size(c.oid)
            ELSE pg_relation_size(c.oid) END AS bytes,
       t.relname LIKE 'trace%%' AS log
FROM pg_class t
JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'hygie'
LEFT JOIN pg_index i ON i.indrelid = t.oid
JOIN pg_class c ON c.oid = t.oid OR c.oid = i.indexrelid
WHERE t.relkind = 'r' AND t.relname <> 'body_dictionary'
GROUP BY t.relname, c.relname, c.oid, t.oid
ORDER BY bytes DESC
"""


async def fill(database: ScratchDatabase, folder: Path) -> int:
    """Load the folder; return how many resources it made."""
    async with opened(database) as repository:
        report = await load(repository, find_sources([folder])[0])
    return report.created.total()


def json_sizes(folder: Path) -> tuple[int, int]:
    """Return the bytes of the same resources as JSON, and as one gzip per Bundle."""
    plain = zipped = 0
    for source in find_sources([folder])[0]:
        text = b"\n".join(item.raw for group in source.groups(0) for item in group.items)
        plain += len(text)
        zipped += len(gzip.compress(text, 6))
    return plain, zipped


def sizes(database: ScratchDatabase) -> list[TupleRow]:
    """Return table, relation, bytes and whether it is the access log, largest first."""
    with connect(database.admin_dsn) as session:
        session.execute("VACUUM (FREEZE, ANALYZE)")
        return session.execute(_SIZES).fetchall()


def main() -> None:
    """Measure and print."""
    copies = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    sample = Path(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE
    with scratch() as (database, folder):
        bundles = folder / "bundles"
        replicate(bundles, copies, sample=sample)
        count = asyncio.run(fill(database, bundles))
        rows = sizes(database)
        plain, zipped = json_sizes(bundles)
    print(f"{count} resources\n{'table':20}{'table or index':28}{'bytes per resource':>20}")
    for table, relation, size, _ in rows:
        if size / count >= 0.5:
            print(f"{table:20}{relation:28}{size / count:20.1f}")
    total = sum(size for *_, size, log in rows if not log) / count
    logged = sum(size for *_, size, log in rows if log) / count
    print(f"total {total:.0f} bytes per resource, promise {PROMISE}; access log {logged:.1f} apart")
    print(f"JSON {plain / count:.0f} bytes, ratio {total * count / plain:.2f}", end="; ")
    print(f"gzip {zipped / count:.0f} bytes, ratio {total * count / zipped:.2f}")
    sys.exit(total > PROMISE)


if __name__ == "__main__":
    main()
