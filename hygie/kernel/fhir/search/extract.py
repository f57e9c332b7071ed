"""Extract the search values of a resource with closures compiled once for its type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from hygie.kernel.fhir.search.compile import compile_type
from hygie.kernel.fhir.search.dates import PARIS
from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.references import Ref
from hygie.kernel.fhir.search.registry import compartment, parameters


def extract(resource: msgspec.Struct, *, zone: tzinfo = PARIS) -> Extracted:
    """Return every search value of a resource.

    The first call for a type and zone compiles its expressions, a few milliseconds. ``zone``
    completes dates written without one.
    """
    return _extractor(type(resource).__name__, zone)(resource)


def patients(resource: msgspec.Struct) -> list[Ref]:
    """Return the patients whose compartment the resource belongs to, each once, in a fixed order.

    FHIR R4, compartmentdefinition-patient.html. A Patient comes first in its own compartment;
    absolute references keep their url, so that the caller may tell its own patients apart.
    """
    rt = type(resource).__name__
    found = dict.fromkeys(
        ref for _, ref in _members(rt)(resource).references if ref.type == "Patient"
    )
    own = getattr(resource, "id", msgspec.UNSET)
    if rt == "Patient" and isinstance(own, str):
        return list(dict.fromkeys([Ref("Patient", own), *found]))
    return list(found)


@lru_cache(maxsize=1_024)
def _extractor(rt: str, zone: tzinfo) -> Callable[[Any], Extracted]:
    return compile_type(parameters(rt).values(), zone)


@lru_cache(maxsize=256)
def _members(rt: str) -> Callable[[Any], Extracted]:
    known = parameters(rt)
    return compile_type([known[code] for code in compartment("Patient").get(rt, ())], PARIS)
