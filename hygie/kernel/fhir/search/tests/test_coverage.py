"""Every parameter yields a value when one of its elements is there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET

from hygie.kernel.fhir import definitions
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.search.branches import branches_of
from hygie.kernel.fhir.search.compile import SERVER_OWNED, compile_type
from hygie.kernel.fhir.search.dates import PARIS
from hygie.kernel.fhir.search.elements import Attribute, Way, resolve
from hygie.kernel.fhir.search.expression import Path, ResolvesTo, Where
from hygie.kernel.fhir.search.readers import reader
from hygie.kernel.fhir.search.registry import Parameter, parameters, rows

LISTS = {
    "token": "tokens",
    "reference": "references",
    "string": "strings",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "uri": "uris",
    "special": "positions",
}


class Element:
    """An element with a few attributes; all others are absent."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __getattr__(self, name: str) -> Any:
        return UNSET


def sample(fhir_type: str, *, target: str) -> Any:
    """Return a value of a FHIR type; references point to ``target``."""
    coding = Element(system="s", code="c")
    quantity = Element(value=Decimal(1), system="s", code="u")
    name = b'{"resourceType": "%s", "id": "1"}' % target.encode()
    samples: dict[str, Any] = {
        "Coding": coding,
        "CodeableConcept": Element(coding=[coding]),
        "Identifier": Element(system="s", value="v"),
        "ContactPoint": Element(system="phone", value="1"),
        "Reference": Element(reference=f"{target}/1"),
        "Resource": name,
        "HumanName": Element(family="Roy"),
        "Address": Element(city="Brest"),
        "Period": Element(start="2024"),
        "Timing": Element(event=["2024"]),
        "Money": Element(value=Decimal(1), currency="EUR"),
        "Range": Element(low=quantity),
        "SampledData": Element(origin=quantity, data="1 2"),
        "Location.position": Element(longitude=Decimal(1), latitude=Decimal(2)),
        "boolean": True,
        "decimal": Decimal(1),
        "canonical": f"http://a.org/{target}/1",
        "uri": "http://a.org/x",
        **dict.fromkeys(("date", "dateTime", "instant"), "2024-01-01"),
        **dict.fromkeys(("integer", "positiveInt", "unsignedInt"), 1),
        **dict.fromkeys(("Quantity", "Age", "Duration", "Count", "Distance"), quantity),
    }
    return samples.get(fhir_type, "text")


def build(way: Way, one: Parameter) -> Element:
    """Return a resource that holds one value at the end of a way."""
    wanted = [move.type for move in way.moves if isinstance(move, ResolvesTo)]
    value = sample(way.type, target=(wanted or [*one.targets, "Patient"])[0])
    for move in reversed(way.moves):
        if isinstance(move, Where):
            setattr(value, move.field, move.value)
        elif isinstance(move, Attribute):
            many = move.many or move.index is not None
            value = Element(**{move.name: [value] if many else value})
    assert isinstance(value, Element)
    return value


def readable(rt: str) -> Iterator[tuple[Parameter, Way]]:
    for one in parameters(rt).values():
        if one.kind == "composite" or one.code in SERVER_OWNED or not one.expression:
            continue
        for branch in branches_of(one.expression, rt):
            if isinstance(branch, Path):
                for way in resolve(branch, rt):
                    if reader(one.kind, way.type, PARIS) is not None:
                        yield one, way


@pytest.mark.parametrize("rt", sorted(RESOURCE_TYPES))
def test_every_way_of_every_parameter_yields_a_value(rt: str) -> None:
    run = compile_type(parameters(rt).values(), PARIS)
    for one, way in readable(rt):
        out = run(build(way, one))
        assert one in {entry[0] for entry in getattr(out, LISTS[one.kind])}, (one, way)
        assert out.present & one.mask


def test_the_table_repeats_the_official_definitions() -> None:
    table = {row.url: row for row in rows()}
    for definition in definitions.search_parameters():
        row = table[definition["url"]]
        assert (row.code, list(row.base)) == (definition["code"], definition["base"])
        assert row.kind in (definition["type"], "special")
        assert row.expression in (definition.get("expression", ""), "")
        assert list(row.targets) == definition.get("target", [])
