"""The people and records of database D: small, random, and one of each kind of reader."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field
from typing import Any

from hygie.kernel.security.caller import Kind, Right
from hygie.kernel.security.relations import OF_THE_RECORD, Relation

Json = dict[str, Any]
LOINC = "http://loinc.org"
LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
HL7_LABELS = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
TEXT = base64.b64encode(b"Bonjour. " * 40).decode()
LONG_TEXT = base64.b64encode(b"Bonjour encore. " * 6000).decode()
NORA, PAUL, ENZO = "Patient/d-nora", "Patient/d-paul", "Patient/d-enzo"
LUCIE, MARC = "Patient/d-lucie", "Patient/d-marc"
CODES = ["718-7", "29463-7", "8867-4"]
TYPES = ["11488-4", "34112-3", "60591-5", "EXPPAT_3", "11502-2"]
CITIES = ["Vannes", "Brest", "Pau"]
DAYS = ["2024-05-06", "2024-05-07", "2023", "2025-01", "2024-05-06T10:00:00+02:00"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks: kind, reference (empty: nobody of the record), purpose, rights, roles."""

    kind: Kind
    reference: str
    purpose: str = "TREAT"
    rights: frozenset[Right] = frozenset()
    roles: tuple[str, ...] = ()


PEOPLE = {
    "nora": Person(Kind.PATIENT, NORA, "PATRQT"),
    "paul": Person(Kind.PATIENT, PAUL, "PATRQT"),
    "enzo": Person(Kind.PATIENT, ENZO, "PATRQT"),
    "helper of nora": Person(Kind.PATIENT, LUCIE, "PATRQT"),
    "father of enzo": Person(Kind.PATIENT, MARC, "PATRQT"),
    "treating": Person(Kind.PROFESSIONAL, "Practitioner/d-petit", roles=("10",)),
    "team": Person(Kind.PROFESSIONAL, "Practitioner/d-roux", roles=("10",)),
    "nurse": Person(Kind.PROFESSIONAL, "Practitioner/d-inf", roles=("60",)),
    "intern": Person(Kind.PROFESSIONAL, "Practitioner/d-interne", roles=("10",)),
    "biller": Person(Kind.PROFESSIONAL, "Practitioner/d-roux", "HPAYMT", roles=("10",)),
    "urgent": Person(Kind.PROFESSIONAL, "Practitioner/d-urg", "ETREAT", roles=("10",)),
    "blocked": Person(Kind.PROFESSIONAL, "Practitioner/d-vire", roles=("10",)),
    "stranger": Person(
        Kind.PROFESSIONAL, "Practitioner/d-loin", rights=frozenset({Right.IDENTIFY}), roles=("10",)
    ),
    "administrator": Person(Kind.ADMINISTRATOR, ""),
    "researcher": Person(Kind.RESEARCHER, "", "HRESCH"),
}
RELATIONS: tuple[tuple[str, str, Relation], ...] = (
    (NORA, "Practitioner/d-petit", Relation.TREATING),
    (NORA, "Practitioner/d-roux", Relation.CARE_TEAM),
    (NORA, "Practitioner/d-inf", Relation.CARE_TEAM),
    (NORA, "Practitioner/d-urg", Relation.EMERGENCY),
    (NORA, "Practitioner/d-vire", Relation.CARE_TEAM),
    (NORA, "Practitioner/d-vire", Relation.BLOCKED),
    (NORA, "", Relation.TEAM_CONSENT),
    (NORA, LUCIE, Relation.HELPER),
    (ENZO, "Practitioner/d-petit", Relation.CARE_TEAM),
    (ENZO, "Practitioner/d-roux", Relation.CARE_TEAM),
    (ENZO, "", Relation.TEAM_CONSENT),
    (ENZO, "", Relation.MINOR),
    (ENZO, MARC, Relation.PARENT),
    (PAUL, "Practitioner/d-loin", Relation.CARE_TEAM),
    (PAUL, "", Relation.TEAM_CONSENT),
    ("Practitioner/d-roux", "Practitioner/d-interne", Relation.ACTS_UNDER),
)
"""Patient (or principal), member (empty: of the record), kind."""


@dataclass(slots=True)
class Population:
    """The resources of D, drawn from one seed."""

    seed: int
    resources: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - test data
        self.resources = [*_directory(), *_patients(chance)]
        for whose in (NORA, NORA, PAUL, ENZO):
            self.resources += record(chance, whose, count=chance.randint(1, 3))
        self.resources.append(observation(chance, "d-first", NORA))

    @property
    def ids(self) -> list[str]:
        """Return the ids of its resources."""
        return [one["id"] for one in self.resources]


def relation_rows(numbers: dict[str, int]) -> list[tuple[int, int, int]]:
    """Return the relations with surrogate numbers: patient, member, kind."""
    return [
        (numbers[whose], numbers[who] if who else OF_THE_RECORD, int(kind))
        for whose, who, kind in RELATIONS
    ]


