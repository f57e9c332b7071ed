"""Hand-written FHIR resources for tests: each factory states only what matters."""

from __future__ import annotations

import base64
import uuid
from typing import Any

Json = dict[str, Any]
LOINC = "http://loinc.org"
CIM10 = "http://hl7.org/fhir/sid/icd-10"
INS_TEST = "urn:oid:1.2.250.1.213.1.4.10"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def _new(rt: str, values: Json) -> Json:
    return {"resourceType": rt, "id": str(uuid.uuid4()), **values}


def _concept(text: str, system: str = "", code: str = "") -> Json:
    words = {"text": text} if text else {}
    return {"coding": [{"system": system, "code": code}], **words} if code else words


def patient(family: str = "Martin", given: str = "Nora", **values: Any) -> Json:
    """Return a Patient with a French name, a birth date and a test INS; ``ins=""`` for none."""
    number = values.pop("ins", "259055512345691")
    identity = {"identifier": [{"system": INS_TEST, "value": number}]} if number else {}
    return _new(
        "Patient",
        {
            **identity,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "gender": "female",
            "birthDate": "1959-05-12",
            **values,
        },
    )


def condition(subject: str, text: str, **values: Any) -> Json:
    """Return an active, confirmed Condition."""
    return _new(
        "Condition",
        {
            "clinicalStatus": _concept("", CLINICAL, "active"),
            "verificationStatus": _concept("", VERIFICATION, "confirmed"),
            "code": _concept(text),
            "subject": {"reference": subject},
            "onsetDateTime": "2011-03",
            **values,
        },
    )


def allergy(subject: str, text: str, **values: Any) -> Json:
    """Return an active, confirmed AllergyIntolerance."""
    return _new(
        "AllergyIntolerance",
        {
            "clinicalStatus": _concept("", ALLERGY_CLINICAL, "active"),
            "verificationStatus": _concept("", ALLERGY_VERIFICATION, "confirmed"),
            "code": _concept(text),
            "patient": {"reference": subject},
            "recordedDate": "2004-09-14",
            **values,
        },
    )


def prescription(subject: str, text: str, dosage: str = "", **values: Any) -> Json:
    """Return an active MedicationRequest."""
    lines = {"dosageInstruction": [{"text": dosage}]} if dosage else {}
    return _new(
        "MedicationRequest",
        {
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": _concept(text),
            "subject": {"reference": subject},
            "authoredOn": "2026-09-02",
            **lines,
            **values,
        },
    )


def immunization(subject: str, text: str, *, atc: str, day: str) -> Json:
    """Return a completed Immunization coded in ATC."""
    return _new(
        "Immunization",
        {
            "status": "completed",
            "vaccineCode": _concept(text, "http://www.whocc.no/atc", atc),
            "patient": {"reference": subject},
            "occurrenceDateTime": day,
        },
    )


def observation(subject: str, text: str, code: str, *, value: Any, unit: str, day: str) -> Json:
    """Return a final Observation coded in LOINC with a quantity in UCUM."""
    return _new(
        "Observation",
        {
            "status": "final",
            "code": _concept(text, LOINC, code),
            "subject": {"reference": subject},
            "effectiveDateTime": day,
            "valueQuantity": {"value": value, "unit": unit},
        },
    )


def blood_pressure(subject: str, systolic: int, diastolic: int, day: str) -> Json:
    """Return a blood pressure panel with its two components."""
    parts = [("8480-6", "Systolique", systolic), ("8462-4", "Diastolique", diastolic)]
    return _new(
        "Observation",
        {
            "status": "final",
            "code": _concept("Pression artérielle", LOINC, "85354-9"),
            "subject": {"reference": subject},
            "effectiveDateTime": day,
            "component": [
                {
                    "code": _concept(text, LOINC, code),
                    "valueQuantity": {"value": value, "unit": "mmHg", "code": "mm[Hg]"},
                }
                for code, text, value in parts
            ],
        },
    )


def encounter(subject: str, text: str, day: str, reason: str = "") -> Json:
    """Return a finished Encounter."""
    why = {"reasonCode": [_concept(reason)]} if reason else {}
    return _new(
        "Encounter",
        {
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [_concept(text)],
            "subject": {"reference": subject},
            "period": {"start": day},
            **why,
        },
    )


def binary(data: bytes = PDF, kind: str = "application/pdf") -> Json:
    """Return a Binary."""
    return _new("Binary", {"contentType": kind, "data": base64.b64encode(data).decode()})


def document(subject: str, title: str, *, day: str, **attachment: Any) -> Json:
    """Return a current DocumentReference with a PDF inside, unless ``url`` leads elsewhere."""
    file = {} if "url" in attachment else {"data": base64.b64encode(PDF).decode()}
    return _new(
        "DocumentReference",
        {
            "status": "current",
            "type": _concept("Compte rendu de consultation", LOINC, "11488-4"),
            "subject": {"reference": subject},
            "date": day,
            "author": [{"display": "Dr Hélène Petit"}],
            "content": [
                {
                    "attachment": {
                        "contentType": "application/pdf",
                        **file,
                        "title": title,
                        **attachment,
                    }
                }
            ],
        },
    )
