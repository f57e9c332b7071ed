"""Elements of the generated structs as plain values: parties, periods, codes, extensions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, tzinfo
from typing import Any

from msgspec import UNSET

from hygie.kernel.errors import Unprocessable
from hygie.kernel.fhir.search.dates import FIRST, LAST, interval
from hygie.kernel.fhir.search.references import parse_ref
from hygie.kernel.store.facts import PartyRef

Interval = tuple[datetime, datetime]


def party(reference: Any, types: Collection[str]) -> PartyRef | None:
    """Return who a Reference names, if it is somebody of this server of one of the types."""
    if reference is UNSET or reference.reference is UNSET:
        return None
    ref = parse_ref(reference.reference)
    if ref is None or ref.type is None or ref.id is None or ref.url is not None:
        return None
    return (ref.type, ref.id) if ref.type in types else None


def period(element: Any, zone: tzinfo) -> Interval:
    """Return a Period, end not included; open where nothing is written.

    Raises:
        Unprocessable: it ends before it starts.
    """
    if element is UNSET:
        return FIRST, LAST
    starts = FIRST if element.start is UNSET else interval(element.start, zone)[0]
    ends = LAST if element.end is UNSET else interval(element.end, zone)[1]
    if ends < starts:
        raise Unprocessable("The period ends before it starts; exchange its two dates.")
    return starts, ends


def within(whole: Interval, own: Interval) -> Interval | None:
    """Return what two intervals share, None where they share nothing."""
    starts, ends = max(whole[0], own[0]), min(whole[1], own[1])
    return (starts, ends) if starts < ends else None


def codes(concepts: Any, system: str) -> Iterator[str]:
    """Yield the codes of a system in a list of CodeableConcepts."""
    for one in () if concepts is UNSET else concepts:
        yield from codes_of(one, system)


def codes_of(concept: Any, system: str) -> Iterator[str]:
    """Yield the codes of a system in one CodeableConcept."""
    if concept is UNSET or concept.coding is UNSET:
        return
    for coding in concept.coding:
        if coding.system == system and coding.code is not UNSET:
            yield coding.code


def texts(concepts: Any) -> Iterator[str]:
    """Yield the texts of a list of CodeableConcepts."""
    for one in () if concepts is UNSET else concepts:
        if one.text is not UNSET:
            yield one.text


def extension(element: Any, url: str) -> Any:
    """Return the first extension with this URL, or None."""
    if element.extension is UNSET:
        return None
    return next((one for one in element.extension if one.url == url), None)


def extension_code(element: Any, url: str) -> str | None:
    """Return the ``valueCode`` of an extension, or None."""
    found = extension(element, url)
    if found is None or found.valueCode is UNSET:
        return None
    code: str = found.valueCode
    return code
