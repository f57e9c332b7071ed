"""Writers that keep a journal, and the check that nothing they were told was lost.

Runs inside a test or as a process of its own, which a test may kill at any moment:
``python -m hygie.testing.writers DSN DATA JOURNAL SEED SECONDS``. Each attempt is written to the
journal before it is made and after it is answered; a page of the journal survives kill -9.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hygie.kernel.config import Settings
from hygie.kernel.errors import HygieError, NotFound, Unavailable
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, Written, open_repository
from hygie.kernel.store.history import Scope
from hygie.testing.law import LAW

RT = "Organization"
IDS = tuple(f"shared-{number}" for number in range(5))
TASKS = 12
Event = dict[str, Any]
Versions = dict[tuple[str, int], str | None]
"""The mark of each version by (id, version); None for a deletion."""


@dataclass(slots=True)
class Journal:
    """An append-only file of events."""

    path: Path
    _file: int = field(init=False)

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **event: Any) -> None:
        """Append one event at once."""
        os.write(self._file, json.dumps(event).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def events(self) -> Iterator[Event]:
        """Yield the events; the last line of a killed process may be cut."""
        for line in self.path.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)


async def write_at_random(
    repository: Repository, journal: Journal, *, seed: int, seconds: float, tasks: int = TASKS
) -> None:
    """Create, change and delete a few resources from many tasks until the time is over."""
    end = time.monotonic() + seconds
    known: dict[str, int] = {}
    await asyncio.gather(
        *(_writer(repository, journal, known, seed=seed * 1000 + n, end=end) for n in range(tasks))
    )


async def _writer(
    repository: Repository, journal: Journal, known: dict[str, int], *, seed: int, end: float
) -> None:
    chance = random.Random(seed)  # noqa: S311 - test data
    while time.monotonic() < end:
        act = chance.choices(["update", "delete", "create"], [7, 2, 1])[0]
        rid = chance.choice(IDS)
        match = known.get(rid) if chance.random() < 0.4 and act != "create" else None  # noqa: PLR2004
        attempt = {"mark": str(uuid.uuid4()), "act": act, "rid": rid, "match": match}
        journal.write(event="invoke", **attempt)
        await _attempt(repository, journal, known, attempt)


async def _attempt(
    repository: Repository, journal: Journal, known: dict[str, int], attempt: Event
) -> None:
    mark = attempt["mark"]
    try:
        written = await _make(repository, attempt)
    except Unavailable:
        journal.write(event="unknown", mark=mark)
        await asyncio.sleep(0.02)
    except HygieError as refusal:
        journal.write(event="no", mark=mark, status=refusal.status)
    except Exception as error:  # noqa: BLE001 - the check reports it as a fault
        journal.write(event="broken", mark=mark, error=repr(error))
    else:
        stored = written.stored
        known[stored.rid] = stored.version
        journal.write(
            event="ok",
            mark=mark,
            rid=stored.rid,
            version=stored.version,
            changed=written.changed,
        )


async def _make(repository: Repository, attempt: Event) -> Written:
    rid, match = attempt["rid"], attempt["match"]
    if attempt["act"] == "delete":
        return await repository.delete(SYSTEM, RT, rid, if_match=match)
    body = {"resourceType": RT, "id": rid, "name": attempt["mark"]}
    if attempt["act"] == "create":
        del body["id"]
        return await repository.create(SYSTEM, RT, msgspec.json.encode(body))
    return await repository.update(SYSTEM, RT, rid, msgspec.json.encode(body), if_match=match)


async def stored_versions(repository: Repository) -> Versions:
    """Return every version there is, by paging through the history of the type."""
    found: Versions = {}
    before = None
    while True:
        page = await repository.history(SYSTEM, Scope(RT, count=1000, before=before))
        for entry in page.entries:
            stored = entry.stored
            mark = None if stored.body is None else str(msgspec.json.decode(stored.body)["name"])
            found[stored.rid, stored.version] = mark
        if page.next is None:
            return found
        before = page.next.partition("_before=")[2].partition("&")[0]


def faults(events: Iterable[Event], versions: Versions) -> list[str]:
    """Return what contradicts the journals: lost, invented or doubled writes, gaps."""
    attempts: dict[str, Event] = {}
    ends: dict[str, Event] = {}
    for event in events:
        (attempts if event["event"] == "invoke" else ends)[event["mark"]] = event
    found = [f"broken: {end['error']}" for end in ends.values() if end["event"] == "broken"]
    found += _gaps(versions)
    for mark, times in Counter(mark for mark in versions.values() if mark).items():
        if times > 1:
            found.append(f"{mark} is stored {times} times")
        if mark not in attempts:
            found.append(f"{mark} was never attempted")
        elif ends.get(mark, {}).get("event") == "no":
            found.append(f"{mark} was refused and is stored")
    for mark, end in ends.items():
        if end["event"] == "ok" and mark in attempts:
            found += _lost(attempts[mark], end, versions)
    return found


def _gaps(versions: Versions) -> Iterator[str]:
    by_id: dict[str, list[int]] = {}
    for rid, version in versions:
        by_id.setdefault(rid, []).append(version)
    for rid, numbers in by_id.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"{rid} has versions {sorted(numbers)}"


def _lost(attempt: Event, end: Event, versions: Versions) -> Iterator[str]:
    place = (end["rid"], end["version"])
    expected = None if attempt["act"] == "delete" else attempt["mark"]
    if place not in versions:
        yield f"{attempt['mark']}: {place} was acknowledged and is lost"
    elif versions[place] != expected:
        yield f"{attempt['mark']}: {place} was acknowledged and is another's"
    if attempt["match"] and end["changed"] and end["version"] != attempt["match"] + 1:
        yield f"{attempt['mark']}: If-Match {attempt['match']} made version {end['version']}"


async def wait_until_open(dsn: str, data: Path, *, patience: float = 20.0) -> Repository:
    """Open the repository, as soon as a server that is being restarted answers."""
    end = time.monotonic() + patience
    while True:
        try:
            return await open_repository(Settings(data=data, database_url=dsn), law=LAW, size=4)
        except (Unavailable, NotFound):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)


async def _main(arguments: list[str]) -> None:
    dsn, data, path, seed, seconds = arguments
    journal = Journal(Path(path))
    repository = await wait_until_open(dsn, Path(data))
    journal.write(event="ready", mark="")
    try:
        await write_at_random(repository, journal, seed=int(seed), seconds=float(seconds))
    finally:
        await repository.database.close()
        journal.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
