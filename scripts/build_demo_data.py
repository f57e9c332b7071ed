"""Build the public tables of ``hygie/demo/definitions`` from the files of their publishers.

Usage: ``python scripts/build_demo_data.py FOLDER`` where FOLDER holds ``geo/communes.json.gz``
(package ``@etalab/decoupage-administratif``) and ``bdpm/CIS_bdpm.txt.gz`` (public medicines
database). ``communes.csv.xz`` is written anew; ``medicines.csv`` keeps its keys and choices, its
names, forms and routes are refreshed, and a medicine that is no longer marketed stops the script.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import sys
from pathlib import Path

DEFINITIONS = Path(__file__).resolve().parents[1] / "hygie/demo/definitions"
SPLIT_CITIES = {"75056", "69123", "13055"}
"""Paris, Lyon and Marseille: their arrondissements stand for them, as in birth places."""


def communes(source: Path) -> int:
    """Write one line per commune that has people and a postal code; return how many."""
    kept = []
    for place in json.loads(gzip.decompress(source.read_bytes())):
        wanted = place["type"] in {"commune-actuelle", "arrondissement-municipal"}
        if not wanted or place["code"] in SPLIT_CITIES or not place.get("population"):
            continue
        codes = " ".join(place.get("codesPostaux", [])[:3])
        if codes:
            kept.append((place["code"], place["nom"], codes, place["population"]))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("code", "name", "postal_codes", "population"))
    writer.writerows(sorted(kept))
    packed = lzma.compress(text.getvalue().encode(), preset=9 | lzma.PRESET_EXTREME)
    (DEFINITIONS / "communes.csv.xz").write_bytes(packed)
    return len(kept)


def medicines(source: Path) -> int:
    """Refresh the public columns of the medicines that the demonstration uses."""
    published = {}
    for line in gzip.decompress(source.read_bytes()).decode().split("\n"):
        columns = line.rstrip("\r").split("\t")
        if len(columns) > 6:  # noqa: PLR2004 - column 6 is the marketing state
            published[columns[0]] = columns
    path = DEFINITIONS / "medicines.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        columns = published[row["cis"]]
        if columns[6] != "Commercialisée":
            sys.exit(f"{row['key']} ({row['cis']}) is no longer marketed: choose another medicine")
        row["name"], row["form"] = columns[1].strip(), columns[2].strip()
        row["route"] = columns[3].split(";")[0]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(communes(folder / "geo/communes.json.gz"), "communes")
    print(medicines(folder / "bdpm/CIS_bdpm.txt.gz"), "medicines")
