"""From entries of an extraction to Practitioner, PractitionerRole, Organization and Location.

FR Core shapes with the AS data: a MSSanté mailbox is a ``telecom`` with its AS extension and no
Endpoint (Annuaire Santé implementation guide, "Boîtes aux lettres").
"""

from __future__ import annotations

import hashlib
from typing import Any

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.model.entries import Activity, Address, Person, Structure
from hygie.domains.annuaire.model.nomenclature import professions, sector, specialties

Json = dict[str, Any]
_PREFIX = {"M": "M", "MME": "MME", "MLLE": "MME"}


def derived_id(*parts: str) -> str:
    """Return the id of what the parts name: the same parts give the same id, for ever.

    >>> derived_id("Practitioner", "810000000001") == derived_id("Practitioner", "810000000001")
    True
    """
    digest = hashlib.sha256("\0".join(("hygie-annuaire", *parts)).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def identifiers_of(person: Person) -> list[tuple[str, str]]:
    """Return the identifiers of a person, system and value."""
    given = [(systems.NATIONAL_ID, person.national_id), (systems.RPPS, person.rpps)]
    return [(system, value) for system, value in given if value]


def structure_identifiers(structure: Structure) -> list[tuple[str, str]]:
    """Return the identifiers of a structure, system and value, the most official first."""
    given = [
        (systems.FINESS, structure.finess),
        (systems.SIRET, structure.siret),
        (systems.TECHNICAL, structure.technical),
    ]
    return [(system, value) for system, value in given if value]


def practitioner(person: Person) -> Json:
    """Return a professional: identifiers, name, professions and know-how; nothing private."""
    return {
        "resourceType": "Practitioner",
        "id": derived_id("Practitioner", person.national_id),
        "meta": {"profile": [f"{systems.CORE}fr-core-practitioner"]},
        "identifier": [
            _identifier(system, value, "RPPS" if system == systems.RPPS else "IDNPS")
            for system, value in identifiers_of(person)
        ],
        "active": True,
        "name": [name_of(person)],
        "qualification": qualifications(person),
    }


def name_of(person: Person) -> Json:
    """Return the name under which a person practises."""
    found: Json = {"use": "official", "family": person.family, "given": person.given.split()}
    if person.civility in _PREFIX:
        found["prefix"] = [_PREFIX[person.civility]]
    if person.title:
        found["suffix"] = [person.title]
    return found


def qualifications(person: Person) -> list[Json]:
    """Return the professions, then the know-how, of a person."""
    held = [{"code": profession(code)} for code in sorted(person.professions)]
    return [*held, *({"code": specialty(code)} for code in person.specialties)]


def role(person: Person, activity: Activity, *, who: str, at: Json | None) -> Json:
    """Return the PractitionerRole of an activity.

    ``who`` is the reference of the person, ``at`` the Organization, None for no known place.
    """
    key = (person.national_id, activity.profession, activity.place, activity.mode)
    codes = [profession(activity.profession)]
    if activity.mode:
        codes.append({"coding": [{"system": systems.MODES, "code": activity.mode}]})
    found: Json = {
        "resourceType": "PractitionerRole",
        "id": derived_id("PractitionerRole", *key),
        "meta": {"profile": [f"{systems.CORE}fr-core-practitioner-role"]},
        "active": True,
        "practitioner": {"reference": who},
        "code": codes,
    }
    if activity.specialties:
        found["specialty"] = [specialty(code) for code in activity.specialties]
    if activity.structure and at:
        found["organization"] = {"reference": f"Organization/{at['id']}", "display": at["name"]}
        found["location"] = [{"reference": f"Location/{location_id(at)}"}]
        found["meta"] |= commune_tags(activity.structure.address)
    return found


def commune_tags(address: Address) -> Json:
    """Return the tag by which a role is found in a commune: no search parameter reads it else."""
    if not address.insee:
        return {}
    tag = {"system": systems.COMMUNES, "code": address.insee}
    return {"tag": [tag | ({"display": address.city} if address.city else {})]}


def organization(structure: Structure) -> Json:
    """Return a structure as the directory has it."""
    types: list[Json] = []
    if structure.sector:
        types.append(_concept(systems.SECTORS, structure.sector, sector(structure.sector)))
    if structure.category[0]:
        types.append(_concept(systems.CATEGORIES, *structure.category))
    found: Json = {
        "resourceType": "Organization",
        "id": derived_id("Organization", structure.key),
        "meta": {"profile": [f"{systems.CORE}fr-core-organization"]},
        "identifier": [
            _identifier(system, value, _STRUCTURE_TYPES.get(system, ""))
            for system, value in structure_identifiers(structure)
        ],
        "active": True,
        "name": structure.name,
    }
    if structure.finess_ej and structure.finess_ej != structure.finess:
        legal = _identifier(systems.FINESS, structure.finess_ej, "FINEJ")
        found["partOf"] = {"type": "Organization", "identifier": legal}
    parts = {"type": types, "telecom": _telecoms(structure), "address": _addresses(structure)}
    return found | {name: value for name, value in parts.items() if value}


_STRUCTURE_TYPES = {systems.FINESS: "FINEG", systems.SIRET: "SIRET"}


def location(structure: Structure, at: Json) -> Json:
    """Return the place where a structure receives."""
    found: Json = {
        "resourceType": "Location",
        "id": location_id(at),
        "status": "active",
        "name": structure.name,
        "mode": "instance",
        "managingOrganization": {"reference": f"Organization/{at['id']}"},
    }
    parts = {"telecom": _telecoms(structure), "address": next(iter(_addresses(structure)), None)}
    return found | {name: value for name, value in parts.items() if value}


def location_id(organization: Json) -> str:
    """Return the id of the Location that the import writes for an Organization."""
    return derived_id("Location", str(organization["id"]))


def mailbox(address: str, kind: str) -> Json:
    """Return the ``telecom`` of a MSSanté mailbox; ``kind`` is PER, ORG, APP or CAB (TRE_R257)."""
    return {
        "extension": [
            {
                "url": systems.EMAIL_TYPE,
                "valueCoding": {"system": systems.MAIL_KINDS, "code": "MSSANTE"},
            },
            {
                "url": systems.MAILBOX,
                "extension": [
                    {
                        "url": "type",
                        "valueCodeableConcept": {
                            "coding": [{"system": systems.MAILBOX_KINDS, "code": kind}]
                        },
                    }
                ],
            },
        ],
        "system": "email",
        "value": address,
        "use": "work",
    }


def profession(code: str) -> Json:
    """Return a profession of TRE_G15 as a concept."""
    return _concept(systems.PROFESSIONS, code, professions("fr").get(code, ""))


def specialty(code: str) -> Json:
    """Return a know-how as a concept."""
    known = specialties().get(code)
    return _concept(systems.SPECIALTIES, code, known.label if known else "")


def _concept(system: str, code: str, label: str) -> Json:
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": label} if label else {})]}


def _identifier(system: str, value: str, kind: str) -> Json:
    found: Json = {"use": "official", "system": system, "value": value}
    if kind:
        found["type"] = {"coding": [{"system": systems.IDENTIFIER_TYPES, "code": kind}]}
    return found


def _telecoms(structure: Structure) -> list[Json]:
    given = [("phone", structure.phone), ("email", structure.email)]
    return [{"system": kind, "value": value, "use": "work"} for kind, value in given if value]


def _addresses(structure: Structure) -> list[Json]:
    one = structure.address
    if not (one.lines or one.postal_code or one.city):
        return []
    found: Json = {"use": "work"}
    if one.insee:
        coding = {"system": systems.COMMUNES, "code": one.insee}
        found["extension"] = [{"url": systems.INSEE_CODE, "valueCoding": coding}]
    parts = {"line": list(one.lines), "city": one.city, "postalCode": one.postal_code}
    found |= {name: value for name, value in parts.items() if value}
    return [{**found, "country": "FRA"}]
