"""MedicationRequests: a marketed medicine (BDPM), a sentence for the patient and its structure."""

from __future__ import annotations

from dataclasses import dataclass

from hygie.demo.fhir.care import Visit, medicine_codings
from hygie.demo.fhir.parts import UCUM, Chart, Json, decimal, ref
from hygie.demo.rows import Medicine

WEEK = 7


@dataclass(frozen=True, slots=True)
class Order:
    """A line of a prescription; ``daily`` counts the takings of a day and may be below one."""

    medicine: Medicine
    daily: float
    dose: float
    instruction: str
    days: int


def write_prescription(
    chart: Chart, patient: str, order: Order, visit: Visit, *, status: str, reason: str
) -> None:
    """Write a MedicationRequest made at a visit; ``reason`` is the Condition it treats."""
    body: Json = {
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": medicine_codings(order.medicine),
            "text": order.medicine.name,
        },
        "subject": ref(patient),
        "encounter": ref(visit.reference),
        "authoredOn": visit.start,
        "requester": ref(visit.post.practitioner, visit.post.name),
    }
    if reason:
        body["reasonReference"] = [ref(reason)]
    body["dosageInstruction"] = [
        {
            "text": order.instruction,
            "timing": {"repeat": _repeat(order.daily)},
            "doseAndRate": [{"doseQuantity": _dose(order)}],
        }
    ]
    body["dispenseRequest"] = {
        "expectedSupplyDuration": {
            "value": order.days,
            "unit": "jours",
            "system": UCUM,
            "code": "d",
        }
    }
    chart.add("MedicationRequest", body)


def _dose(order: Order) -> Json:
    return {"value": decimal(order.dose, 0), "unit": order.medicine.unit}


def _repeat(daily: float) -> Json:
    if daily >= 1:
        return {"frequency": round(daily), "period": 1, "periodUnit": "d"}
    days = round(1 / daily)
    if days % WEEK == 0:
        return {"frequency": 1, "period": days // WEEK, "periodUnit": "wk"}
    return {"frequency": 1, "period": days, "periodUnit": "d"}
