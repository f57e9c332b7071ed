"""Read the search values of one element: one function for each kind of search and FHIR type.

FHIR R4, search.html, sections string, number, date, quantity, token, reference and uri say which
types each kind reads. A reader returns a list of plain tuples, empty when the element says nothing
searchable; ``SHAPES`` documents each. Elements are Structs whose absent attributes are UNSET.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET

from hygie.kernel.fhir.search.dates import FIRST, LAST, Interval, interval
from hygie.kernel.fhir.search.references import Ref, parse_ref
from hygie.kernel.fhir.search.registry import Kind

Token = tuple[str | None, str | None]
"""System (or None) and code (or None, for an identifier or coding with a system only)."""

Quantity = tuple[Decimal, str | None, str | None, str | None, str | None]
"""Value, comparator, system, code, unit as text."""

Values = list[Any]
Reader = Callable[[Any], Values]

CURRENCIES = "urn:iso:std:iso:4217"
_NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


def reader(kind: Kind, fhir_type: str, zone: tzinfo) -> Reader | None:
    """Return the reader of a FHIR type for a kind of search, or None when search skips the type.

    ``zone`` completes dates that are written without one.
    """
    if kind == "date":
        dated = _DATES.get(fhir_type)
        return None if dated is None else partial(dated, zone=zone)
    return _READERS.get((kind, fhir_type))


def coding(value: Any) -> list[Token]:
    """Read a Coding."""
    system = None if value.system is UNSET else value.system
    code = None if value.code is UNSET else value.code
    return [] if system is None and code is None else [(system, code)]


def codeable_concept(value: Any) -> list[Token]:
    """Read every Coding of a CodeableConcept."""
    if value.coding is UNSET:
        return []
    return [
        (None if one.system is UNSET else one.system, None if one.code is UNSET else one.code)
        for one in value.coding
        if one.code is not UNSET or one.system is not UNSET
    ]


def identifier(value: Any) -> list[Token]:
    """Read an Identifier or a ContactPoint: its system and its value."""
    system = None if value.system is UNSET else value.system
    text = None if value.value is UNSET else value.value
    return [] if system is None and text is None else [(system, text)]


def code(value: str) -> list[Token]:
    """Read a code, id, uri or string as a token; the system is implied."""
    return [(None, value)]


def boolean(value: bool) -> list[Token]:  # noqa: FBT001
    """Read a boolean as the token ``true`` or ``false``."""
    return [(None, "true" if value else "false")]


def text(value: str) -> list[tuple[str]]:
    """Read a string, markdown, uri or code as it stands."""
    return [(value,)]


def reference(value: Any) -> list[tuple[Ref]]:
    """Read a literal Reference; a contained or logical one gives nothing."""
    ref = None if value.reference is UNSET else parse_ref(value.reference)
    return [] if ref is None else [(ref,)]


def canonical(value: str) -> list[tuple[Ref]]:
    """Read a canonical, or a uri that stands for a reference."""
    ref = parse_ref(value)
    return [] if ref is None else [(ref,)]


class _Head(msgspec.Struct):
    """The two first words of a resource kept as raw JSON in a Bundle."""

    resourceType: str  # noqa: N815
    id: str | None = None


def inline_resource(value: msgspec.Raw) -> list[tuple[Ref]]:
    """Read the identity of a resource held inside another, such as the Composition of a Bundle."""
    head = msgspec.json.decode(value, type=_Head)
    return [] if head.id is None else [(Ref(head.resourceType, head.id),)]


def quantity(value: Any) -> list[Quantity]:
    """Read a Quantity or one of its specialisations (Age, Count, Distance, Duration)."""
    if value.value is UNSET:
        return []
    return [(value.value, *(_or_none(value, name) for name in ("comparator", *_UNIT)))]


_UNIT = ("system", "code", "unit")


def money(value: Any) -> list[Quantity]:
    """Read Money as a quantity whose unit is a currency of ISO 4217."""
    if value.value is UNSET:
        return []
    return [(value.value, None, CURRENCIES, _or_none(value, "currency"), None)]


def value_range(value: Any) -> list[Quantity]:
    """Read both ends of a Range."""
    ends = (value.low, value.high)
    return [entry for end in ends if end is not UNSET for entry in quantity(end)]


def sampled_data(value: Any) -> list[Quantity]:
    """Read the least and greatest values of a SampledData, in the unit of its origin.

    The SearchParameter Observation-value-quantity says "just search on the bounds of the values".
    """
    origin = quantity(value.origin)
    samples = list(_samples(value)) if origin else []
    if not samples:
        return []
    zero, _, *unit = origin[0]
    factor = Decimal(1) if value.factor is UNSET else value.factor
    bounds = sorted({min(samples) * factor + zero, max(samples) * factor + zero})
    return [(bound, None, unit[0], unit[1], unit[2]) for bound in bounds]


def number(value: Decimal | int) -> list[tuple[Decimal]]:
    """Read a decimal or an integer."""
    return [(Decimal(value),)]


def number_range(value: Any) -> list[tuple[Decimal]]:
    """Read both ends of a Range without its unit."""
    return [(entry[0],) for entry in value_range(value)]


def human_name(value: Any) -> list[tuple[str]]:
    """Read every part of a HumanName on its own."""
    return list(_parts(value, _NAME_PARTS))


def address(value: Any) -> list[tuple[str]]:
    """Read every part of an Address on its own."""
    return list(_parts(value, _ADDRESS_PARTS))


def position(value: Any) -> list[tuple[Decimal, Decimal]]:
    """Read the longitude and latitude of a Location, in degrees (WGS 84)."""
    return [(value.longitude, value.latitude)]


def moment(value: str, *, zone: tzinfo) -> list[Interval]:
    """Read a date, dateTime or instant."""
    return [interval(value, zone)]


def period(value: Any, *, zone: tzinfo) -> list[Interval]:
    """Read a Period; a missing end is open."""
    if value.start is UNSET and value.end is UNSET:
        return []
    low = FIRST if value.start is UNSET else interval(value.start, zone)[0]
    high = LAST if value.end is UNSET else interval(value.end, zone)[1]
    return [(low, high)]


def timing(value: Any, *, zone: tzinfo) -> list[Interval]:
    """Read the outer limits of a Timing: its events and the period of its repetition."""
    events = () if value.event is UNSET else value.event
    spans = [interval(event, zone) for event in events if event is not None]
    if value.repeat is not UNSET and value.repeat.boundsPeriod is not UNSET:
        spans += period(value.repeat.boundsPeriod, zone=zone)
    return [(min(low for low, _ in spans), max(high for _, high in spans))] if spans else []


def _or_none(value: Any, name: str) -> str | None:
    found = getattr(value, name)
    return None if found is UNSET else found


def _parts(value: Any, names: tuple[str, ...]) -> Iterator[tuple[str]]:
    for name in names:
        part = getattr(value, name)
        if isinstance(part, str):
            yield (part,)
        elif part is not UNSET:
            yield from ((item,) for item in part if item is not None)


def _samples(value: Any) -> Iterator[Decimal]:
    limits = {"L": value.lowerLimit, "U": value.upperLimit}
    for word in () if value.data is UNSET else value.data.split():
        try:
            yield Decimal(word)
        except InvalidOperation:
            if limits.get(word, UNSET) is not UNSET:
                yield limits[word]


_WORDS = ("code", "string", "uri", "url", "canonical", "id", "oid", "uuid", "markdown")
_MEASURES = ("Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity")
_READERS: dict[tuple[str, str], Reader] = {
    ("token", "Coding"): coding,
    ("token", "CodeableConcept"): codeable_concept,
    ("token", "Identifier"): identifier,
    ("token", "ContactPoint"): identifier,
    ("token", "boolean"): boolean,
    ("string", "HumanName"): human_name,
    ("string", "Address"): address,
    ("reference", "Reference"): reference,
    ("reference", "Resource"): inline_resource,
    ("quantity", "Money"): money,
    ("quantity", "Range"): value_range,
    ("quantity", "SampledData"): sampled_data,
    ("number", "Range"): number_range,
    ("special", "Location.position"): position,
    **{("token", word): code for word in _WORDS},
    **{("string", word): text for word in _WORDS},
    **{("uri", word): text for word in _WORDS},
    **{("reference", word): canonical for word in ("canonical", "uri", "url")},
    **{("quantity", measure): quantity for measure in _MEASURES},
    **{("number", word): number for word in ("decimal", "integer", "positiveInt", "unsignedInt")},
}
_DATES: dict[str, Callable[..., Values]] = {
    "date": moment,
    "dateTime": moment,
    "instant": moment,
    "Period": period,
    "Timing": timing,
}
