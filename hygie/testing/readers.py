"""Readers that keep a journal of what they were shown, and the check that each was traced.

Runs as a process of its own, which a test may kill at any moment:
``python -m hygie.testing.readers DSN DATA JOURNAL SEED SECONDS``. The id of a request is written to
the journal once its answer is there; a page of the journal survives kill -9.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import msgspec

from hygie.kernel.errors import HygieError, Unavailable
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository
from hygie.kernel.store.tracing import Request
from hygie.testing.writers import RT, Event, Journal, wait_until_open

IDS = tuple(f"read-{number}" for number in range(4))
TASKS = 16


async def read_at_random(
    repository: Repository, journal: Journal, *, seed: int, seconds: float
) -> None:
    """Read a few resources, search them and miss some, from many tasks until the time is over."""
    for rid in IDS[:-1]:
        body = msgspec.json.encode({"resourceType": RT, "id": rid, "name": rid})
        await repository.update(SYSTEM, RT, rid, body)
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(_reader(repository, journal, seed=seed * 1000 + n, end=end) for n in range(TASKS))
    )


async def _reader(repository: Repository, journal: Journal, *, seed: int, end: float) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data
    while time.monotonic() < end:
        asked = uuid.uuid4()
        try:
            await _ask(repository, chance, asked)
        except HygieError as error:
            # Any other refusal is an answer, and is traced like one.
            if isinstance(error, Unavailable):
                await asyncio.sleep(0.02)
                continue
        journal.write(event="shown", request=str(asked))


async def _ask(repository: Repository, chance: random.Random, asked: uuid.UUID) -> None:
    if chance.random() < 0.2:  # noqa: PLR2004 - one in five searches
        await repository.search(
            SYSTEM, RT, [("name", "read")], request=Request("search-type", asked)
        )
    else:
        await repository.read(SYSTEM, RT, chance.choice(IDS), request=Request("read", asked))


async def untraced(dsn: str, events: Iterable[Event]) -> list[str]:
    """Return the requests that were answered and left no trace; ``dsn`` is a superuser's."""
    shown = [event["request"] for event in events if event["event"] == "shown"]
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT asked FROM unnest($1::uuid[]) AS asked "
            "WHERE NOT EXISTS (SELECT FROM hygie.trace WHERE request = asked)",
            shown,
        )
    finally:
        await connection.close()
    return [str(row["asked"]) for row in rows]


async def _main(arguments: list[str]) -> None:
    dsn, data, path, seed, seconds = arguments
    journal = Journal(Path(path))
    repository = await wait_until_open(dsn, Path(data))
    try:
        await read_at_random(repository, journal, seed=int(seed), seconds=float(seconds))
    finally:
        await repository.database.close()
        journal.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
