"""From the professional of a token to Practitioner, PractitionerRole and Organization (FR Core)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hygie.domains.federation.model.exercises import Exercise, Place, Professional

PROFESSIONS = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
SPECIALTIES = (
    "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
)
RPPS = "https://rpps.esante.gouv.fr"
NATIONAL_ID = "urn:oid:1.2.250.1.71.4.2.1"
FINESS = "https://finess.esante.gouv.fr"
SIRET = "https://sirene.fr"
STRUCTURE = "https://annuaire.sante.fr/identifiant-technique-structure"
ACTING_UNDER = "https://hygie.example.org/fhir/StructureDefinition/acting-under"
OWN_ROLES = "https://hygie.example.org/fhir/CodeSystem/role"
REGULATOR = "samu-regulator"
"""Who may open a record when the 15 is called; the operator writes this role."""

Json = dict[str, Any]
Change = Callable[[Json], Json]
"""From a resource as it is stored to the same as it should be."""


def identifiers_of(professional: Professional) -> list[tuple[str, str]]:
    """Return the identifiers of a person, system and value, the most specific first."""
    given = [(NATIONAL_ID, professional.national_id), (RPPS, professional.rpps)]
    return [(system, value) for system, value in given if value]


def place_identifiers(place: Place) -> list[tuple[str, str]]:
    """Return the identifiers of a structure, system and value."""
    given = [(FINESS, place.finess), (SIRET, place.siret), (STRUCTURE, place.structure)]
    return [(system, value) for system, value in given if value]


def organization(place: Place) -> Json:
    """Return a structure that the store does not know yet."""
    return {
        "resourceType": "Organization",
        "active": True,
        "identifier": [_identifier(*one) for one in place_identifiers(place)],
        "name": place.name or "—",
    }


def practitioner(professional: Professional) -> Json:
    """Return a professional whom the store does not know yet."""
    return with_professions(
        {
            "resourceType": "Practitioner",
            "active": True,
            "identifier": [_identifier(*one) for one in identifiers_of(professional)],
            "name": [{"family": professional.family, "given": professional.given.split()}],
        },
        professional,
        at=None,
    )


def with_professions(person: Json, professional: Professional, *, at: datetime | None) -> Json:
    """Return a Practitioner whose qualifications are the professions practised now.

    A profession that is practised no more keeps its qualification, ended at ``at``.
    """
    now = {one.profession for one in professional.exercises}
    kept = [_ended_unless(one, now, at) for one in person.get("qualification", [])]
    held = {code for one in kept if not _is_over(one) for code in professions_of([one["code"]])}
    fresh: list[Json] = [{"code": _profession(code)} for code in sorted(now - held)]
    changed = {**person, "qualification": [*kept, *fresh]}
    return changed if kept or fresh else person


def _ended_unless(qualification: Json, now: set[str], at: datetime | None) -> Json:
    codes = professions_of([qualification.get("code", {})])
    if at is None or not codes or codes & now or _is_over(qualification):
        return qualification
    return {**qualification, "period": _ended(qualification.get("period", {}), at)}


def role(practitioner_ref: str, exercise: Exercise, structure: str, *, at: datetime) -> Json:
    """Return the PractitionerRole of an exercise that begins to be known."""
    found: Json = {
        "resourceType": "PractitionerRole",
        "active": True,
        "period": {"start": _day(at)},
        "practitioner": {"reference": practitioner_ref},
        "code": [_profession(exercise.profession)],
    }
    if structure:
        found["organization"] = {"reference": structure}
    if exercise.specialty:
        found["specialty"] = [_specialty(exercise.specialty)]
    return found


def with_specialty(held: Json, specialty: str) -> Json:
    """Return a role with the specialty the token states, itself where it has it already."""
    codes = {
        coding.get("code") for one in held.get("specialty", []) for coding in one.get("coding", [])
    }
    return (
        held
        if not specialty or specialty in codes
        else {**held, "specialty": [_specialty(specialty)]}
    )


def ended(held: Json, *, at: datetime) -> Json:
    """Return a role whose profession is practised no more.

    Roles of Hygie's own and delegations are the operator's and the principals': where a role holds
    one of them too, the profession alone goes.
    """
    if not _is_of_others(held):
        return {**held, "active": False, "period": _ended(held.get("period", {}), at)}
    others = [one for one in held["code"] if not professions_of([one])]
    rest = {name: value for name, value in held.items() if name != "code"}
    return {**rest, "code": others} if others else rest


def _is_of_others(held: Json) -> bool:
    """Tell whether the operator or a principal has a say in a role too."""
    return _is_delegation(held) or bool(list(_codes(held["code"], OWN_ROLES)))


def _is_delegation(held: Json) -> bool:
    return any(one.get("url") == ACTING_UNDER for one in held.get("extension", []))


def is_proven_role(held: Json) -> bool:
    """Tell whether a role is a running one of the kind that a token proves."""
    running = held.get("active") is not False and not _is_over(held, but_for_delegation=True)
    return running and bool(professions_of(held.get("code", [])))


def regulates(held: Json) -> bool:
    """Tell whether a role is a running one of a regulating physician."""
    running = held.get("active") is not False and not _is_over(held)
    return running and REGULATOR in _codes(held.get("code", []), OWN_ROLES)


def place_of(held: Json) -> str:
    """Return the reference of the structure of a role, empty where it names none."""
    return str(held.get("organization", {}).get("reference", ""))


def professions_of(concepts: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the codes of TRE_G15 among concepts."""
    return set(_codes(concepts, PROFESSIONS))


def _codes(concepts: Sequence[Mapping[str, Any]], system: str) -> Iterator[str]:
    for one in concepts:
        for coding in one.get("coding", []):
            if coding.get("system") == system and coding.get("code"):
                yield str(coding["code"])


def _is_over(one: Json, *, but_for_delegation: bool = False) -> bool:
    """Tell whether an end was written; a delegation has one from its first day."""
    return "end" in one.get("period", {}) and not (but_for_delegation and _is_delegation(one))


def _ended(period: Json, at: datetime) -> Json:
    """Return a period that ended a second ago: the next request is already after it."""
    return {**period, "end": (at - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _profession(code: str) -> Json:
    return {"coding": [{"system": PROFESSIONS, "code": code}]}


def _specialty(code: str) -> Json:
    return {"coding": [{"system": SPECIALTIES, "code": code}]}


def _identifier(system: str, value: str) -> Json:
    return {"use": "official", "system": system, "value": value}
