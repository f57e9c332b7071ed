"""Two whole records for the tests of pages: one rich, one about which nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
ADA, TOM = "ada-leroy", "tom-martin"
ADA_INS = "290047512000116"
MARC, ZOE, SAMU, SECRETARY = "marc-vidal", "zoe-lang", "alix-roche", "jade-colin"
CABINET, HOSPITAL = "cabinet", "hopital"
PROFESSIONS = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
OWN_ROLES = "https://hygie.example.org/fhir/CodeSystem/role"
CHOICE = "https://hygie.example.org/fhir/CodeSystem/choice"
STANDING = "https://hygie.example.org/fhir/CodeSystem/representative"
ACTING_UNDER = "https://hygie.example.org/fhir/StructureDefinition/acting-under"
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
    """Return who cares for both: their physician, a nurse, a specialist, and who is a stranger."""
    people = [
        practitioner(HELENE, "Petit", "Hélène", profession="10", at=CABINET),
        practitioner(MARC, "Vidal", "Marc", profession="60", at=CABINET),
        practitioner(ZOE, "Lang", "Zoé", profession="10", at=HOSPITAL),
        practitioner(SAMU, "Roche", "Alix", profession="10", at=HOSPITAL, own="samu-regulator"),
        practitioner(SECRETARY, "Colin", "Jade", own="secretary", at=CABINET, under=HELENE),
    ]
    places = [
        {"resourceType": "Organization", "id": one, "active": True, "name": name}
        for one, name in ((CABINET, "Cabinet de la Loire"), (HOSPITAL, "Hôpital de Blois"))
    ]
    teams = [
        {
            "resourceType": "CareTeam",
            "id": f"team-of-{patient_id}",
            "status": "active",
            "subject": {"reference": f"Patient/{patient_id}"},
            "participant": [
                {
                    "member": {"reference": f"Practitioner/{member}"},
                    "period": {"start": "2024-01-05"},
                }
                for member in (HELENE, MARC)
            ],
        }
        for patient_id in (NORA, PAUL)
    ]
    return [*places, *(one for pair in people for one in pair), *teams]


def practitioner(  # noqa: PLR0913  what makes a professional
    rid: str,
    family: str,
    given: str,
    *,
    at: str,
    profession: str = "",
    own: str = "",
    under: str = "",
) -> list[Json]:
    """Return somebody of the health directory: who they are, and what they practise where.

    ``profession`` is a code of TRE_G15, ``own`` one of our roles; ``under`` is the id of the
    professional under whom they act, for a year.
    """
    codes = [(PROFESSIONS, profession)] if profession else []
    codes += [(OWN_ROLES, own)] if own else []
    name: Json = {"family": family, "given": [given]}
    if profession == "10":
        name["prefix"] = ["Dr"]
    who = {"resourceType": "Practitioner", "id": rid, "name": [name]}
    role: Json = {
        "resourceType": "PractitionerRole",
        "id": f"role-of-{rid}",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{rid}"},
        "organization": {"reference": f"Organization/{at}"},
        "code": [{"coding": [{"system": system, "code": code}]} for system, code in codes],
    }
    if under:
        today = datetime.now(UTC).date()
        role["extension"] = [
            {"url": ACTING_UNDER, "valueReference": {"reference": f"Practitioner/{under}"}}
        ]
        role["period"] = {
            "start": today.isoformat(),
            "end": (today + timedelta(days=365)).isoformat(),
        }
    return [who, role]


def choices() -> list[Json]:
    """Return what Nora and Paul decided: how their records opened, and that their team reads."""
    return [
        one
        for patient_id in (NORA, PAUL)
        for one in (
            choice(patient_id, "opening", "permit", rule="unless-opposed"),
            choice(patient_id, "care-team", "permit"),
        )
    ]


def newcomer() -> list[Json]:
    """Return Ada, who has answered nothing yet, and her care team of one."""
    me = f"Patient/{ADA}"
    return [
        patient("Leroy", "Ada", id=ADA, birthDate="1990-04-12", ins=ADA_INS),
        allergy(me, "Arachide", id="peanut"),
        choice(ADA, "opening", "permit"),
        {
            "resourceType": "CareTeam",
            "id": f"team-of-{ADA}",
            "status": "active",
            "subject": {"reference": me},
            "participant": [{"member": {"reference": f"Practitioner/{HELENE}"}}],
        },
    ]


def child() -> list[Json]:
    """Return Tom, 15, whose mother is Lucie; one visit stays secret from her."""
    me, born = f"Patient/{TOM}", datetime.now(UTC).date().replace(day=1) - timedelta(days=5600)
    secret = encounter(me, "Consultation", "2026-05-18T09:30:00+02:00", "Contraception")
    label = {"system": "urn:oid:1.2.250.1.213.1.1.4.13", "code": "INVISIBLE_REPRESENTANTS_LEGAUX"}
    parent = choice(TOM, "representative", "permit")
    parent["provision"]["actor"] = [
        {
            "role": {"coding": [{"system": STANDING, "code": "parent"}]},
            "reference": {"reference": f"Patient/{LUCIE}", "display": "Lucie Martin"},
        }
    ]
    return [
        patient("Martin", "Tom", id=TOM, gender="male", birthDate=born.isoformat(), ins=""),
        {**secret, "id": "secret-visit", "meta": {"security": [label]}},
        condition(me, "Asthme", id="asthma"),
        parent,
    ]


def choice(patient_id: str, category: str, kind: str = "permit", *, rule: str = "") -> Json:
    """Return a choice about a record, as a Consent."""
    return {
        "resourceType": "Consent",
        "id": f"{category}-of-{patient_id}",
        "status": "active",
        "scope": _coded("consentscope", "patient-privacy"),
        "category": [{"coding": [{"system": CHOICE, "code": category}]}],
        "patient": {"reference": f"Patient/{patient_id}"},
        "dateTime": "2024-01-05T09:00:00+01:00",
        "policyRule": {"text": rule or "choice"},
        "provision": {"type": kind, "period": {"start": "2024-01-05"}},
    }


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
                        "reference": {"reference": f"Patient/{LUCIE}", "display": "Lucie Martin"},
                    }
                ],
            },
        },
    ]


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
