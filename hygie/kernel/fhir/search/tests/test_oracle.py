"""Extraction says the same as a naive reading of the same resources."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.extract import extract, patients
from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.fhir.search.tests.naive import READERS, naive
from hygie.kernel.fhir.structs import decoder
from hygie.testing.shared import shared_path

Json = dict[str, Any]

LISTS = ("tokens", "strings", "dates", "numbers", "quantities", "uris", "composites")


@pytest.mark.parametrize("number", range(1, 13))
def test_every_synthea_resource_is_read_alike(number: int) -> None:
    path = shared_path(f"data/synthea_r4/bundle_{number:02}.json.gz")
    bundle = json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)
    seen = Counter(check(relative(entry["resource"])) for entry in bundle["entry"])
    assert READERS.keys() <= seen.keys()


def test_every_official_example_is_read_alike() -> None:
    folder = shared_path("conformance/fhir-r4/examples")
    seen = Counter(check(resource) for resource in examples(folder))
    assert len(seen) > 50
    assert READERS.keys() <= seen.keys()


def check(resource: Json) -> str:
    """Compare what is extracted with the naive reading, where there is one."""
    rt: str = resource["resourceType"]
    struct = decode(resource)
    out = extract(struct)
    assert presence(out) & ~out.present == 0
    assert {ref.type for ref in patients(struct)} <= {"Patient"}
    if rt in READERS:
        expected = Counter(normal(entry) for entry in naive(resource))
        assert expected
        assert Counter(entries(out)) == expected, resource.get("id")
    return rt


def presence(out: Extracted) -> int:
    """Return the bits of the parameters that have a value: all must be marked present."""
    bits = 0
    for name in (*LISTS, "references"):
        for entry in getattr(out, name):
            bits |= entry[0].mask
            assert entry[0] is parameters(entry[0].rt)[entry[0].code]
    return bits


def entries(out: Extracted) -> Iterator[tuple[Any, ...]]:
    """Return what is extracted in the shape of the naive reading."""
    for name in LISTS:
        for one, *values in getattr(out, name):
            yield normal((name, one.code, *values))
    for one, ref in out.references:
        yield ("references", one.code, ref.type, ref.id, ref.url)


def normal(entry: tuple[Any, ...]) -> tuple[Any, ...]:
    """Compare decimals as the doubles both sides can hold."""
    return tuple(
        float(item)
        if isinstance(item, Decimal)
        else normal(item)
        if isinstance(item, tuple)
        else item
        for item in entry
    )


def relative(resource: Json) -> Json:
    """Write references as the store sees them, once a transaction has resolved them."""
    owner = {"subject": "Patient", "patient": "Patient", "individual": "Practitioner"}

    def rewrite(value: Any, name: str = "") -> Any:
        if isinstance(value, list):
            return [rewrite(item, name) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("reference")
        if name in owner and isinstance(reference, str) and reference.startswith("urn:uuid:"):
            return {**value, "reference": f"{owner[name]}/{reference[9:]}"}
        return {key: rewrite(inner, key) for key, inner in value.items()}

    changed: Json = rewrite(resource)
    return changed


def examples(folder: Path) -> Iterator[Json]:
    """Yield the examples that keep the rules of R4: a few of the official ones break one."""
    for path in sorted(folder.glob("*.json")):
        resource = json.loads(path.read_bytes(), parse_float=Decimal)
        if resource["resourceType"] in RESOURCE_TYPES:
            with contextlib.suppress(msgspec.ValidationError):
                decode(resource)
                yield resource


def decode(resource: Json) -> msgspec.Struct:
    return decoder(resource["resourceType"]).decode(json.dumps(resource, default=float).encode())
