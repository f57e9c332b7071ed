"""Train the shipped compression dictionaries, one per resource type.

    python scripts/train_dictionaries.py [FOLDER ...] [--generation N]

Samples are stored bodies, ids and dates stamped: a demonstration population, and the Bundles of
the FOLDERs (Synthea; by default ``shared/data/synthea_r4`` beside the checkout). One record in six
is kept apart to measure the ratio that is printed. Every person in them is synthetic.

The number of a dictionary is ``type number * 100 + generation``: two bytes in each stored body. A
database keeps the generations it has used; ship a new generation beside the old ones only when the
old ones were ever released.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import tarfile
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import zstandard

from hygie.demo.population import population
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.splice import replace_strings, stamp
from hygie.kernel.store.codec import LEVEL
from hygie.kernel.store.loading import find_sources
from hygie.kernel.store.loading.items import identify
from hygie.kernel.store.writing import instant_text

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "hygie/kernel/store/definitions/dictionaries.tar.xz"
FOLDER = ROOT.parent / "shared" / "data" / "synthea_r4"
PATIENTS, SEED, TODAY = 500, 20_260_101, date(2026, 1, 1)
FEWEST, MOST_SAMPLES = 40, 8_000
SIZE = 96 * 1024
REPEATED = 12
KEPT_APART = 6
"""One record in six measures what the others taught."""
MOST_BYTES = 16 * 1024
"""Longer bodies teach a dictionary little."""

_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Bodies = dict[str, list[bytes]]


@dataclass
class Samples:
    """Stored bodies by type: those that teach, and those kept apart to measure."""

    teach: Bodies = field(default_factory=lambda: defaultdict(list))
    apart: Bodies = field(default_factory=lambda: defaultdict(list))

    def add(self, record: int, rt: str, body: bytes) -> None:
        """Keep a body of one patient's record: all of a record goes the same way."""
        (self.apart if self.is_apart(record) else self.teach)[rt].append(body)

    @staticmethod
    def is_apart(record: int) -> bool:
        """Tell whether a record measures and does not teach."""
        return record % KEPT_APART == KEPT_APART - 1


def main() -> None:
    """Train, measure, write the archive."""
    parser = argparse.ArgumentParser(description="Train the compression dictionaries.")
    parser.add_argument("folders", nargs="*", type=Path, default=[FOLDER])
    parser.add_argument("--generation", type=int, default=1)
    chosen = parser.parse_args()
    rng = random.Random(SEED)  # noqa: S311 - samples, no secrets
    groups = {"demonstration": demonstration(rng), "synthea": synthea(chosen.folders, rng)}
    found: dict[str, bytes] = {}
    print(f"{'type':24}{'samples':>8}{'bytes':>7}   ratio without / with, mean stored bytes")
    for rt in sorted({rt for samples in groups.values() for rt in samples.teach}):
        content = train(rt, groups, generation=chosen.generation, rng=rng)
        if content is not None:
            found[f"{rt}-{number(rt, chosen.generation)}.dict"] = content
    write(found)
    print(f"{len(found)} dictionaries, {TARGET.stat().st_size} bytes shipped")


def number(rt: str, generation: int) -> int:
    """Return the id of a dictionary."""
    return type_number(rt) * 100 + generation


def demonstration(rng: random.Random) -> Samples:
    """Return the stored bodies of a demonstration population."""
    samples = Samples()
    for place, record in enumerate(population(SEED, PATIENTS, today=TODAY)):
        for raw in record:
            rt, rid = identify(raw)
            samples.add(place, rt, stamped(raw, rid, rng))
    return samples


def synthea(folders: list[Path], rng: random.Random) -> Samples:
    """Return the stored bodies of Synthea Bundles, those that teach several times.

    They are few: each time every UUID is another one, so that ids are not what is learnt.
    """
    samples = Samples()
    for place, source in enumerate(find_sources(folders)[0]):
        for group in source.groups(0):
            for item in group.items:
                raw = replace_strings(item.raw, item.links)
                for _ in range(1 if samples.is_apart(place) else REPEATED):
                    new = _UUID.sub(lambda _: str(_uuid(rng)).encode(), raw)
                    samples.add(place, item.rt, stamped(new, str(_uuid(rng)), rng))
    return samples


def _uuid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def stamped(raw: bytes, rid: str, rng: random.Random) -> bytes:
    """Return a body as it would be stored at some time."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=rng.randrange(10**11))
    return stamp(raw, rid=rid, version="1", updated=instant_text(at))


def train(
    rt: str, groups: dict[str, Samples], *, generation: int, rng: random.Random
) -> bytes | None:
    """Return the dictionary of a type, or None where there are too few samples."""
    learnt: list[bytes | bytearray | memoryview[int]] = []
    for samples in groups.values():
        bodies = [body for body in samples.teach[rt] if len(body) <= MOST_BYTES]
        rng.shuffle(bodies)
        learnt += bodies[: MOST_SAMPLES // len(groups)]
    if len(learnt) < FEWEST:
        return None
    size = min(SIZE, max(4 * 1024, sum(map(len, learnt)) // 8))
    content = zstandard.train_dictionary(size, learnt, level=LEVEL, dict_id=number(rt, generation))
    told = "   ".join(
        f"{name} {ratio(bodies, None):.1f} / {ratio(bodies, content):.1f}"
        f" {size_of(bodies) / ratio(bodies, content) / len(bodies):.0f} B"
        for name, samples in groups.items()
        if (bodies := samples.apart[rt])
    )
    print(f"{rt:24}{len(learnt):8}{len(content.as_bytes()):7}   {told}")
    return content.as_bytes()


def ratio(bodies: list[bytes], dictionary: zstandard.ZstdCompressionDict | None) -> float:
    """Return how many times smaller bodies become."""
    writer = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_checksum=False)
    return size_of(bodies) / sum(len(writer.compress(body)) for body in bodies)


def size_of(bodies: list[bytes]) -> int:
    """Return the length of all bodies."""
    return sum(map(len, bodies))


def write(found: dict[str, bytes]) -> None:
    """Write the archive, the same bytes for the same dictionaries."""
    with tarfile.open(TARGET, "w:xz", preset=9) as archive:
        for name, content in sorted(found.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main()
