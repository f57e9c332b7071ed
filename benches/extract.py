"""Print the cost of extracting search values beside the cost of parsing, by resource type.

Run ``python benches/extract.py [FOLDER]`` on a folder of Bundles (``.json`` or ``.json.gz``). Each
resource is parsed and extracted once a pass with the caches of dates and references empty at the
start of the pass, as a load would meet them; the best of several passes counts.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from hygie.kernel.fhir.search.dates import interval
from hygie.kernel.fhir.search.extract import extract, patients
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.fhir.structs import decoder

PASSES = 7
PROMISE = 40.0
SAMPLE = Path(__file__).resolve().parents[2] / "shared/data/synthea_r4"


class _Entry(msgspec.Struct):
    resource: msgspec.Raw


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815


def main() -> None:
    """Measure every type found in the folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    by_type = read(folder)
    print(
        f"{'type':24}{'count':>7}{'parse µs':>10}{'extract µs':>12}{'patients µs':>13}{'ratio':>8}"
    )
    totals = [0.0, 0.0]
    for rt, raws in sorted(by_type.items()):
        parse, resources = decoder(rt).decode, [decoder(rt).decode(raw) for raw in raws]
        parsing, extracting, placing = (
            best(parse, raws),
            best(extract, resources),
            best(patients, resources),
        )
        totals[0] += parsing * len(raws)
        totals[1] += extracting * len(raws)
        ratio = extracting / parsing
        print(f"{rt:24}{len(raws):7}{parsing:10.1f}{extracting:12.1f}{placing:13.1f}{ratio:8.2f}")
        if rt == "Observation":
            print(f"{'':24}{'promise':>7}{'':10}{PROMISE:12.1f}")
    count = sum(map(len, by_type.values()))
    mean = [total / count for total in totals]
    print(f"{'all':24}{count:7}{mean[0]:10.1f}{mean[1]:12.1f}{'':13}{mean[1] / mean[0]:8.2f}")


def read(folder: Path) -> dict[str, list[bytes]]:
    """Return the raw resources of every Bundle of the folder, by type."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.json.gz")]):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for entry in msgspec.json.decode(text, type=_Bundle).entry:
            rt = msgspec.json.decode(entry.resource, type=_Head).resourceType
            found[rt].append(bytes(entry.resource))
    return found


def best(work: Callable[[Any], Any], items: Iterable[Any]) -> float:
    """Return the microseconds an item takes in the best pass."""
    items = list(items)
    taken = []
    for _ in range(PASSES):
        interval.cache_clear()
        parse_ref.cache_clear()
        start = time.process_time()
        for item in items:
            work(item)
        taken.append((time.process_time() - start) / len(items) * 1e6)
    return min(taken)


if __name__ == "__main__":
    main()
