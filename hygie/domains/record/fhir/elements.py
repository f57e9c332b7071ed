"""Read the data types that resources share (FHIR R4, datatypes.html)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hygie.domains.record.model.tables import absences
from hygie.kernel.store import Stored

Json = dict[str, Any]
INS_SYSTEMS = tuple(f"urn:oid:1.2.250.1.213.1.4.{last}" for last in (8, 10, 11))
"""INS-NIR and its test and demonstration forms (FR Core, FRCorePatientINSProfile)."""
DAY = len("2024-01-31")
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def resource(stored: Stored) -> Json:
    """Return the resource as JSON, its decimals with their digits; empty for a deletion."""
    return _decoder.decode(stored.body) if stored.body else {}


def day_of(text: str | None, zone: ZoneInfo) -> str:
    """Return the day of a date, dateTime or instant, as lived in ``zone``; precision is kept.

    >>> day_of("2024-06-30T23:30:00Z", ZoneInfo("Europe/Paris"))
    '2024-07-01'
    >>> day_of("2019-05", ZoneInfo("Europe/Paris"))
    '2019-05'
    """
    if not text:
        return ""
    if len(text) <= DAY:
        return text
    return datetime.fromisoformat(text).astimezone(zone).date().isoformat()


def when(item: Json, *names: str, zone: ZoneInfo) -> str:
    """Return the day of the first of these elements that is there; a Period gives its start."""
    for name in names:
        value = item.get(name)
        text = value.get("start") or value.get("end") if isinstance(value, dict) else value
        if text:
            return day_of(text, zone)
    return ""


def label(concept: Json | None) -> str:
    """Return the words of a CodeableConcept: its text, else a display, else a code."""
    if not concept:
        return ""
    if concept.get("text"):
        return str(concept["text"])
    codings = concept.get("coding", [])
    shown = [coding["display"] for coding in codings if coding.get("display")]
    codes = [coding["code"] for coding in codings if coding.get("code")]
    return str((shown or codes or [""])[0])


def codes(concept: Json | None) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of a CodeableConcept."""
    for coding in (concept or {}).get("coding", []):
        yield coding.get("system", ""), coding.get("code", "")


def code(concept: Json | None) -> str:
    """Return the first code of a CodeableConcept, or an empty text."""
    return next((value for _, value in codes(concept)), "")


def absence(concept: Json | None, section: str) -> str | None:
    """Return the scope of a stated absence in a section, or None when it states none."""
    table = absences()
    stated = [table[pair] for pair in codes(concept) if pair in table]
    return next((scope for where, scope in stated if where == section), None)


def display(reference: Json | None, contained: list[Json]) -> str:
    """Return the words of a Reference: its display, else those of the contained resource."""
    if not reference:
        return ""
    if reference.get("display"):
        return str(reference["display"])
    local = str(reference.get("reference", "")).removeprefix("#")
    inside = next((one for one in contained if one.get("id") == local), {})
    names = inside.get("name")
    if isinstance(names, list):
        return human_name(names)
    return str(names or "") or label(inside.get("code"))


def human_name(names: list[Json]) -> str:
    """Return a person's name: given names as written, family name in capitals."""
    usable = [name for name in names if name.get("use") not in {"old", "maiden"}] or names
    rank = {"usual": 0, "official": 1}
    best = min(usable, key=lambda name: rank.get(name.get("use", ""), 2), default={})
    given = " ".join(best.get("given", [])[:1])
    family = str(best.get("family", "")).upper()
    return f"{given} {family}".strip() or str(best.get("text", ""))


def ins(identifiers: list[Json]) -> str:
    """Return the INS of a person, or an empty text."""
    values = {one.get("system"): one.get("value", "") for one in identifiers}
    return next((str(values[system]) for system in INS_SYSTEMS if values.get(system)), "")


def quantity(value: Json | None) -> str:
    """Return a Quantity as it is written: digits as stored, then the unit."""
    if not value or "value" not in value:
        return ""
    unit = value.get("unit") or value.get("code") or ""
    return f"{value.get('comparator', '')}{value['value']} {unit}".strip()


def about(item: Json) -> str:
    """Return the reference to the patient a resource is about, or an empty text."""
    holder = item.get("subject") or item.get("patient") or {}
    return str(holder.get("reference", ""))
