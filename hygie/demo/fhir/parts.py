"""Small pieces that every resource is made of, and the chart that collects resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hygie.demo.chance import identifier

Json = dict[str, Any]

PARIS = ZoneInfo("Europe/Paris")
CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
CORE_IDENTIFIER_TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
CCAM = "urn:oid:1.2.250.1.213.2.5"
CIS = "https://smt.esante.gouv.fr/terminologie-bdpm"
ATC = "http://www.whocc.no/atc"
FRENCH_LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
"""Confidentiality labels of the CI-SIS (JDV_J08)."""
HIDDEN_FROM_PARENTS = "INVISIBLE_REPRESENTANTS_LEGAUX"
HIDDEN_WORDS = "Non visible par les représentants légaux du patient"

_encode = msgspec.json.Encoder().encode


class Chart:
    """The resources of one person, or of the directory, in the order they were written.

    Identifiers are counted by type under ``key``, so that the same key and the same story give
    the same bytes.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.resources: list[bytes] = []
        self._counts: Counter[str] = Counter()

    def reserve(self, resource_type: str, name: str = "") -> str:
        """Return a new reference; ``name`` makes it stable whatever else is in the chart."""
        if not name:
            self._counts[resource_type] += 1
            name = str(self._counts[resource_type])
        return f"{resource_type}/{identifier(self.key, resource_type, name)}"

    def add(self, resource_type: str, body: Json, *, reference: str = "") -> str:
        """Write a resource and return its reference."""
        reference = reference or self.reserve(resource_type)
        resource: Json = {"resourceType": resource_type, "id": reference.partition("/")[2]}
        resource.update(body)
        self.resources.append(_encode(resource))
        return reference


def meta(*profiles: str) -> Json:
    """Return ``meta`` with FR Core profiles given by their last path segment."""
    return {"profile": [CORE + profile for profile in profiles]}


def coding(system: str, code: str, display: str = "") -> Json:
    """Return a Coding."""
    found = {"system": system, "code": code}
    if display:
        found["display"] = display
    return found


def concept(system: str, code: str, display: str = "", *, text: str = "") -> Json:
    """Return a CodeableConcept with one coding."""
    found: Json = {"coding": [coding(system, code, display)]}
    if text:
        found["text"] = text
    return found


def ref(reference: str, display: str = "") -> Json:
    """Return a Reference."""
    return {"reference": reference, "display": display} if display else {"reference": reference}


def refs(references: Iterable[str]) -> list[Json]:
    """Return References without displays."""
    return [{"reference": reference} for reference in references]


def decimal(value: float, decimals: int) -> msgspec.Raw:
    """Return a JSON number that keeps its digits: ``1.10`` stays ``1.10``."""
    return msgspec.Raw(f"{value:.{decimals}f}".encode())


def quantity(value: float, decimals: int, unit: str, code: str) -> Json:
    """Return a Quantity in UCUM."""
    return {"value": decimal(value, decimals), "unit": unit, "system": UCUM, "code": code}


def instant(day: date, minutes: int) -> str:
    """Return the date and time, zone of Paris included, some minutes after midnight."""
    hour, minute = divmod(minutes, 60)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS).isoformat()


def period(start: str, end: str | None = None) -> Json:
    """Return a Period; an open one when there is no end."""
    return {"start": start, "end": end} if end else {"start": start}
