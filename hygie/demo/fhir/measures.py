"""Observations and laboratory reports, with reference ranges and interpretation flags."""

from __future__ import annotations

from datetime import date

from hygie.demo.fhir.directory import Post
from hygie.demo.fhir.parts import (
    HL7,
    LOINC,
    Chart,
    Json,
    coding,
    concept,
    instant,
    meta,
    quantity,
    ref,
    refs,
)
from hygie.demo.rows import Measure

PROFILES = {
    "heart_rate": "fr-core-observation-heartrate",
    "temperature": "fr-core-observation-body-temperature",
    "saturation": "fr-core-observation-saturation-oxygen",
    "respiratory_rate": "fr-core-observation-resp-rate",
}
BODY = {
    "weight": ("29463-7", "Poids", "kg", "kg", 1, "fr-core-observation-body-weight"),
    "height": ("8302-2", "Taille", "cm", "cm", 1, "fr-core-observation-body-height"),
    "bmi": (
        "39156-5",
        "Indice de masse corporelle",
        "kg/m²",
        "kg/m2",
        1,
        "fr-core-observation-bmi",
    ),
    "head": ("9843-4", "Périmètre crânien", "cm", "cm", 1, "fr-core-observation-head-circum"),
}
INTERPRETATION = HL7 + "v3-ObservationInterpretation"
_VITAL = [concept(HL7 + "observation-category", "vital-signs")]
_LABORATORY = [concept(HL7 + "observation-category", "laboratory")]
_EXAM = [concept(HL7 + "observation-category", "exam")]
_SURVEY = [concept(HL7 + "observation-category", "survey")]
_SOCIAL = [concept(HL7 + "observation-category", "social-history")]
_CATEGORY = {"vital": _VITAL, "echo": _EXAM, "efr": _EXAM, "phq9": _SURVEY}


def flag(measure: Measure, value: float, sex: str) -> str:
    """Return ``L``, ``N`` or ``H``, or nothing when there is no reference range."""
    low, high = measure.bounds(sex)
    shown = round(value, measure.decimals)
    if low is None and high is None:
        return ""
    if low is not None and shown < low:
        return "L"
    return "H" if high is not None and shown > high else "N"


def write_measure(  # noqa: PLR0913 - one argument per element that varies
    chart: Chart,
    patient: str,
    measure: Measure,
    value: float,
    *,
    sex: str,
    at: str,
    by: str,
    encounter: str = "",
) -> str:
    """Write an Observation of a measure of the table; return its reference."""
    body: Json = {}
    if measure.key in PROFILES:
        body["meta"] = meta(PROFILES[measure.key])
    body |= {
        "status": "final",
        "category": _CATEGORY.get(measure.panel, _LABORATORY),
        "code": concept(LOINC, measure.loinc, measure.display),
        "subject": ref(patient),
    }
    if encounter:
        body["encounter"] = ref(encounter)
    body |= {
        "effectiveDateTime": at,
        "performer": [ref(by)],
        "valueQuantity": quantity(value, measure.decimals, measure.unit, measure.ucum),
    }
    mark = flag(measure, value, sex)
    if mark:
        body["interpretation"] = [{"coding": [coding(INTERPRETATION, mark)]}]
        body["referenceRange"] = [_range(measure, sex)]
    return chart.add("Observation", body)


def _range(measure: Measure, sex: str) -> Json:
    low, high = measure.bounds(sex)
    found: Json = {}
    if low is not None:
        found["low"] = quantity(low, measure.decimals, measure.unit, measure.ucum)
    if high is not None:
        found["high"] = quantity(high, measure.decimals, measure.unit, measure.ucum)
    return found


def write_pressure(  # noqa: PLR0913 - one argument per element that varies
    chart: Chart,
    patient: str,
    systolic: tuple[Measure, float],
    diastolic: tuple[Measure, float],
    *,
    at: str,
    by: str,
    encounter: str,
) -> None:
    """Write a blood pressure: one Observation with its two components."""
    chart.add(
        "Observation",
        {
            "meta": meta("fr-core-observation-bp"),
            "status": "final",
            "category": _VITAL,
            "code": concept(LOINC, "85354-9", "Pression artérielle"),
            "subject": ref(patient),
            "encounter": ref(encounter),
            "effectiveDateTime": at,
            "performer": [ref(by)],
            "component": [
                {
                    "code": concept(LOINC, measure.loinc, measure.display),
                    "valueQuantity": quantity(value, 0, "mmHg", "mm[Hg]"),
                }
                for measure, value in (systolic, diastolic)
            ],
        },
    )


def write_body(  # noqa: PLR0913 - one argument per element that varies
    chart: Chart, patient: str, key: str, value: float, *, at: str, by: str, encounter: str
) -> None:
    """Write a weight, height, body mass index or head circumference."""
    loinc, display, unit, ucum, decimals, profile = BODY[key]
    chart.add(
        "Observation",
        {
            "meta": meta(profile),
            "status": "final",
            "category": _VITAL,
            "code": concept(LOINC, loinc, display),
            "subject": ref(patient),
            "encounter": ref(encounter),
            "effectiveDateTime": at,
            "performer": [ref(by)],
            "valueQuantity": quantity(value, decimals, unit, ucum),
        },
    )


def write_smoking(
    chart: Chart, patient: str, answer: tuple[str, str], *, at: str, by: str, encounter: str
) -> None:
    """Write the smoking status: a LOINC answer and its French display."""
    chart.add(
        "Observation",
        {
            "status": "final",
            "category": _SOCIAL,
            "code": concept(LOINC, "72166-2", "Statut tabagique"),
            "subject": ref(patient),
            "encounter": ref(encounter),
            "effectiveDateTime": at,
            "performer": [ref(by)],
            "valueCodeableConcept": concept(LOINC, *answer),
        },
    )


def write_due_date(
    chart: Chart, patient: str, due: date, *, at: str, by: str, encounter: str
) -> None:
    """Write the estimated date of delivery (LOINC 11778-8)."""
    chart.add(
        "Observation",
        {
            "status": "final",
            "category": _EXAM,
            "code": concept(LOINC, "11778-8", "Date prévue d'accouchement"),
            "subject": ref(patient),
            "encounter": ref(encounter),
            "effectiveDateTime": at,
            "performer": [ref(by)],
            "valueDateTime": due.isoformat(),
        },
    )


def write_report(
    chart: Chart, patient: str, *, day: date, biologist: Post, results: list[str]
) -> str:
    """Write the DiagnosticReport that gathers the results of one blood draw."""
    return chart.add(
        "DiagnosticReport",
        {
            "status": "final",
            "category": [concept(HL7 + "v2-0074", "LAB")],
            "code": concept(LOINC, "11502-2", "CR d'examens biologiques"),
            "subject": ref(patient),
            "effectiveDateTime": instant(day, 8 * 60),
            "issued": instant(day, 16 * 60),
            "performer": [ref(biologist.site.reference, biologist.site.name)],
            "resultsInterpreter": [ref(biologist.practitioner, biologist.name)],
            "result": refs(results),
        },
    )
