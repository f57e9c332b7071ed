"""Build resources for the tests of search."""

from __future__ import annotations

from typing import Any

import msgspec

from hygie.kernel.fhir.search.extract import extract
from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.structs import decoder


def resource(rt: str, **fields: Any) -> msgspec.Struct:
    return decoder(rt).decode(msgspec.json.encode({"resourceType": rt, **fields}))


def extracted(rt: str, **fields: Any) -> Extracted:
    return extract(resource(rt, **fields))


def observation(**fields: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}
    return {"status": "final", "code": code, **fields}


def of(entries: list[Any], code: str) -> list[Any]:
    """Return the values of one parameter, without the parameter."""
    return [entry[1:] for entry in entries if entry[0].code == code]
