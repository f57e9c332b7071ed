"""From resources to lines of the timeline and to the rows of a detail page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hygie.domains.record.fhir.elements import Json, code, display, label, quantity, when
from hygie.domains.record.fhir.sections import document, medicine, values_of
from hygie.domains.record.model.timeline import Item, Kind


@dataclass(frozen=True, slots=True)
class Source:
    """How one resource type feeds the timeline.

    ``search`` is its date search parameter; ``dates`` the elements it stands for, best first.
    """

    kind: Kind
    search: str
    dates: tuple[str, ...]
    title: Callable[[Json], str]
    side: Callable[[Json], str]


def _code(item: Json) -> str:
    return label(item.get("code"))


def _nothing(item: Json) -> str:
    del item
    return ""


def _visit(item: Json) -> str:
    return " ".join(label(one) for one in item.get("type", [])[:1]) or label(
        item.get("serviceType")
    )


def _reason(item: Json) -> str:
    return ", ".join(label(one) for one in item.get("reasonCode", []))


def _dosage(item: Json) -> str:
    lines = item.get("dosageInstruction") or item.get("dosage") or []
    return " ; ".join(one["text"] for one in lines if one.get("text"))


def _document(item: Json) -> str:
    return document(item, zone=ZoneInfo("UTC")).title


def _conclusion(item: Json) -> str:
    return str(item.get("conclusion", ""))


def _medicine(item: Json) -> str:
    return medicine(item, {})


def _vaccine(item: Json) -> str:
    return label(item.get("vaccineCode"))


def _type(item: Json) -> str:
    return label(item.get("type"))


def value(observation: Json) -> str:
    """Return the value of an Observation in one line."""
    if "valueQuantity" in observation:
        return quantity(observation["valueQuantity"])
    if "valueCodeableConcept" in observation:
        return label(observation["valueCodeableConcept"])
    for name in ("valueString", "valueInteger", "valueDateTime", "valueTime"):
        if name in observation:
            return str(observation[name])
    values, unit = values_of(observation)
    if values:
        return f"{'/'.join(str(one) for one in values)} {unit}".strip()
    components = observation.get("component", [])
    parts = [f"{label(one.get('code'))} {value(one)}".strip() for one in components]
    return " ; ".join(parts)


SOURCES: Mapping[str, Source] = {
    "Encounter": Source(Kind.ENCOUNTER, "date", ("period",), _visit, _reason),
    "DiagnosticReport": Source(
        Kind.RESULT, "date", ("effectiveDateTime", "effectivePeriod", "issued"), _code, _conclusion
    ),
    "Observation": Source(
        Kind.MEASURE, "date", ("effectiveDateTime", "effectivePeriod", "issued"), _code, value
    ),
    "MedicationRequest": Source(Kind.TREATMENT, "authoredon", ("authoredOn",), _medicine, _dosage),
    "Immunization": Source(Kind.VACCINE, "date", ("occurrenceDateTime",), _vaccine, _nothing),
    "Condition": Source(
        Kind.PROBLEM, "onset-date", ("onsetDateTime", "onsetPeriod"), _code, _nothing
    ),
    "AllergyIntolerance": Source(Kind.ALLERGY, "date", ("recordedDate",), _code, _nothing),
    "Procedure": Source(
        Kind.PROCEDURE, "date", ("performedDateTime", "performedPeriod"), _code, _reason
    ),
    "DocumentReference": Source(Kind.DOCUMENT, "date", ("date",), _document, _type),
}
"""The resource types of the timeline; each is one line of the reader's filter."""

WRONG = {"entered-in-error", "not-done", "cancelled"}


def item(raw: Json, *, zone: ZoneInfo) -> Item | None:
    """Return a line, or None for what was entered in error, was not done or has no date."""
    source = SOURCES[raw["resourceType"]]
    day = when(raw, *source.dates, zone=zone)
    status = raw.get("status") or code(raw.get("verificationStatus"))
    if not day or status in WRONG:
        return None
    return Item(
        reference=f"{raw['resourceType']}/{raw['id']}",
        kind=source.kind,
        day=day,
        title=source.title(raw),
        side=source.side(raw),
    )


def rows(raw: Json, *, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Return (name of the element, text) for the detail page, empty texts left out.

    The names are those of FHIR; the page puts them in words.
    """
    inside = raw.get("contained", [])
    source = SOURCES[raw["resourceType"]]
    who = [raw.get(name) for name in ("performer", "requester", "recorder", "author")]
    people = [
        one
        for value_ in who
        if value_
        for one in (value_ if isinstance(value_, list) else [value_])
    ]
    notes = " ".join(str(note.get("text", "")) for note in raw.get("note", []))
    found = [
        ("title", source.title(raw)),
        ("date", when(raw, *source.dates, zone=zone)),
        ("value", value(raw) if raw["resourceType"] == "Observation" else source.side(raw)),
        ("range", " ; ".join(_range(one) for one in raw.get("referenceRange", []))),
        ("interpretation", ", ".join(label(one) for one in raw.get("interpretation", []))),
        ("reason", _reason(raw)),
        ("place", display(raw.get("serviceProvider") or raw.get("custodian"), inside)),
        ("who", ", ".join(filter(None, (_actor(one, inside) for one in people)))),
        ("note", notes),
    ]
    kept: dict[str, tuple[str, str]] = {}
    for name, text in found:
        # The reason of a visit stands once, even when it is also its second line.
        if text and text not in kept:
            kept[text] = (name, text)
    return list(kept.values())


def _actor(one: Json, inside: list[Json]) -> str:
    return display(one.get("actor") or one, inside)


def _range(one: Json) -> str:
    low, high = quantity(one.get("low")), quantity(one.get("high"))
    return str(one.get("text") or " - ".join(filter(None, (low, high))))
