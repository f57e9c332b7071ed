"""Promise: 1,000 patients in 90 seconds, 100 resources a patient, in one process.

Usage: ``python benches/population.py [PATIENTS] [SEED]``
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import date

from hygie.demo import population

PROMISED_SECONDS, PROMISED_RESOURCES = 90.0, 100.0


def main() -> None:
    """Generate a population and print its ratios beside the promise."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.perf_counter()
    counts: Counter[str] = Counter()
    size = records = 0
    for record in population(seed, patients, today=date(2026, 6, 30)):
        records += 1
        for resource in record:
            size += len(resource)
            counts[resource[17 : resource.index(b'"', 17)].decode()] += 1
    seconds = time.perf_counter() - start
    resources, people = sum(counts.values()), records - 1
    print(f"{people} patients, {resources} resources, {size / 1e6:.1f} MB in {seconds:.1f} s")
    print(f"{people / seconds:.0f} patients/s, {resources / seconds:.0f} resources/s")
    print(f"{resources / people:.0f} resources/patient (promise {PROMISED_RESOURCES:.0f})")
    print(f"{seconds * 1000 / people:.1f} s per 1,000 patients (promise {PROMISED_SECONDS:.0f} s)")
    for name, count in counts.most_common():
        print(f"  {name:24} {count:8}  {count / people:6.1f} a patient")


if __name__ == "__main__":
    main()
