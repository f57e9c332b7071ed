"""The administrative part of a record: Patient, RelatedPerson, Coverage, CareTeam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hygie.demo.fhir.directory import PROFESSIONS, Post, address, insee_code
from hygie.demo.fhir.parts import (
    CORE,
    CORE_IDENTIFIER_TYPE,
    HL7,
    Chart,
    Json,
    coding,
    concept,
    instant,
    meta,
    period,
    ref,
)
from hygie.demo.traits import Person, Relative
from hygie.domains.consent.fhir.codes import STARTING_EVENT
from hygie.domains.consent.model.events import DESIGNATION

TEST_NIR = "urn:oid:1.2.250.1.213.1.4.10"
RELATION = "https://mos.esante.gouv.fr/NOS/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"
ROLE_CLASS = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"
NOON = 12 * 60


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a care team, from a day and, for a substitute, to a day.

    ``event`` is what started the membership: a code of the events of the consent domain.
    """

    post: Post
    since: date
    until: date | None = None
    label: str = ""
    event: str = DESIGNATION


def write_patient(
    chart: Chart, person: Person, reference: str, *, doctor: Post, links: Sequence[str]
) -> None:
    """Write the Patient with strict traits and a qualified identity (FR Core Patient INS)."""
    patient: Json = {
        "meta": meta("fr-core-patient", "fr-core-patient-ins"),
        "extension": [_reliability(person), _birth_place(person)],
        "identifier": [_nir(person)],
        "active": True,
        "name": _names(person),
        "telecom": _telecom(person),
        "gender": person.sex,
        "birthDate": person.birth.isoformat(),
    }
    if person.death:
        patient["deceasedDateTime"] = instant(person.death, NOON)
    patient["address"] = [address(person.home, "home")]
    if person.married:
        patient["maritalStatus"] = concept(HL7 + "v3-MaritalStatus", "M")
    if links:
        patient["link"] = [{"other": ref(link), "type": "seealso"} for link in links]
    patient["generalPractitioner"] = [ref(doctor.practitioner, doctor.name)]
    if not patient["telecom"]:
        del patient["telecom"]
    chart.add("Patient", patient, reference=reference)


def write_relatives(chart: Chart, person: Person, patient: str) -> dict[str, str]:
    """Write one RelatedPerson per relative; return their references by the key of the person."""
    return {
        relative.person.key: _relative(chart, relative, patient) for relative in person.relatives
    }


def _relative(chart: Chart, relative: Relative, patient: str) -> str:
    other = relative.person
    relationship = [concept(RELATION, relative.code, relative.label)]
    if relative.guardian:
        relationship.append(concept(ROLE_CLASS, "GUARD", "Responsable légal"))
    elif relative.emergency:
        relationship.append(concept(ROLE_CLASS, "ECON", "Personne à prévenir en cas d'urgence"))
    body: Json = {
        "meta": meta("fr-core-related-person"),
        "identifier": [_nir(other)],
        "active": other.death is None,
        "patient": ref(patient),
        "relationship": relationship,
        "name": _names(other)[-1:],
        "telecom": _telecom(other),
        "gender": other.sex,
        "birthDate": other.birth.isoformat(),
        "address": [address(other.home, "home")],
    }
    if not body["telecom"]:
        del body["telecom"]
    return chart.add("RelatedPerson", body, reference=chart.reserve("RelatedPerson", other.key))


def write_coverage(
    chart: Chart, person: Person, patient: str, *, payer: str, regime: str, subscriber: str
) -> None:
    """Write the compulsory Coverage when there is a regime, else a complementary one."""
    kind = coding(HL7 + "v3-ActCode", "PUBLICPOL" if regime else "EHCPOL")
    text = "Assurance maladie obligatoire" if regime else "Assurance complémentaire"
    start = (
        max(person.birth, date(person.birth.year + 18, 1, 1)) if not subscriber else person.birth
    )
    body: Json = {
        "status": "active",
        "type": {"coding": [kind], "text": text},
        "subscriber": ref(subscriber or patient),
        "beneficiary": ref(patient),
        "relationship": concept(HL7 + "subscriber-relationship", "child" if subscriber else "self"),
        "period": period(start.isoformat(), person.death.isoformat() if person.death else None),
        "payor": [ref(payer)],
    }
    if regime:
        grade = {"coding": [coding(HL7 + "coverage-class", "plan")]}
        body["class"] = [{"type": grade, "value": regime, "name": "Régime d'assurance maladie"}]
    chart.add("Coverage", body)


def write_care_team(chart: Chart, person: Person, patient: str, members: list[Member]) -> None:
    """Write the CareTeam: who follows the person, since when and, if so, until when."""
    end = person.death.isoformat() if person.death else None
    start = min(member.since for member in members).isoformat()
    chart.add(
        "CareTeam",
        {
            "status": "inactive" if end else "active",
            "name": f"Équipe de soins de {person.name}",
            "subject": ref(patient),
            "period": period(start, end),
            "participant": [_participant(member, end) for member in members],
            "managingOrganization": [ref(members[0].post.site.reference)],
        },
        reference=chart.reserve("CareTeam", "team"),
    )


def _participant(member: Member, end: str | None) -> Json:
    job = member.post.profession
    label = member.label or job.specialty_label or job.label
    until = member.until.isoformat() if member.until else end
    return {
        "extension": [{"url": STARTING_EVENT, "valueCode": member.event}],
        "role": [concept(PROFESSIONS, job.profession, job.label, text=label)],
        "member": ref(member.post.practitioner, member.post.name),
        "onBehalfOf": ref(member.post.site.reference),
        "period": period(member.since.isoformat(), until),
    }


def _nir(person: Person) -> Json:
    return {
        "use": "official",
        "type": concept(CORE_IDENTIFIER_TYPE, "INS-NIR-TEST"),
        "system": TEST_NIR,
        "value": person.nir,
    }


def _names(person: Person) -> list[Json]:
    birth: Json = {
        "extension": [
            {
                "url": CORE + "fr-core-patient-birth-list-given-name",
                "valueString": " ".join(person.given),
            }
        ],
        "use": "official",
        "family": person.family,
        "given": [person.given[0]],
    }
    if not person.used:
        return [birth]
    return [birth, {"use": "usual", "family": person.used, "given": [person.given[0]]}]


def _telecom(person: Person) -> list[Json]:
    contacts = (("phone", person.mobile, "mobile"), ("phone", person.fixed, "home"))
    found: list[Json] = [
        {"system": system, "value": value, "use": use} for system, value, use in contacts if value
    ]
    if person.email:
        found.append({"system": "email", "value": person.email, "use": "home"})
    return found


def _reliability(person: Person) -> Json:
    status = coding(
        "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445", "VALI", "Identité validée"
    )
    seen = max(person.birth, date(2022, 1, 3)).isoformat()
    return {
        "url": CORE + "fr-core-identity-reliability",
        "extension": [
            {"url": "identityStatus", "valueCoding": status},
            {"url": "validationDate", "valueDate": seen},
        ],
    }


def _birth_place(person: Person) -> Json:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {
            "extension": [insee_code(person.born_at.code)],
            "city": person.born_at.name,
        },
    }
