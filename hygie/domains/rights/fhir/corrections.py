"""Correct a resource that somebody says is wrong: other words, another day, a note, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from hygie.kernel.errors import NotSupported

Json = dict[str, Any]
_STATUSES = frozenset(
    {
        *("Observation", "DiagnosticReport", "Procedure", "Immunization", "MedicationRequest"),
        *("MedicationStatement", "Encounter", "DocumentReference", "CarePlan", "ServiceRequest"),
        *("Communication", "FamilyMemberHistory", "Media", "Appointment", "EpisodeOfCare"),
    }
)
_VERIFIED = {
    "Condition": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "AllergyIntolerance": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
}
_CONCEPTS = ("code", "vaccineCode", "medicationCodeableConcept", "type")
_DAYS = (
    *("effectiveDateTime", "occurrenceDateTime", "performedDateTime", "onsetDateTime"),
    *("authoredOn", "recordedDate", "date"),
)
_NOTED = frozenset({"Encounter", "DocumentReference", "DiagnosticReport", "CarePlan"})
"""Types of this domain's corrections whose R4 definition has no ``note``."""
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a professional changes.

    Attributes:
        words: new words of the item, empty to keep them.
        day: new date, ISO 8601, empty to keep it.
        note: a note added to the item, empty for none.
        error: the whole item was entered in error.
        at: instant of the correction, ISO 8601.
        who: reference of who corrects.
    """

    words: str
    day: str
    note: str
    error: bool
    at: str
    who: str


def corrected(body: bytes, correction: Correction) -> bytes:
    """Return the corrected resource; every digit that is not corrected stays as it was.

    Raises:
        NotSupported: this type cannot be corrected so.
    """
    resource: Json = _decoder.decode(body)
    if correction.words:
        _put_words(resource, correction.words)
    if correction.day:
        _put_day(resource, correction.day)
    if correction.note:
        _put_note(resource, correction)
    if correction.error:
        _put_error(resource)
    return _encoder.encode(resource)


def _put_words(resource: Json, words: str) -> None:
    if resource["resourceType"] == "DocumentReference":
        resource["description"] = words
        return
    for name in _CONCEPTS:
        concept = resource.get(name)
        if isinstance(concept, Mapping):
            # The old code said the old words: a code nobody checked must not stay beside new ones.
            resource[name] = {"text": words}
            return
    raise _unsupported()


def _put_day(resource: Json, day: str) -> None:
    for name in _DAYS:
        if name in resource:
            resource[name] = day
            return
    raise _unsupported()


def _put_note(resource: Json, correction: Correction) -> None:
    if resource["resourceType"] in _NOTED:
        raise _unsupported()
    note = {
        "authorReference": {"reference": correction.who},
        "time": correction.at,
        "text": correction.note,
    }
    resource["note"] = [*resource.get("note", ()), note]


def _put_error(resource: Json) -> None:
    rt = resource["resourceType"]
    coding = {"code": "entered-in-error"}
    if rt in _VERIFIED:
        resource["verificationStatus"] = {"coding": [{"system": _VERIFIED[rt], **coding}]}
        # Invariants con-5 and ait-2: what never was has no clinical status.
        resource.pop("clinicalStatus", None)
    elif rt in _STATUSES:
        resource["status"] = "entered-in-error"
    else:
        raise _unsupported()


def _unsupported() -> NotSupported:
    return NotSupported("This item cannot be corrected here: correct it where it was written.")
