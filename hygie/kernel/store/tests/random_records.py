"""Random resources of the kinds that search reads, small vocabularies so that searches hit."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hygie.testing.oracle import BASE

Json = dict[str, Any]

FAMILIES = ["Dupont", "DUPOND", "Durand", "Le Gall", "Le-Gall", "Œuvrard", "Élodie", "D'Arc", "Ng"]
GIVENS = ["Élodie", "Elodie", "Jean-Pierre", "Noé", "Anne Marie", "50%_x", "a,b|c$d\\e"]
CITIES = ["Saint-Étienne", "saint etienne", "Brest", "Pau"]
SYSTEMS = ["urn:s:1", "urn:s:2"]
CODES = ["a", "b", "c", "x|y", "k,l", "m$n"]
LABELS = ["home", "work"]
UCUM = "http://unitsofmeasure.org"
UNITS = [
    {"system": UCUM, "code": "mg", "unit": "milligram"},
    {"system": UCUM, "code": "g", "unit": "g"},
    {"system": UCUM, "code": "kg"},
    {"system": UCUM, "code": "mmol/L", "unit": "mmol/L"},
    {"system": UCUM, "code": "umol/L", "unit": "micromol/l"},
    {"unit": "mg"},
    {"system": "urn:s:1", "code": "mg", "unit": "mg"},
    {"unit": "tablet"},
    {},
]
NUMBERS = ["0.5", "5", "5.0", "5.4", "100", "0.005", "1e2", "99.5", "100.5", "-3", "5000", "0.0054"]
DATES = [
    "2023", "2024", "2024-02", "2024-02-29", "2024-03-31", "2024-02-29T10:00:00Z",
    "2024-02-29T11:00:00.250+01:00", "2024-03-31T00:00:00+01:00", "2025-01-01", "1959-05-12",
]  # fmt: skip
PROFILES = ["http://p.test/A", "http://p.test/B", "http://p.test/A|1.0"]
IDS = [f"i{number}" for number in range(6)]


class Maker:
    """Makes resources from one source of chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - test data

    def maybe(self, likely: float = 0.6) -> bool:
        return self.chance.random() < likely

    def some(self, make: Callable[[], Any], most: int = 2) -> list[Any]:
        return [make() for _ in range(self.chance.randint(1, most))]

    def given(self, **choices: Callable[[], Any]) -> Json:
        """Return the fields that chance keeps."""
        return {name: make() for name, make in choices.items() if self.maybe()}

    def one_of(self, **choices: Callable[[], Any]) -> Json:
        """Return at most one field, for a choice of types."""
        if not self.maybe(0.85):
            return {}
        name = self.chance.choice(list(choices))
        return {name: choices[name]()}

    def coding(self) -> Json:
        found: Json = {}
        if self.maybe(0.8):
            found["system"] = self.chance.choice(SYSTEMS)
        if self.maybe(0.9) or not found:
            found["code"] = self.chance.choice(CODES)
        return found

    def concept(self) -> Json:
        if not self.maybe(0.9):
            return {"text": self.chance.choice(GIVENS)}
        return {"coding": self.some(self.coding), **self.given(text=self.text)}

    def text(self) -> str:
        return self.chance.choice([*FAMILIES, *GIVENS])

    def date(self) -> str:
        return self.chance.choice(DATES)

    def day(self) -> str:
        return self.chance.choice([date for date in DATES if "T" not in date])

    def moment(self) -> str:
        return self.chance.choice([date for date in DATES if "T" in date])

    def period(self) -> Json:
        ends = sorted([self.day(), self.day()])
        return {
            **({"start": ends[0]} if self.maybe(0.8) else {}),
            **({"end": ends[1]} if self.maybe(0.8) else {"extension": [EXTENSION]}),
        }

    def number(self) -> Decimal:
        return Decimal(self.chance.choice(NUMBERS))

    def quantity(self) -> Json:
        return {"value": self.number(), **self.chance.choice(UNITS)}

    def identifier(self) -> Json:
        return {
            **self.given(system=lambda: self.chance.choice(SYSTEMS)),
            "value": self.chance.choice(CODES),
            **self.given(type=self.concept),
        }

    def reference(self, *types: str) -> Json:
        kind, rid = self.chance.choice(types), self.chance.choice(IDS)
        written = self.chance.choice(
            [f"{kind}/{rid}"] * 6
            + [f"{BASE}/{kind}/{rid}", f"http://other.test/fhir/{kind}/{rid}"]
            + [f"{kind}/{rid}/_history/1"]
        )
        shape = self.chance.random()
        if shape < 0.12:
            return {"type": kind, "identifier": self.identifier()}
        if shape < 0.16:
            return {"display": "somebody"}
        return {"reference": written, **self.given(identifier=self.identifier)}

    def name(self) -> Json:
        return {
            "family": self.chance.choice(FAMILIES),
            **self.given(given=lambda: self.some(lambda: self.chance.choice(GIVENS))),
        }

    def address(self) -> Json:
        return {
            **self.given(
                city=lambda: self.chance.choice(CITIES),
                line=lambda: [self.text()],
                use=lambda: self.chance.choice(LABELS),
            ),
            "country": "FR",
        }

    def meta(self) -> Json:
        return self.given(
            profile=lambda: self.chance.sample(PROFILES, self.chance.randint(1, 2)),
            tag=lambda: self.some(self.coding),
            security=lambda: self.some(self.coding),
            source=lambda: self.chance.choice(PROFILES),
        )

    def resource(self, rt: str, rid: str) -> Json:
        """Return a random valid resource."""
        meta = self.meta()
        made = {"resourceType": rt, "id": rid, **MAKERS[rt](self)}
        return {**made, "meta": meta} if meta else made


