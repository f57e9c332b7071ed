"""Pair the values of composite parameters that belong to the same occurrence.

FHIR R4, search.html#composite: "the tuple of parameters must be satisfied by the same element".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from itertools import product
from math import prod
from typing import Any

from hygie.kernel.errors import NotSupported, TooLarge
from hygie.kernel.fhir.search.branches import branches_of
from hygie.kernel.fhir.search.elements import Way, resolve
from hygie.kernel.fhir.search.emitters import Emit
from hygie.kernel.fhir.search.expression import Path, parse_expression
from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.readers import reader
from hygie.kernel.fhir.search.registry import Component, Parameter
from hygie.kernel.fhir.search.walking import walk

MOST_PAIRS = 10_000
"""Pairs that one occurrence may make for one composite; no honest record comes near."""

Values = Callable[[Any, Any], list[tuple[Any, ...]]]
"""From the whole resource and one occurrence to the values of one component."""


def composite(parameter: Parameter, zone: tzinfo) -> list[Emit]:
    """Return what writes a composite, one function for each place it stands on."""
    return [
        _occurrences(parameter, way, zone)
        for branch in branches_of(parameter.expression, parameter.rt)
        if isinstance(branch, Path)
        for way in resolve(branch, parameter.rt)
    ]


def _occurrences(parameter: Parameter, way: Way, zone: tzinfo) -> Emit:
    occurrences = walk(way)
    # The last component is the value, most often absent: it is asked first.
    last_first = [
        _values(part, way.type, parameter.rt, zone=zone) for part in parameter.components[::-1]
    ]

    def emit(out: Extracted, resource: Any) -> None:
        for occurrence in occurrences(resource):
            parts = []
            for values in last_first:
                found = values(resource, occurrence)
                if not found:
                    break
                parts.append(found)
            else:
                _check_is_bounded(parameter, parts)
                out.present |= parameter.mask
                out.composites += [(parameter, pair) for pair in product(*parts[::-1])]

    return emit


def _check_is_bounded(parameter: Parameter, parts: list[list[tuple[Any, ...]]]) -> None:
    if prod(map(len, parts)) > MOST_PAIRS:
        raise TooLarge(
            f"One element of the resource makes over {MOST_PAIRS} pairs of values for the search "
            f"parameter {parameter.code}; give it fewer codings."
        )


def _values(part: Component, context: str, rt: str, *, zone: tzinfo) -> Values:
    ways = list(_ways(part, context, rt, zone=zone))
    if not ways:
        raise NotSupported(f"No type of {part.expression} in {context} is a {part.kind}.")

    def values(resource: Any, occurrence: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for from_resource, reach, read in ways:
            for element in reach(resource if from_resource else occurrence):
                found += read(element)
        return found

    return values


def _ways(part: Component, context: str, rt: str, *, zone: tzinfo) -> Any:
    for branch in parse_expression(part.expression):
        if not isinstance(branch, Path):
            raise NotSupported(f"A component cannot be a condition: {part.expression}.")
        from_resource = branch.root == "%resource"
        for way in resolve(branch, rt if from_resource else context):
            read = reader(part.kind, way.type, zone)
            if read is not None:
                yield from_resource, walk(way), read
