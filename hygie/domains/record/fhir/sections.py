"""From resources to the sections of the summary."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from hygie.domains.record.fhir.elements import (
    Json,
    about,
    absence,
    code,
    codes,
    display,
    human_name,
    ins,
    label,
    when,
)
from hygie.domains.record.model.summary import (
    Allergy,
    Attachment,
    Document,
    Measure,
    Person,
    Point,
    Problem,
    Section,
    Treatment,
    Vaccine,
    section,
)
from hygie.domains.record.model.tables import antigens, measures

ACTIVE = {"active", "recurrence", "relapse"}
WRONG = {"entered-in-error", "refuted"}
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
POINTS = 24
FLAGS = {"high": {"H", "HH", "HU"}, "low": {"L", "LL", "LU"}}
LOINC = "http://loinc.org"


def person(item: Json) -> Person:
    """Return who a Patient resource is about."""
    return Person(
        id=item["id"],
        name=human_name(item.get("name", [])),
        birth_date=item.get("birthDate", ""),
        sex=item.get("gender", ""),
        ins=ins(item.get("identifier", [])),
        deceased=bool(item.get("deceasedBoolean") or item.get("deceasedDateTime")),
    )


def problems(items: Iterable[Json], *, zone: ZoneInfo, complete: bool) -> Section[Problem]:
    """Return the current problems from Condition resources."""
    stated, entries, past = [], [], False
    for item in items:
        scope = absence(item.get("code"), "problems")
        if scope:
            stated.append(scope)
        elif code(item.get("verificationStatus")) not in WRONG:
            if code(item.get("clinicalStatus")) in ACTIVE | {""}:
                entries.append(_problem(item, zone))
            else:
                past = True
    entries.sort(key=lambda one: one.since, reverse=True)
    return section(entries, absences=stated, past=past, complete=complete)


def _problem(item: Json, zone: ZoneInfo) -> Problem:
    return Problem(
        reference=f"Condition/{item['id']}",
        title=label(item.get("code")),
        since=when(item, "onsetDateTime", "onsetPeriod", "recordedDate", zone=zone),
        confirmed=code(item.get("verificationStatus")) in {"confirmed", ""},
    )


def treatments(
    items: Iterable[Json], *, medications: dict[str, Json], zone: ZoneInfo, past: bool
) -> Section[Treatment]:
    """Return the current treatments from active MedicationRequest and MedicationStatement."""
    stated: list[str] = []
    found: dict[str, Treatment] = {}
    for item in items:
        scope = absence(item.get("medicationCodeableConcept"), "treatments")
        if scope:
            stated.append(scope)
        elif item.get("status") in {"active", "on-hold", "unknown"}:
            one = _treatment(item, medications, zone)
            # The same medicine prescribed again is one treatment: the newest line is kept.
            if one.title not in found or one.since > found[one.title].since:
                found[one.title] = one
    entries = sorted(found.values(), key=lambda one: one.title.casefold())
    return section(entries, absences=stated, past=past)


def medicine(item: Json, medications: dict[str, Json]) -> str:
    """Return the name of the medicine of a prescription or statement."""
    if item.get("medicationCodeableConcept"):
        return label(item["medicationCodeableConcept"])
    reference = item.get("medicationReference")
    elsewhere = medications.get((reference or {}).get("reference", ""), {})
    return display(reference, item.get("contained", [])) or label(elsewhere.get("code"))


def _treatment(item: Json, medications: dict[str, Json], zone: ZoneInfo) -> Treatment:
    dosages = item.get("dosageInstruction") or item.get("dosage") or []
    return Treatment(
        reference=f"{item['resourceType']}/{item['id']}",
        title=medicine(item, medications),
        dosage=" ; ".join(one["text"] for one in dosages if one.get("text")),
        since=when(item, "effectivePeriod", "effectiveDateTime", "authoredOn", zone=zone),
    )


def allergies(items: Iterable[Json], *, complete: bool) -> Section[Allergy]:
    """Return the allergies from AllergyIntolerance resources, the gravest first."""
    stated, entries, past = [], [], False
    for item in items:
        scope = absence(item.get("code"), "allergies")
        if scope:
            stated.append(scope)
        elif code(item.get("verificationStatus")) in WRONG:
            continue
        elif code(item.get("clinicalStatus")) in {"active", ""}:
            entries.append(_allergy(item))
        else:
            past = True
    entries.sort(key=lambda one: (not one.high, one.title.casefold()))
    return section(entries, absences=stated, past=past, complete=complete)


def _allergy(item: Json) -> Allergy:
    reactions = item.get("reaction", [])
    shown = [label(concept) for one in reactions for concept in one.get("manifestation", [])]
    severe = any(one.get("severity") == "severe" for one in reactions)
    return Allergy(
        reference=f"AllergyIntolerance/{item['id']}",
        title=label(item.get("code"))
        or (label(reactions[0].get("substance")) if reactions else ""),
        reactions=tuple(dict.fromkeys(shown)),
        high=item.get("criticality") == "high" or severe,
        confirmed=code(item.get("verificationStatus")) == "confirmed",
    )


def vaccines(items: Iterable[Json], *, zone: ZoneInfo, complete: bool) -> Section[Vaccine]:
    """Return the vaccines given from Immunization resources, newest first."""
    stated, entries = [], []
    for item in items:
        scope = absence(item.get("vaccineCode"), "vaccines")
        if scope:
            stated.append(scope)
        elif item.get("status") == "completed":
            entries.append(_vaccine(item, zone))
    entries.sort(key=lambda one: one.day, reverse=True)
    return section(entries, absences=stated, complete=complete)


def _vaccine(item: Json, zone: ZoneInfo) -> Vaccine:
    table = antigens()
    diseases = [
        concept
        for protocol in item.get("protocolApplied", [])
        for concept in protocol.get("targetDisease", [])
    ]
    pairs = [pair for concept in [item.get("vaccineCode"), *diseases] for pair in codes(concept)]
    known: frozenset[str] = frozenset().union(*(table.get(pair, frozenset()) for pair in pairs))
    return Vaccine(
        reference=f"Immunization/{item['id']}",
        title=label(item.get("vaccineCode")),
        day=when(item, "occurrenceDateTime", zone=zone),
        antigens=known,
    )


def measures_of(items: Iterable[Json], *, zone: ZoneInfo) -> tuple[Measure, ...]:
    """Return the quantities of the summary, each with its last points, in the table's order."""
    found: dict[tuple[str, str], list[Point]] = {}
    for item in items:
        known = [
            value
            for system, value in codes(item.get("code"))
            if value in measures() and system == LOINC
        ]
        values, unit = values_of(item)
        day = when(item, "effectiveDateTime", "effectivePeriod", "effectiveInstant", zone=zone)
        if known and values and day and item.get("status") not in WRONG | {"cancelled"}:
            reference = f"Observation/{item['id']}"
            found.setdefault((known[0], unit), []).append(
                Point(day, values, reference, _flag(item))
            )
    made = [_measure(which, unit, points) for (which, unit), points in found.items()]
    newest: dict[str, Measure] = {}
    for one in sorted(made, key=lambda one: one.last.day):
        # A quantity measured in two units shows the one in use now.
        newest[one.label_fr] = one
    return tuple(sorted(newest.values(), key=lambda one: int(measures()[one.code]["order"])))