EXTENSION = {"url": "http://p.test/ext", "valueBoolean": True}


def patient(m: Maker) -> Json:
    return {
        **m.given(
            active=m.maybe,
            name=lambda: m.some(m.name),
            gender=lambda: m.chance.choice(["male", "female", "other"]),
            birthDate=m.day,
            identifier=lambda: m.some(m.identifier),
            address=lambda: m.some(m.address),
            generalPractitioner=lambda: m.some(lambda: m.reference("Practitioner")),
            managingOrganization=lambda: m.reference("Organization"),
            telecom=lambda: m.some(
                lambda: {"system": m.chance.choice(["phone", "email"]), "value": "0601"}
            ),
            link=lambda: [{"other": m.reference("Patient"), "type": "seealso"}],
        ),
        **m.one_of(deceasedBoolean=m.maybe, deceasedDateTime=m.date),
    }


def practitioner(m: Maker) -> Json:
    return m.given(name=lambda: m.some(m.name), identifier=lambda: m.some(m.identifier))


def organization(m: Maker) -> Json:
    return {
        "name": m.text(),
        **m.given(
            active=m.maybe,
            alias=lambda: m.some(m.text),
            type=lambda: m.some(m.concept),
            partOf=lambda: m.reference("Organization"),
            address=lambda: m.some(m.address),
        ),
    }


def observation(m: Maker) -> Json:
    return {
        "status": m.chance.choice(["final", "amended"]),
        "code": m.concept(),
        **m.given(
            category=lambda: m.some(m.concept),
            subject=lambda: m.reference("Patient", "Patient", "Group"),
            performer=lambda: m.some(lambda: m.reference("Patient", "Practitioner")),
            encounter=lambda: m.reference("Encounter"),
            component=lambda: m.some(lambda: {"code": m.concept(), **value(m)}, 3),
        ),
        **m.one_of(
            effectiveDateTime=m.date,
            effectivePeriod=m.period,
            effectiveInstant=m.moment,
            effectiveTiming=lambda: {"event": m.some(m.date)},
        ),
        **value(m),
    }


def value(m: Maker) -> Json:
    return m.one_of(
        valueQuantity=m.quantity,
        valueCodeableConcept=m.concept,
        valueString=m.text,
        valueDateTime=m.date,
    )