def labelled(*codes: str) -> Json:
    """Return the ``meta`` that gives confidentiality labels."""
    security = [
        {"system": HL7_LABELS if code in ("N", "R", "V") else LABELS, "code": code}
        for code in codes
    ]
    return {"meta": {"security": security}}


def record(chance: random.Random, whose: str, *, count: int, prefix: str = "") -> list[Json]:
    """Return resources about one patient, each with the ids ``<prefix><whose>-<letter><n>``."""
    stem = prefix or whose.partition("/")[2]
    found: list[Json] = []
    for number in chance.sample(range(10_000), count):
        found += [make(chance, f"{stem}-{make.__name__[0]}{number}", whose) for make in MAKERS]
    return found


def observation(chance: random.Random, rid: str, whose: str) -> Json:
    """Return an Observation."""
    return {
        "resourceType": "Observation", "id": rid, "status": "final",
        "subject": {"reference": whose},
        "identifier": [{"system": "urn:i", "value": chance.choice(["common", rid])}],
        "category": [{"coding": [{"code": chance.choice(["laboratory", "vital-signs"])}]}],
        "code": {"coding": [{"system": LOINC, "code": chance.choice(CODES)}]},
        "effectiveDateTime": chance.choice(DAYS),
        "performer": [{"reference": "Practitioner/d-petit"}],
        "valueQuantity": {"value": chance.randint(1, 99), "unit": "kg", "code": "kg",
                          "system": "http://unitsofmeasure.org"},
    }  # fmt: skip


def document(chance: random.Random, rid: str, whose: str) -> Json:
    """Return a DocumentReference, its text inside."""
    return {
        "resourceType": "DocumentReference", "id": rid, "status": "current",
        "subject": {"reference": whose}, "date": "2024-05-06T10:00:00+02:00",
        "type": {"coding": [{"system": LOINC, "code": chance.choice(TYPES)}]},
        "author": [{"reference": chance.choice(["Practitioner/d-petit", "Practitioner/d-roux"])}],
        "content": [{"attachment": {"contentType": "text/plain", "title": chance.choice(CITIES),
                                    "data": chance.choice([TEXT, TEXT, LONG_TEXT])}}],
    }  # fmt: skip


def condition(chance: random.Random, rid: str, whose: str) -> Json:
    """Return a Condition."""
    return {
        "resourceType": "Condition", "id": rid, "subject": {"reference": whose},
        "code": {"coding": [{"system": "urn:s", "code": chance.choice(["w", "x"])}]},
        "onsetDateTime": chance.choice(DAYS[:4]),
    }  # fmt: skip


def encounter(chance: random.Random, rid: str, whose: str) -> Json:
    """Return an Encounter."""
    return {
        "resourceType": "Encounter", "id": rid, "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": whose}, "period": {"start": chance.choice(DAYS[:4])},
        "serviceProvider": {"reference": "Organization/d-org"},
    }  # fmt: skip


def appointment(chance: random.Random, rid: str, whose: str) -> Json:
    """Return an Appointment."""
    return {
        "resourceType": "Appointment", "id": rid, "status": "booked",
        "start": f"2026-12-{chance.randint(10, 28)}T09:00:00+01:00",
        "end": "2026-12-29T10:00:00+01:00",
        "participant": [{"actor": {"reference": whose}, "status": "accepted"},
                        {"actor": {"reference": "Practitioner/d-petit"}, "status": "accepted"}],
    }  # fmt: skip


MAKERS = (observation, document, condition, encounter, appointment)


def patient(chance: random.Random, rid: str, **values: Any) -> Json:
    """Return a Patient."""
    return {
        "resourceType": "Patient", "id": rid,
        "identifier": [{"system": "urn:i", "value": chance.choice(["common", rid])}],
        "name": [{"use": "official", "family": chance.choice(["Le Goff", "Martin"]),
                  "given": [chance.choice(["Anaïs", "Nora"])]}],
        "birthDate": "1980-02-29", "address": [{"city": chance.choice(CITIES)}],
        **values,
    }  # fmt: skip


def _patients(chance: random.Random) -> list[Json]:
    adults = [patient(chance, f"d-{name}") for name in ("nora", "paul", "lucie", "marc")]
    # Whom a Patient names here is the treating doctor.
    adults[0]["generalPractitioner"] = [{"reference": "Practitioner/d-petit"}]
    return [*adults, patient(chance, "d-enzo", birthDate="2014-03-02")]


def _directory() -> list[Json]:
    doctors = ("petit", "roux", "inf", "interne", "urg", "vire", "loin")
    return [
        {"resourceType": "Organization", "id": "d-org", "name": "Le Centre"},
        *(
            {"resourceType": "Practitioner", "id": f"d-{name}", "name": [{"family": name.title()}]}
            for name in doctors
        ),
    ]
