"""Organizations, locations, practitioners and their roles, as the health directory has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hygie.demo.fhir.parts import (
    CORE_IDENTIFIER_TYPE,
    HL7,
    Chart,
    Json,
    coding,
    concept,
    meta,
    period,
    ref,
)
from hygie.demo.places import Home
from hygie.demo.rows import Place, Profession
from hygie.domains.annuaire.fhir.listings import service
from hygie.domains.annuaire.fhir.systems import COMMUNES
from hygie.domains.annuaire.model.listing import Listing, Sector
from hygie.domains.consent.fhir.codes import ACTING_UNDER, ROLE
from hygie.kernel.fhir.verification import verified

PROFESSIONS = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
SPECIALTIES = (
    "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
)
SECTORS = "https://mos.esante.gouv.fr/NOS/TRE_R02-SecteurActivite/FHIR/TRE-R02-SecteurActivite"
RPPS = "https://rpps.esante.gouv.fr"
FINESS = "https://finess.esante.gouv.fr"
EXTRACTED = date(2026, 11, 2)
"""Day of the invented extraction of the national directory."""
LISTED = frozenset({"cabinet", "pharmacie"})
"""Kinds of places whose people chose to be in the public annuaire."""


@dataclass(frozen=True, slots=True)
class Site:
    """An organisation, its place and what documents say of it."""

    reference: str
    location: str
    name: str
    kind: Place
    commune: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """A professional at work in an organisation."""

    practitioner: str
    role: str
    name: str
    profession: Profession
    site: Site


def write_site(  # noqa: PLR0913 - one argument per element that varies
    chart: Chart, key: str, kind: Place, *, name: str, finess: str, home: Home, phone: str
) -> Site:
    """Write an Organization, with its FINESS number when it has one, and its Location."""
    organization: Json = {
        "meta": meta("fr-core-organization"),
        "active": True,
        "type": [
            concept(HL7 + "organization-type", kind.type, kind.type_label),
            concept(SECTORS, kind.sector, kind.sector_label),
        ],
        "name": name,
        "telecom": [{"system": "phone", "value": phone, "use": "work"}],
        "address": [address(home, "work")],
    }
    if finess:
        organization["identifier"] = [
            {
                "use": "official",
                "type": concept(CORE_IDENTIFIER_TYPE, "FINEG"),
                "system": FINESS,
                "value": finess,
            }
        ]
    reference = chart.add(
        "Organization", organization, reference=chart.reserve("Organization", key)
    )
    location = chart.add(
        "Location",
        {
            "status": "active",
            "name": name,
            "mode": "instance",
            "address": address(home, "work"),
            "managingOrganization": ref(reference),
        },
        reference=chart.reserve("Location", key),
    )
    return Site(reference, location, name, kind, home.commune)


def write_post(
    chart: Chart, key: str, profession: Profession, *, who: Json, rpps: str, site: Site
) -> Post:
    """Write a Practitioner (``who`` has name and gender) and the PractitionerRole at a site."""
    name = f"{profession.title} {who['given']} {who['family']}".strip()
    person = _person(who, profession, name=name, rpps=rpps)
    practitioner = chart.add("Practitioner", person, reference=chart.reserve("Practitioner", key))
    tag = {"system": COMMUNES, "code": site.commune}
    role: Json = {
        "meta": {**meta("fr-core-practitioner-role"), "tag": [tag]},
        "active": True,
        "practitioner": ref(practitioner, name),
        "organization": ref(site.reference, site.name),
        "code": [_profession(profession)],
        "location": [ref(site.location)],
    }
    if profession.specialty:
        role["specialty"] = [concept(SPECIALTIES, profession.specialty, profession.specialty_label)]
    role_reference = chart.add(
        "PractitionerRole", role, reference=chart.reserve("PractitionerRole", key)
    )
    if site.kind.place in LISTED:
        chosen = Listing(address=True, languages=("fr",), sector=Sector.ONE)
        listed = {**role, "id": role_reference.partition("/")[2]}
        chart.add(
            "HealthcareService",
            {
                name: value
                for name, value in service(listed, person, chosen).items()
                if name != "resourceType"
            },
            reference=chart.reserve("HealthcareService", key),
        )
    return Post(practitioner, role_reference, name, profession, site)


def _person(who: Json, profession: Profession, *, name: str, rpps: str) -> Json:
    """Return a professional for whom the national directory vouches, without an id."""
    body: Json = {
        "meta": meta("fr-core-practitioner"),
        "identifier": [
            {
                "use": "official",
                "type": concept(CORE_IDENTIFIER_TYPE, "RPPS"),
                "system": RPPS,
                "value": rpps,
            }
        ],
        "active": True,
        "name": [_name(who, profession, name)],
        "telecom": [{"system": "email", "value": who["email"], "use": "work"}],
        "gender": who["sex"],
        "qualification": [{"code": _profession(profession)}],
    }
    return verified(body, "annuaire", on=EXTRACTED)


def write_staff(chart: Chart, key: str, who: Json, *, label: str, site: Site) -> str:
    """Write somebody of an organisation who treats nobody; return the Practitioner reference."""
    name = f"{who['given']} {who['family']}"
    practitioner = chart.add(
        "Practitioner",
        {
            "active": True,
            "name": [{"text": name, "family": who["family"], "given": [who["given"]]}],
            "telecom": [{"system": "email", "value": who["email"], "use": "work"}],
            "gender": who["sex"],
        },
        reference=chart.reserve("Practitioner", key),
    )
    chart.add(
        "PractitionerRole",
        {
            "active": True,
            "practitioner": ref(practitioner, name),
            "organization": ref(site.reference, site.name),
            "code": [{"text": label}],
        },
        reference=chart.reserve("PractitionerRole", key),
    )
    return practitioner


@dataclass(frozen=True, slots=True)
class Appointment:
    """Somebody with a role of our own in the access matrix, perhaps under a professional."""

    who: Json
    label: str
    role: str
    profession: str = ""
    under: str = ""
    under_name: str = ""


def write_appointed(chart: Chart, key: str, post: Appointment, *, site: Site, today: date) -> None:
    """Write a Practitioner and the role they have, for a time where it is under somebody."""
    who = post.who
    title = "Dr " if post.profession else ""
    name = f"{title}{who['given']} {who['family']}"
    person: Json = {
        "active": True,
        "name": [{"text": name, "family": who["family"], "given": [who["given"]]}],
        "telecom": [{"system": "email", "value": who["email"], "use": "work"}],
        "gender": who["sex"],
    }
    if post.profession:
        person["qualification"] = [{"code": concept(PROFESSIONS, post.profession, "Médecin")}]
    practitioner = chart.add("Practitioner", person, reference=chart.reserve("Practitioner", key))
    role: Json = {
        "active": True,
        "practitioner": ref(practitioner, name),
        "organization": ref(site.reference, site.name),
        "code": [concept(ROLE, post.role, text=post.label)],
    }
    if post.under:
        role["extension"] = [
            {"url": ACTING_UNDER, "valueReference": ref(post.under, post.under_name)}
        ]
        end = today + timedelta(days=365)
        role["period"] = period((today - timedelta(days=200)).isoformat(), end.isoformat())
    chart.add("PractitionerRole", role, reference=chart.reserve("PractitionerRole", key))


def write_payer(chart: Chart, key: str, name: str, *, compulsory: bool) -> str:
    """Write an insurer; return its reference."""
    kind = "govt" if compulsory else "ins"
    return chart.add(
        "Organization",
        {
            "meta": meta("fr-core-organization"),
            "active": True,
            "type": [concept(HL7 + "organization-type", kind)],
            "name": name,
        },
        reference=chart.reserve("Organization", key),
    )


def address(home: Home, use: str) -> Json:
    """Return an Address of FR Core, with the INSEE code of the commune."""
    return {
        "extension": [insee_code(home.commune)],
        "use": use,
        "line": [home.line],
        "city": home.city,
        "postalCode": home.postal_code,
        "country": "FRA",
    }


def insee_code(code: str) -> Json:
    """Return the FR Core extension that carries the INSEE code of a commune or country."""
    return {
        "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",
        "valueCoding": coding(
            "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM", code
        ),
    }


def _name(who: Json, profession: Profession, text: str) -> Json:
    prefix = "MME" if who["sex"] == "female" else "M"
    name: Json = {
        "text": text,
        "family": who["family"],
        "given": [who["given"]],
        "prefix": [prefix],
    }
    if profession.title:
        name["suffix"] = [profession.title.upper()]
    return name


def _profession(profession: Profession) -> Json:
    return concept(PROFESSIONS, profession.profession, profession.label)
