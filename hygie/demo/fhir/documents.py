"""DocumentReferences with the CI-SIS metadata that the shared record requires, PDF inline.

Metadata follow the guide "Partage de documents de santé en mobilité" (PDSm): type of JDV_J07,
class of TRE_A03 through ASS_X04, confidentiality of JDV_J08, format of JDV_J10, structure of
JDV_J02 and practice of JDV_J04, size and SHA-1 of the content.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import date

from hygie.demo.fhir.directory import Post
from hygie.demo.fhir.parts import (
    FRENCH_LABELS,
    HIDDEN_FROM_PARENTS,
    HIDDEN_WORDS,
    HL7,
    Chart,
    Json,
    coding,
    concept,
    instant,
    period,
    ref,
)
from hygie.demo.rows import DocumentKind

CLASSES = "urn:oid:1.2.250.1.213.1.1.4.1"
FORMATS = "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"
FACILITIES = "urn:oid:1.2.250.1.71.4.2.4"
PRACTICES = "urn:oid:1.2.250.1.213.1.1.4.9"
PATIENT_EXPRESSION = "urn:oid:1.2.250.1.213.1.1.4.6"
LABELS = {
    HIDDEN_FROM_PARENTS: HIDDEN_WORDS,
    "MASQUE_PS": "Masqué aux professionnels de santé",
    "INVISIBLE_PATIENT": "Non visible par le patient avant une consultation d'annonce",
}
"""Labels that a deposit may carry beside the normal one."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """A document about to be filed: its kind, day, author, content and label, if any."""

    kind: DocumentKind
    day: date
    post: Post
    content: bytes
    title: str
    encounter: str = ""
    label: str = ""
    by_patient: bool = False


def write_document(chart: Chart, patient: str, deposit: Deposit) -> str:
    """Write the DocumentReference of a deposit; return its reference."""
    reference = chart.reserve("DocumentReference")
    uuid = f"urn:uuid:{reference.partition('/')[2]}"
    kind, at = deposit.kind, instant(deposit.day, 18 * 60)
    labels = [concept(HL7 + "v3-Confidentiality", "N", "Normal")]
    if deposit.label:
        labels.append(concept(FRENCH_LABELS, deposit.label, LABELS[deposit.label]))
    author = (
        ref(patient) if deposit.by_patient else ref(deposit.post.practitioner, deposit.post.name)
    )
    body: Json = {
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": uuid},
        "status": "current",
        "docStatus": "final",
        "type": concept(kind.type_system, kind.type, kind.type_display),
        "category": [concept(CLASSES, kind.class_, kind.class_display)],
        "subject": ref(patient),
        "date": at,
        "author": [author],
        "custodian": ref(deposit.post.site.reference, deposit.post.site.name),
        "description": deposit.title,
        "securityLabel": labels,
        "content": [
            {
                "attachment": _attachment(deposit, at),
                "format": coding(FORMATS, kind.format, kind.format_display),
            }
        ],
        "context": _context(patient, deposit),
    }
    if not deposit.by_patient:
        body["authenticator"] = ref(deposit.post.practitioner)
    return chart.add("DocumentReference", body, reference=reference)


def _attachment(deposit: Deposit, at: str) -> Json:
    digest = hashlib.sha1(deposit.content, usedforsecurity=False).digest()
    return {
        "contentType": "application/pdf",
        "language": "fr-FR",
        "data": base64.b64encode(deposit.content).decode(),
        "size": len(deposit.content),
        "hash": base64.b64encode(digest).decode(),
        "title": deposit.title,
        "creation": at,
    }


def _context(patient: str, deposit: Deposit) -> Json:
    context: Json = {"encounter": [ref(deposit.encounter)]} if deposit.encounter else {}
    place = deposit.post.site.kind
    if deposit.by_patient:
        facility = practice = concept(
            PATIENT_EXPRESSION, "EXP_PATIENT", "Expression personnelle du patient"
        )
    else:
        facility = concept(FACILITIES, place.facility, place.sector_label)
        practice = concept(PRACTICES, place.practice)
    return context | {
        "period": period(instant(deposit.day, 9 * 60)),
        "facilityType": facility,
        "practiceSetting": practice,
        "sourcePatientInfo": ref(patient),
    }
