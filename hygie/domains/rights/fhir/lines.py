"""One readable line of any resource: day, title, value; for the PDF and the page of an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
LONGEST = 300
_DATES = (
    *("effectiveDateTime", "occurrenceDateTime", "performedDateTime", "onsetDateTime"),
    *("date", "authoredOn", "start", "created", "issued", "recordedDate", "dateTime", "sent"),
    *("dateAsserted", "whenHandedOver", "recorded", "birthDate"),
)
_PERIODS = ("period", "effectivePeriod", "performedPeriod", "executionPeriod", "servicedPeriod")
_TITLES = (
    *("description", "code", "vaccineCode", "medicationCodeableConcept", "type", "title"),
    *("category", "name", "serviceType", "scope", "productOrService", "class"),
)
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "valueInteger", "conclusion")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """What one resource says in a line; ``day`` is empty where it has no date."""

    day: str
    rt: str
    title: str
    detail: str
    id: str


def line(resource: Json) -> Line:
    """Return the readable line of a resource.

    >>> line({"resourceType": "Immunization", "id": "1", "occurrenceDateTime": "2025-10-21T09:00",
    ...       "vaccineCode": {"text": "Grippe"}})
    Line(day='2025-10-21', rt='Immunization', title='Grippe', detail='', id='1')
    """
    rt = str(resource.get("resourceType", ""))
    title = next(filter(None, (text_of(resource.get(name)) for name in _TITLES)), "") or rt
    return Line(_day(resource), rt, title[:LONGEST], _detail(resource)[:LONGEST], _id(resource))


def text_of(value: Any) -> str:
    """Return the words of a concept, a coding, a name, a list of them, or a plain text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, (text_of(one) for one in value[:4])))
    if isinstance(value, Mapping):
        return _words(value)
    return ""


def attachments(resource: Json) -> Iterator[Json]:
    """Yield what holds a file in a resource: attachments with data, and a Binary itself."""
    if resource.get("resourceType") == "Binary":
        yield resource
        return
    yield from _attachments(resource)


def _attachments(value: Any) -> Iterator[Json]:
    if isinstance(value, Mapping):
        if isinstance(value.get("data"), str) and "contentType" in value:
            yield value
            return
        for inner in value.values():
            yield from _attachments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _attachments(inner)


def _words(value: Json) -> str:
    if "family" in value or "given" in value:
        return " ".join([*value.get("given", ()), str(value.get("family", ""))]).strip()
    if value.get("text") and isinstance(value["text"], str):
        return str(value["text"])
    if isinstance(value.get("coding"), list):
        found = (one.get("display") or one.get("code") for one in value["coding"])
        return str(next(filter(None, found), ""))
    return str(value.get("display") or value.get("code") or "")


def _day(resource: Json) -> str:
    for name in _DATES:
        if isinstance(resource.get(name), str):
            return str(resource[name])[:10]
    for name in _PERIODS:
        period = resource.get(name)
        if isinstance(period, Mapping) and isinstance(period.get("start"), str):
            return str(period["start"])[:10]
    return ""


def _detail(resource: Json) -> str:
    found = [_value(resource.get(name)) for name in _VALUES]
    for part in resource.get("component") or ():
        if isinstance(part, Mapping):
            found += [_value(part.get(name)) for name in _VALUES]
    for dosage in resource.get("dosageInstruction") or resource.get("dosage") or ():
        if isinstance(dosage, Mapping):
            found.append(text_of(dosage.get("text")))
    found += [text_of(note) for note in resource.get("note") or () if isinstance(note, Mapping)]
    return " · ".join(filter(None, found))


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and "value" in value:
        return f"{value['value']} {value.get('unit') or value.get('code') or ''}".strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(value)


def _id(resource: Json) -> str:
    return str(resource.get("id", ""))