def _measure(which: str, unit: str, points: list[Point]) -> Measure:
    row = measures()[which]
    return Measure(
        code=which,
        label_fr=row["label_fr"],
        label_en=row["label_en"],
        plain_fr=row["plain_fr"],
        plain_en=row["plain_en"],
        unit=unit,
        points=tuple(sorted(points, key=lambda point: point.day)[-POINTS:]),
    )


def _flag(item: Json) -> str:
    """Return ``high`` or ``low`` when the laboratory said so (v3-ObservationInterpretation)."""
    said = {value for concept in item.get("interpretation", []) for _, value in codes(concept)}
    return next((flag for flag, known in FLAGS.items() if said & known), "")


def values_of(item: Json) -> tuple[tuple[Decimal, ...], str]:
    """Return the values and unit of an Observation; a blood pressure has two."""
    parts = {
        code(part.get("code")): part.get("valueQuantity", {}) for part in item.get("component", [])
    }
    if SYSTOLIC in parts and DIASTOLIC in parts:
        quantities = [parts[SYSTOLIC], parts[DIASTOLIC]]
    else:
        quantities = [item.get("valueQuantity", {})]
    if not all("value" in one for one in quantities):
        return (), ""
    unit = quantities[0].get("unit") or quantities[0].get("code") or ""
    return tuple(Decimal(one["value"]) for one in quantities), "mmHg" if unit == "mm[Hg]" else unit


def document(item: Json, *, zone: ZoneInfo) -> Document:
    """Return a document from a DocumentReference (PDSm, IHE MHD)."""
    contents = [one.get("attachment", {}) for one in item.get("content", [])]
    files = tuple(
        Attachment(
            index=index,
            content_type=one.get("contentType", ""),
            title=one.get("title", ""),
            size=int(one.get("size", 0)),
        )
        for index, one in enumerate(contents)
    )
    kind = label(item.get("type"))
    titles = [one.title for one in files if one.title]
    inside = item.get("contained", [])
    return Document(
        reference=f"DocumentReference/{item['id']}",
        title=item.get("description") or (titles or [kind])[0],
        kind=kind,
        day=when(item, "date", zone=zone),
        author=", ".join(filter(None, (display(one, inside) for one in item.get("author", [])))),
        attachments=files,
    )


def documents(items: Iterable[Json], *, zone: ZoneInfo, complete: bool) -> Section[Document]:
    """Return the current documents, newest first."""
    entries = [document(item, zone=zone) for item in items if item.get("status") == "current"]
    entries.sort(key=lambda one: one.day, reverse=True)
    return section(entries, complete=complete)


def is_about(item: Json, patient: str) -> bool:
    """Tell whether a resource is about this patient."""
    reference = about(item)
    return reference == f"Patient/{patient}" or reference.endswith(f"/Patient/{patient}")


def is_unannounced(resource: Json) -> bool:
    """Tell whether a resource is kept from the person until it is announced (JDV_J08)."""
    labels = [*resource.get("meta", {}).get("security", ())]
    labels += [one for each in resource.get("securityLabel", ()) for one in each.get("coding", ())]
    return any(one.get("code") == "INVISIBLE_PATIENT" for one in labels)
