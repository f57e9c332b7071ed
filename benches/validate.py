"""Reading a resource costs at most 35 µs: scan, typed decode and checks.

    python benches/validate.py [FOLDER]

FOLDER holds Synthea Bundles (``*.json.gz``); by default the folder ``shared/data/synthea_r4``
beside the checkout. Prints, in one interleaved run, microseconds per resource (best of rounds) and
the ratio to a bare untyped decode.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import fhirkit
import msgspec

from hygie.kernel.fhir.scan import confirm, scan
from hygie.kernel.fhir.structs import decoder
from hygie.kernel.fhir.validate import parse, type_of

ROUNDS = 7
PROMISE_US = 35.0
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "synthea_r4"


def resources(folder: Path) -> list[bytes]:
    """Return the entries of every Bundle, compact as they travel."""
    found = []
    for path in sorted(folder.glob("*.json.gz")):
        bundle = msgspec.json.decode(gzip.decompress(path.read_bytes()))
        found += [msgspec.json.encode(entry["resource"]) for entry in bundle["entry"]]
    return found


def best(work: Mapping[str, Callable[[bytes], object]], raws: list[bytes]) -> dict[str, float]:
    """Return the best microseconds per resource of each work, rounds interleaved."""
    times = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS):
        for name, act in work.items():
            begun = time.process_time()
            for raw in raws:
                act(raw)
            times[name] = min(times[name], (time.process_time() - begun) / len(raws) * 1e6)
    return times


def typed(raw: bytes) -> object:
    """Decode with the generated checks only."""
    return decoder(type_of(raw)).decode(raw)


def main() -> None:
    """Measure and print."""
    raws = resources(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
    work: dict[str, Callable[[bytes], object]] = {
        "untyped decode (baseline)": msgspec.json.decode,
        "scan of the bytes": scan,
        "typed decode with checks": typed,
        "typed decode, and duplicates": lambda raw: confirm(raw, typed(raw)),
        "parse: everything": parse,
        "fhirkit-rs parse": fhirkit.parse,
    }
    for title, chosen in {
        "all resources": raws,
        "Observations": [raw for raw in raws if type_of(raw) == "Observation"],
    }.items():
        times = best(work, chosen)
        base = times["untyped decode (baseline)"]
        print(f"{title}: {len(chosen)}, mean {sum(map(len, chosen)) / len(chosen):.0f} bytes")
        for name, cost in times.items():
            print(f"  {name:32}{cost:8.1f} µs{cost / base:7.1f} x")
    total = times["parse: everything"]
    print(f"an Observation: {total:.1f} µs, promise {PROMISE_US} µs")
    sys.exit(total > PROMISE_US)


if __name__ == "__main__":
    main()
