"""Promise: a person with 5,000 resources gets a complete copy within 60 seconds.

    python benches/export_person.py [RESOURCES]

The copy is made as the product makes it: under the rules of the house, traced, with the documents
as files, the PDF, the page and the proofs, sealed on the disk; every resource that was stored must
be in it. Memory is the peak of this process beyond what it held before. The baseline of the same
run is ``hygie export``'s core over the same rows, which only decompresses and writes.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from harness import scratch, timed

from hygie.domains.rights.service.copying import Counts
from hygie.domains.rights.service.exports import ask, exports, folder_of, prepare
from hygie.domains.rights.service.prepared import fetch
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.exporting import export
from hygie.testing.database import ScratchDatabase
from hygie.testing.factories import document, encounter, observation, patient

RESOURCES = 5_000
PROMISE = 60.0
ME = "bench-person"
AT_ONCE = 50
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RESOURCES
    with scratch() as (database, _):
        seconds, counts, size, grown, baseline = asyncio.run(_measure(database, count))
    print(f"export of one person {seconds:8.2f} s   {counts.resources} resources", end="")
    print(f", {counts.documents} files, {counts.traces} accesses, {size / 1e6:.1f} MB")
    print(f"peak memory beyond the start {grown:.0f} MB; plain export of the same {baseline:.2f} s")
    print(f"ratio {seconds / baseline:.1f}; promise {PROMISE:.0f} s")
    sys.exit(seconds > PROMISE or counts.resources != count)


async def _measure(
    database: ScratchDatabase, count: int
) -> tuple[float, Counts, int, float, float]:
    platform = Platform(database.settings)
    discover(platform, "hygie.domains")
    repository = await open_repository(database.settings, law=platform.law)
    try:
        await _fill(repository, count)
        number = await repository.party_number(f"Patient/{ME}")
        caller = Caller(Kind.PATIENT, number, f"Patient/{ME}", purpose="PATRQT")
        made = await ask(repository, caller, ME, language="fr")
        before = _peak()
        data, now = database.settings.data, datetime.now(UTC)
        with timed() as timer:
            await prepare(repository, data, at=now)
        grown = _peak() - before
        (told,) = [one for one in await exports(repository, caller, ME) if one.id == made]
        _, pieces = await fetch(repository, caller, made, data=data, at=now)
        read = sum(map(len, pieces))
        if told.counts is None or read != told.size or not folder_of(data).exists():
            sys.exit("the copy was not prepared")
        baseline = await _plain(repository)
    finally:
        await repository.database.close()
    return timer.wall, told.counts, read, grown, baseline


async def _fill(repository: Repository, count: int) -> None:
    """Store a person with so many resources: one in fifty a document of 40 kB."""
    mine = f"Patient/{ME}"
    file = base64.b64encode(os.urandom(40_000)).decode()
    made: list[dict[str, object]] = [patient(id=ME, ins="")]
    while len(made) < count:
        step = len(made)
        day = f"{1990 + step % 35}-{step % 12 + 1:02}-{step % 27 + 1:02}T09:00:00+01:00"
        if step % 50 == 0:
            letter = document(mine, f"Lettre {step}", day=day)
            letter["content"][0]["attachment"]["data"] = file
            made.append(letter)
        elif step % 10 == 0:
            made.append(encounter(mine, "Consultation", day, "Suivi"))
        else:
            made.append(observation(mine, "Poids", "29463-7", value=step % 90, unit="kg", day=day))
    for start in range(0, len(made), AT_ONCE):
        await asyncio.gather(
            *(
                repository.update(
                    SYSTEM, str(one["resourceType"]), str(one["id"]), _ENCODER.encode(one)
                )
                for one in made[start : start + AT_ONCE]
            )
        )


async def _plain(repository: Repository) -> float:
    folder = Path(tempfile.mkdtemp(prefix="hygie-bench-"))
    try:
        with timed() as timer:
            await export(repository, folder)
    finally:
        shutil.rmtree(folder)
    return timer.wall


def _peak() -> float:
    """Return the highest resident memory of this process so far, in MB (Linux counts in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
