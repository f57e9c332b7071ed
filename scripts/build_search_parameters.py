"""Write the tables of ``hygie/kernel/fhir/search/definitions`` from the vendored R4 definitions.

Run ``python scripts/build_search_parameters.py`` after the definitions or this script change.
``numbers.csv`` only ever grows: a number or bit once given is stored in databases and never moves.
"""

from __future__ import annotations

import csv
import io
import json
import lzma
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hygie.kernel.fhir.search.branches import branches_of
from hygie.kernel.fhir.search.elements import resolve
from hygie.kernel.fhir.search.expression import Branch, Condition, Field
from hygie.kernel.fhir.search.expression import Path as BranchPath

Json = dict[str, Any]
FHIR = Path(__file__).resolve().parents[1] / "hygie/kernel/fhir"
FOLDER = FHIR / "search/definitions"
EDITION = "4.0.1"
SPECIAL = frozenset({"_text", "_content", "_query"})
SWAPPED = frozenset({"DocumentReference-relationship"})
"""R4 names the parameters of its two expressions, ``code`` and ``target``, the wrong way round."""
BY_STORE = ("_has", "_list")
BOOLEANS = "http://terminology.hl7.org/CodeSystem/special-values"
COMMON_BITS = 12
"""Bits 0 to 11 belong to the parameters of all types, the rest to those of one type."""


def main() -> None:
    """Write the three tables."""
    structures = _vendored("structures")
    _write("elements.json", _elements(structures))
    found = _vendored("search-parameters")
    rows = [_row(parameter, found) for parameter in found]
    rows += [
        {"code": code, "base": ["Resource"], "kind": "special", "url": ""} for code in BY_STORE
    ]
    _number(rows)
    bindings = dict(_bindings(structures))
    value_sets = {r["url"]: r for r in _vendored("terminology") if r["resourceType"] == "ValueSet"}
    systems = {key: set(_systems(url, value_sets)) for key, url in bindings.items()}
    for row in rows:
        if row["kind"] == "token" and row.get("expression"):
            row["implicit"] = _implicit(row, systems)
    _write("parameters.json", [_sparse(row) for row in rows])
    _write("compartments.json", {c["code"]: _compartment(c) for c in _vendored("compartments")})


def _vendored(name: str) -> list[Json]:
    found: list[Json] = json.loads(
        lzma.decompress((FHIR / f"r4/definitions/{name}.json.xz").read_bytes())
    )
    return found


def _compartment(definition: Json) -> Json:
    resources = definition["resource"]
    return {entry["code"]: entry["param"] for entry in resources if entry.get("param")}


def _row(parameter: Json, everyone: list[Json]) -> Json:
    kinds = {p["url"]: p["type"] for p in everyone}
    codes = {p["url"]: p["code"] for p in everyone}
    return {
        "code": parameter["code"],
        "base": parameter["base"],
        "kind": "special" if parameter["code"] in SPECIAL else parameter["type"],
        # One parameter of a later edition slipped into the package; R4 has not its element.
        "expression": parameter.get("expression", "") if parameter["version"] == EDITION else "",
        "url": parameter["url"],
        "targets": parameter.get("target", []),
        "components": [
            [codes[definition], kinds[definition], expression]
            for definition, expression in _components(parameter)
        ],
    }


def _components(parameter: Json) -> list[tuple[str, str]]:
    parts = parameter.get("component", [])
    wanted = [part["definition"] for part in parts]
    if parameter["id"] in SWAPPED:
        wanted.reverse()
    return list(zip(wanted, (part["expression"] for part in parts), strict=True))


def _elements(structures: Iterable[Json]) -> Json:
    table: dict[str, dict[str, str]] = {}
    for structure in structures:
        if structure["kind"] == "primitive-type" or structure.get("derivation") == "constraint":
            continue
        for element in structure["snapshot"]["element"][1:]:
            owner, _, name = element["path"].rpartition(".")
            written = _type(element)
            if written:
                table.setdefault(owner, {})[name.removesuffix("[x]")] = written
    return table


def _type(element: Json) -> str:
    if element["max"] == "0":
        return ""
    many = "" if element["max"] == "1" else "*"
    if "contentReference" in element:
        return str(element["contentReference"]).rpartition("#")[2] + many
    kinds = [
        kind["code"].removeprefix("http://hl7.org/fhirpath/System.") for kind in element["type"]
    ]
    if element["path"].endswith("[x]"):
        return "x:" + ",".join(kinds)
    if kinds[0] in ("BackboneElement", "Element"):
        return str(element["path"]) + many
    return ("string" if kinds[0] == "String" else kinds[0]) + many


def _bindings(structures: Iterable[Json]) -> Iterator[tuple[tuple[str, str], str]]:
    for structure in structures:
        for element in structure["snapshot"]["element"]:
            binding = element.get("binding", {})
            if binding.get("strength") == "required" and "valueSet" in binding:
                owner, _, name = element["path"].rpartition(".")
                yield (owner, name.removesuffix("[x]")), binding["valueSet"].partition("|")[0]


def _implicit(row: Json, systems: Mapping[tuple[str, str], set[str]]) -> Json:
    answer = {}
    for base in row["base"]:
        implied: set[str] = set()
        for branch in branches_of(row["expression"], base):
            implied |= _implied(branch, base, systems)
        if implied:
            answer[base] = sorted(implied)
    return answer


def _implied(branch: Branch, base: str, systems: Mapping[tuple[str, str], set[str]]) -> set[str]:
    if isinstance(branch, Condition):
        return {BOOLEANS}
    found: set[str] = set()
    for way in resolve(branch, base):
        if way.type == "boolean":
            found.add(BOOLEANS)
        last = branch.steps[-1]
        if way.type == "code" and isinstance(last, Field):
            for above in resolve(BranchPath(branch.root, branch.steps[:-1]), base):
                found |= systems.get((above.type, last.name), set())
    return found


def _systems(url: str, value_sets: Mapping[str, Json]) -> Iterator[str]:
    for include in value_sets.get(url, {}).get("compose", {}).get("include", []):
        if "system" in include:
            yield include["system"]
        for other in include.get("valueSet", []):
            yield from _systems(other.partition("|")[0], value_sets)


def _number(rows: list[Json]) -> None:
    path = FOLDER / "numbers.csv"
    lines = list(csv.DictReader(path.open())) if path.exists() else []
    known = {(line["type"], line["code"]) for line in lines}
    last = max((int(line["number"]) for line in lines), default=0)
    bits = Counter({line["type"]: 0 for line in lines})
    for line in lines:
        bits[line["type"]] = max(bits[line["type"]], int(line["bit"]) + 1)
    pairs = sorted({(_owner(base), row["code"]) for row in rows for base in row["base"]} - known)
    for owner, code in pairs:
        last += 1
        bit = max(bits[owner], 0 if owner == "Resource" else COMMON_BITS)
        bits[owner] = bit + 1
        lines.append({"type": owner, "code": code, "number": str(last), "bit": str(bit)})
    out = io.StringIO()
    writer = csv.DictWriter(out, ["type", "code", "number", "bit"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    path.write_text(out.getvalue())


def _owner(base: str) -> str:
    return "Resource" if base == "DomainResource" else base


def _sparse(row: Json) -> Json:
    return {name: value for name, value in row.items() if value}


def _write(name: str, value: Any) -> None:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    lines = [
        (f"{json.dumps(key)}: " if isinstance(value, dict) else "")
        + json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        for key, entry in entries
    ]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    (FOLDER / name).write_text(begin + "\n" + ",\n".join(lines) + "\n" + end + "\n")


if __name__ == "__main__":
    main()