def condition(m: Maker) -> Json:
    return {
        "subject": m.reference("Patient", "Patient", "Group"),
        **m.given(
            code=m.concept,
            category=lambda: m.some(m.concept),
            severity=m.concept,
            encounter=lambda: m.reference("Encounter"),
            asserter=lambda: m.reference("Patient", "Practitioner"),
            recordedDate=m.date,
        ),
        **m.one_of(
            onsetDateTime=m.date,
            onsetPeriod=m.period,
            onsetAge=lambda: {"value": m.number(), "system": UCUM, "code": "a"},
            onsetString=m.text,
        ),
    }


def encounter(m: Maker) -> Json:
    return {
        "status": m.chance.choice(["planned", "finished"]),
        "class": m.coding(),
        **m.given(
            type=lambda: m.some(m.concept),
            subject=lambda: m.reference("Patient"),
            serviceProvider=lambda: m.reference("Organization"),
            participant=lambda: m.some(lambda: {"individual": m.reference("Practitioner")}),
            length=lambda: {
                "value": m.number(),
                "system": UCUM,
                "code": m.chance.choice(["min", "h"]),
            },
            period=m.period,
        ),
    }


def medication_request(m: Maker) -> Json:
    return {
        "status": m.chance.choice(["active", "stopped"]),
        "intent": "order",
        "subject": m.reference("Patient"),
        **(m.one_of(medicationCodeableConcept=m.concept) or {"medicationReference": MEDICINE}),
        **m.given(
            authoredOn=m.date,
            requester=lambda: m.reference("Practitioner", "Patient"),
            dosageInstruction=lambda: m.some(lambda: {"timing": {"event": m.some(m.date)}}),
            encounter=lambda: m.reference("Encounter"),
        ),
    }


MEDICINE = {"reference": "Medication/m1"}


def document_reference(m: Maker) -> Json:
    return {
        "status": m.chance.choice(["current", "superseded"]),
        "content": [{"attachment": {"contentType": "text/plain", "url": "http://d.test/1"}}],
        **m.given(
            type=m.concept,
            category=lambda: m.some(m.concept),
            subject=lambda: m.reference("Patient", "Practitioner"),
            author=lambda: m.some(lambda: m.reference("Practitioner", "Patient")),
            custodian=lambda: m.reference("Organization"),
            date=m.moment,
            description=m.text,
            relatesTo=lambda: m.some(
                lambda: {
                    "code": m.chance.choice(["replaces", "appends"]),
                    "target": m.reference("DocumentReference"),
                }
            ),
            securityLabel=lambda: m.some(m.concept),
        ),
    }


def risk_assessment(m: Maker) -> Json:
    return {
        "status": "final",
        "subject": m.reference("Patient", "Group"),
        "prediction": m.some(
            lambda: {**m.given(probabilityDecimal=m.number, qualitativeRisk=m.concept), **MARK}
        ),
    }


MARK = {"extension": [EXTENSION]}


def value_set(m: Maker) -> Json:
    return {
        "status": "draft",
        **m.given(
            url=lambda: m.chance.choice(PROFILES[:2]),
            name=m.text,
            date=m.date,
            useContext=lambda: m.some(
                lambda: {
                    "code": m.coding(),
                    **(m.one_of(valueQuantity=m.quantity) or {"valueCodeableConcept": m.concept()}),
                },
                3,
            ),
        ),
    }


def appointment(m: Maker) -> Json:
    return {
        "status": "booked",
        "participant": m.some(
            lambda: {"actor": m.reference("Patient", "Practitioner"), "status": "accepted"}, 3
        ),
        **m.given(start=m.moment, reasonCode=lambda: m.some(m.concept)),
    }


MAKERS: dict[str, Callable[[Maker], Json]] = {
    "Patient": patient,
    "Practitioner": practitioner,
    "Organization": organization,
    "Observation": observation,
    "Condition": condition,
    "Encounter": encounter,
    "MedicationRequest": medication_request,
    "DocumentReference": document_reference,
    "RiskAssessment": risk_assessment,
    "ValueSet": value_set,
    "Appointment": appointment,
}
