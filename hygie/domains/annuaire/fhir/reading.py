"""From FHIR to what the pages show of a professional, of a place of practice, of a structure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.model.nomenclature import professions, specialties
from hygie.kernel.fhir.verification import Verification, verification_of

Json = dict[str, Any]
_TITLES = frozenset({"DR", "PR"})
_PRIVATE = frozenset({"home", "temp", "old"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody practises, or a structure: in words.

    Attributes:
        id: of the Organization, empty where the role names none.
    """

    id: str
    name: str
    lines: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    kinds: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """One place of practice of a professional."""

    id: str
    professions: tuple[str, ...]
    specialties: tuple[str, ...]
    place: Place
    mailboxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional as the directory shows one; ``verification`` is None where nobody vouches."""

    id: str
    name: str
    rpps: str
    professions: tuple[str, ...]
    specialties: tuple[str, ...]
    mailboxes: tuple[str, ...]
    verification: Verification | None


def professional(body: Json, language: str) -> Professional:
    """Return a Practitioner in words; professions that ended are left out."""
    running = [one for one in body.get("qualification", []) if "end" not in one.get("period", {})]
    concepts = [one.get("code", {}) for one in running]
    return Professional(
        str(body.get("id", "")),
        name_of(body),
        _value_of(body, systems.RPPS),
        labels(concepts, language),
        specialty_labels(concepts),
        mailboxes(body),
        verification_of(body),
    )


def role(body: Json, place: Place, language: str) -> Role:
    """Return a PractitionerRole in words, at a place that was read."""
    return Role(
        str(body.get("id", "")),
        labels(body.get("code", []), language),
        specialty_labels(body.get("specialty", [])),
        place,
        mailboxes(body),
    )


def place(organization: Json, location: Json | None = None) -> Place:
    """Return a structure in words; the Location's address is the one of the door."""
    held: Json = (location or {}).get("address") or next(
        (one for one in organization.get("address", []) if one.get("use") not in _PRIVATE), {}
    )
    city = " ".join(part for part in (held.get("postalCode"), held.get("city")) if part)
    kinds = [
        coding["display"]
        for concept in organization.get("type", [])
        for coding in concept.get("coding", [])
        if coding.get("display") and coding.get("system") in {systems.SECTORS, systems.CATEGORIES}
    ]
    numbers = [("FINESS", systems.FINESS), ("SIRET", systems.SIRET)]
    known = [(label, _value_of(organization, system)) for label, system in numbers]
    return Place(
        str(organization.get("id", "")),
        str(organization.get("name", "")),
        tuple(line for line in (*held.get("line", []), city) if line),
        phones(organization) or phones(location or {}),
        tuple((label, value) for label, value in known if value),
        tuple(kinds),
        mailboxes(organization),
    )


def name_of(body: Json) -> str:
    """Return the name of a Practitioner as it is said.

    >>> name_of({"name": [{"family": "Petit", "given": ["Hélène"], "suffix": ["DR"]}]})
    'Dr Hélène PETIT'
    """
    named = body.get("name") or [{}]
    one = next((name for name in named if name.get("use") == "usual"), named[0])
    given = [*one.get("prefix", []), *one.get("suffix", [])]
    title = next((each for each in given if each.upper() in _TITLES), "")
    parts = (title.capitalize(), *one.get("given", [])[:1], str(one.get("family", "")).upper())
    return " ".join(part for part in parts if part) or str(one.get("text", ""))


def codes_of(concepts: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return the system and code of every coding of some concepts."""
    return [
        (str(coding.get("system", "")), str(coding.get("code", "")))
        for concept in concepts
        for coding in concept.get("coding", [])
    ]


def labels(concepts: Iterable[Mapping[str, Any]], language: str) -> tuple[str, ...]:
    """Return the names of the professions among concepts, once each."""
    named = professions(language)
    found = [named.get(code, "") for system, code in codes_of(concepts) if _is_profession(system)]
    return tuple(dict.fromkeys(name for name in found if name))


def specialty_labels(concepts: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the French names of the know-how among concepts, once each."""
    found = [
        specialties()[code].label
        for system, code in codes_of(concepts)
        if system == systems.SPECIALTIES and code in specialties()
    ]
    return tuple(dict.fromkeys(found))


def mailboxes(body: Json) -> tuple[str, ...]:
    """Return the MSSanté addresses of a resource."""
    return tuple(
        str(one["value"])
        for one in body.get("telecom", [])
        if one.get("value") and any(_is_secure(extension) for extension in one.get("extension", []))
    )


def phones(body: Json) -> tuple[str, ...]:
    """Return the telephone numbers of a resource, private ones left out."""
    return tuple(
        str(one["value"])
        for one in body.get("telecom", [])
        if one.get("system") == "phone" and one.get("value") and one.get("use") not in _PRIVATE
    )


def _is_secure(extension: Mapping[str, Any]) -> bool:
    return (
        extension.get("url") == systems.EMAIL_TYPE
        and extension.get("valueCoding", {}).get("code") == "MSSANTE"
    )


def _is_profession(system: str) -> bool:
    return system == systems.PROFESSIONS


def _value_of(body: Json, system: str) -> str:
    return next(
        (
            str(one.get("value"))
            for one in body.get("identifier", [])
            if one.get("system") == system
        ),
        "",
    )
