"""What is found and done: Encounter, Condition, Procedure, AllergyIntolerance, Immunization."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hygie.demo.fhir.directory import Post
from hygie.demo.fhir.parts import (
    ATC,
    CCAM,
    CIS,
    FRENCH_LABELS,
    HIDDEN_FROM_PARENTS,
    HIDDEN_WORDS,
    HL7,
    ICD10,
    Chart,
    Json,
    coding,
    concept,
    instant,
    meta,
    period,
    ref,
    refs,
)
from hygie.demo.rows import Allergy, Medicine, Procedure

ENCOUNTERS = "https://hygie.example.org/encounters"


@dataclass(frozen=True, slots=True)
class Visit:
    """An encounter that took place: its reference, day, minute of the day and professional.

    A secret one is hidden from whoever represents the person, and all that depends on it.
    """

    reference: str
    day: date
    minute: int
    post: Post
    secret: bool = False

    @property
    def start(self) -> str:
        """Return the instant at which it began."""
        return instant(self.day, self.minute)


def write_encounter(
    chart: Chart,
    patient: str,
    visit: Visit,
    *,
    label: str,
    reasons: list[str],
    stay_days: int | None = None,
) -> None:
    """Write an Encounter: a visit of twenty minutes, or a hospital stay of some days."""
    kind = "AMB" if stay_days is None else "IMP"
    if stay_days:
        end = instant(visit.day + timedelta(days=stay_days), 11 * 60)
    else:
        end = instant(visit.day, visit.minute + (20 if stay_days is None else 300))
    body: Json = {
        "meta": meta("fr-core-encounter"),
        "identifier": [
            {
                "type": concept(HL7 + "v2-0203", "VN"),
                "system": ENCOUNTERS,
                "value": visit.reference[-12:],
            }
        ],
        "status": "finished",
        "class": coding(HL7 + "v3-ActCode", kind),
        "type": [{"text": label}],
        "subject": ref(patient),
        "participant": [{"individual": ref(visit.post.practitioner, visit.post.name)}],
        "period": period(visit.start, end),
    }
    if visit.secret:
        body["meta"]["security"] = [coding(FRENCH_LABELS, HIDDEN_FROM_PARENTS, HIDDEN_WORDS)]
    if reasons:
        body["reasonReference"] = refs(reasons)
    body["location"] = [{"location": ref(visit.post.site.location)}]
    body["serviceProvider"] = ref(visit.post.site.reference, visit.post.site.name)
    chart.add("Encounter", body, reference=visit.reference)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a Condition says: code and French display of CIM-10, plain words, dates."""

    code: str
    display: str
    plain: str
    onset: date
    end: date | None
    chronic: bool


def write_condition(
    chart: Chart, patient: str, diagnosis: Diagnosis, *, visit: Visit, reference: str
) -> None:
    """Write a Condition recorded at a visit.

    CIM-10 is the French edition of ICD-10: the code system is that of FHIR for ICD-10, so that
    international tools read it, and the display is the French label.
    """
    category = "problem-list-item" if diagnosis.chronic else "encounter-diagnosis"
    body: Json = {
        "clinicalStatus": concept(
            HL7 + "condition-clinical", "resolved" if diagnosis.end else "active"
        ),
        "verificationStatus": concept(HL7 + "condition-ver-status", "confirmed"),
        "category": [concept(HL7 + "condition-category", category)],
        "code": concept(ICD10, diagnosis.code, diagnosis.display, text=diagnosis.plain),
        "subject": ref(patient),
        "encounter": ref(visit.reference),
        "onsetDateTime": diagnosis.onset.isoformat(),
    }
    if diagnosis.end:
        body["abatementDateTime"] = diagnosis.end.isoformat()
    body["recordedDate"] = visit.start
    body["recorder"] = ref(visit.post.practitioner)
    chart.add("Condition", body, reference=reference)


def write_procedure(
    chart: Chart, patient: str, act: Procedure, *, visit: Visit, reason: str = ""
) -> None:
    """Write a Procedure coded in CCAM, done during a visit."""
    body: Json = {
        "status": "completed",
        "code": concept(CCAM, act.code, act.display),
        "subject": ref(patient),
        "encounter": ref(visit.reference),
        "performedDateTime": visit.start,
        "performer": [{"actor": ref(visit.post.practitioner)}],
    }
    if reason:
        body["reasonReference"] = [ref(reason)]
    chart.add("Procedure", body)


def write_allergy(
    chart: Chart, patient: str, allergy: Allergy, *, since: date, visit: Visit
) -> None:
    """Write an AllergyIntolerance recorded at a visit; medicines are coded in ATC."""
    code: Json = {"text": allergy.display}
    if allergy.atc:
        code["coding"] = [coding(ATC, allergy.atc, allergy.display)]
    chart.add(
        "AllergyIntolerance",
        {
            "clinicalStatus": concept(HL7 + "allergyintolerance-clinical", "active"),
            "verificationStatus": concept(HL7 + "allergyintolerance-verification", "confirmed"),
            "type": "allergy",
            "category": [allergy.category],
            "criticality": allergy.criticality,
            "code": code,
            "patient": ref(patient),
            "encounter": ref(visit.reference),
            "onsetDateTime": since.isoformat(),
            "recordedDate": visit.start,
            "recorder": ref(visit.post.practitioner),
            "reaction": [
                {
                    "manifestation": [{"text": allergy.manifestation}],
                    "severity": allergy.severity,
                }
            ],
        },
    )


@dataclass(frozen=True, slots=True)
class Dose:
    """A dose of vaccine: what it protects from, its rank and, when there is one, the series."""

    medicine: Medicine
    label: str
    number: int
    total: int | None
    lot: str


def write_immunization(
    chart: Chart, patient: str, dose: Dose, *, day: date, post: Post, encounter: str = ""
) -> None:
    """Write an Immunization of a marketed vaccine (BDPM), with its rank in the series."""
    protocol: Json = {"series": dose.label, "doseNumberPositiveInt": dose.number}
    if dose.total:
        protocol["seriesDosesPositiveInt"] = dose.total
    body: Json = {
        "status": "completed",
        "vaccineCode": {
            "coding": medicine_codings(dose.medicine),
            "text": dose.label,
        },
        "patient": ref(patient),
    }
    if encounter:
        body["encounter"] = ref(encounter)
    body |= {
        "occurrenceDateTime": day.isoformat(),
        "primarySource": True,
        "lotNumber": dose.lot,
        "performer": [{"actor": ref(post.practitioner, post.name)}],
        "protocolApplied": [protocol],
    }
    chart.add("Immunization", body)


def medicine_codings(medicine: Medicine) -> list[Json]:
    """Return the CIS code with its name, and the ATC class with the substance."""
    return [
        coding(CIS, medicine.cis, medicine.name),
        coding(ATC, medicine.atc, medicine.substance),
    ]
