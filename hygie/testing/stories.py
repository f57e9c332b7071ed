"""Two whole records for the tests of pages: one rich, one about which nothing is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hygie.testing.factories import (
    allergy,
    binary,
    blood_pressure,
    condition,
    document,
    encounter,
    immunization,
    observation,
    patient,
    prescription,
)

Json = dict[str, Any]
NORA, PAUL, LUCIE, HELENE = "nora-martin", "paul-durand", "lucie-martin", "helene-petit"
YEARS = range(2017, 2027)


def diabetic_woman() -> list[Json]:
    """Return the record of Nora, 67, with a diabetes since 2011."""
    me = f"Patient/{NORA}"
    kept = binary()
    return [
        patient(id=NORA),
        condition(me, "Diabète de type 2", id="diabetes"),
        condition(me, "Hypertension artérielle essentielle", onsetDateTime="2015-10-02"),
        condition(me, "Gonarthrose droite", onsetDateTime="2021"),
        allergy(
            me,
            "Pénicilline",
            id="penicillin",
            criticality="high",
            reaction=[{"manifestation": [{"text": "Œdème du visage"}, {"text": "Urticaire"}]}],
        ),
        allergy(me, "Pollens de graminées"),
        prescription(me, "Metformine 1 000 mg, comprimé", "1 comprimé matin et soir, au repas"),
        prescription(me, "Périndopril 4 mg, comprimé", "1 comprimé le matin"),
        prescription(me, "Atorvastatine 20 mg, comprimé", "1 comprimé le soir"),
        immunization(me, "Vaccin grippe", atc="J07BB02", day="2025-10-21"),
        immunization(me, "Vaccin dTcaP (Repevax)", atc="J07CA02", day="2014-06-03"),
        *_measures(me),
        *_visits(me),
        document(me, "Compte rendu de cardiologie", day="2026-06-18T10:00:00+02:00", size=48_211)
        | {"id": "cardiology"},
        document(me, "Bilan biologique", day="2026-03-02T08:10:00+01:00"),
        kept,
        document(me, "Ordonnance", day="2024-02-01T09:00:00+01:00", url=f"Binary/{kept['id']}")
        | {"id": "order"},
    ]


def _measures(me: str) -> list[Json]:
    found: list[Json] = []
    for step, year in enumerate(YEARS):
        lab, visit = f"{year}-03-02T08:10:00+01:00", f"{year}-06-18T09:30:00+02:00"
        sugar = Decimal("6.8") + Decimal(step % 4) / 10
        ldl, kidney = Decimal("1.10"), 88 - 2 * step
        found += [
            observation(me, "HbA1c", "4548-4", value=sugar, unit="%", day=lab),
            observation(me, "Poids", "29463-7", value=81 - step, unit="kg", day=visit),
            observation(me, "LDL-cholestérol", "13457-7", value=ldl, unit="g/L", day=lab),
            observation(me, "DFG", "62238-1", value=kidney, unit="mL/min", day=lab),
            blood_pressure(me, 148 - step, 88 - step, visit),
        ]
    return found


def _visits(me: str) -> list[Json]:
    return [
        encounter(me, "Consultation de médecine générale", f"{year}-{month}-18T09:30:00+02:00", why)
        for year in YEARS
        for month, why in (("06", "Suivi du diabète"), ("09", "Renouvellement du traitement"))
    ]


def unknown_man() -> list[Json]:
    """Return the record of Paul, about whom one thing only was written: no known allergy."""
    return [
        patient("Durand", "Paul", id=PAUL, gender="male", birthDate="1948-01-30", ins=""),
        allergy(
            f"Patient/{PAUL}",
            "Aucune allergie connue",
            code={"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]},
        ),
    ]


def care_team() -> list[Json]:
    """Return the general practitioner of both, and the care teams that open their records."""
    doctor = {
        "resourceType": "Practitioner",
        "id": HELENE,
        "name": [{"family": "Petit", "given": ["Hélène"], "prefix": ["Dr"]}],
    }
    teams = [
        {
            "resourceType": "CareTeam",
            "id": f"team-of-{patient_id}",
            "status": "active",
            "subject": {"reference": f"Patient/{patient_id}"},
            "participant": [{"member": {"reference": f"Practitioner/{HELENE}"}}],
        }
        for patient_id in (NORA, PAUL)
    ]
    return [doctor, *teams]


def helping_daughter() -> list[Json]:
    """Return Lucie, daughter of Nora, and the consent by which she reads her mother's record."""
    return [
        patient("Martin", "Lucie", id=LUCIE, birthDate="1988-02-29", ins=""),
        {
            "resourceType": "Consent",
            "id": "consent-of-nora",
            "status": "active",
            "scope": _coded("consentscope", "patient-privacy"),
            "category": [_coded("consentcategorycodes", "acd")],
            "patient": {"reference": f"Patient/{NORA}"},
            "policyRule": _coded("v3-ActCode", "OPTIN"),
            "provision": {
                "type": "permit",
                "actor": [
                    {
                        "role": _coded("v3-RoleCode", "DAUC"),
                        "reference": {"reference": f"Patient/{LUCIE}"},
                    }
                ],
            },
        },
    ]


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
