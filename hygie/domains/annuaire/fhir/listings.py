"""A public listing as HealthcareService: what one professional lets everybody read of one role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hygie.domains.annuaire.fhir import systems
from hygie.domains.annuaire.fhir.merging import practised
from hygie.domains.annuaire.fhir.reading import codes_of, labels, name_of, specialty_labels
from hygie.domains.annuaire.model.listing import Access, Listing, Sector

Json = dict[str, Any]
_LANGUAGES = "urn:ietf:bcp:47"
PLACE = "urn:uuid:0a2f3d1c-8f5e-4c39-9a1e-6f2f6b1f0031"
"""Stands for the listing inside the transaction that writes it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A public listing as a page shows it.

    Attributes:
        id: of the HealthcareService.
        role: id of the PractitionerRole.
        organization: id of the structure where the address is public, empty elsewhere.
    """

    id: str
    role: str
    name: str
    professions: tuple[str, ...]
    specialties: tuple[str, ...]
    organization: str
    location: str
    listing: Listing


def service(role: Json, practitioner: Json, listing: Listing) -> Json:
    """Return the HealthcareService of a role: what was chosen and nothing else."""
    mine = [one for one in role.get("code", []) if practised({"code": [one]})]
    tags = [{"system": systems.LISTING_TAG, "code": systems.LISTED}]
    found: Json = _named(role) | {
        "active": True,
        "type": mine,
        "specialty": role.get("specialty", []),
        "name": name_of(practitioner),
        "telecom": [{"system": "phone", "value": listing.phone}] if listing.phone else [],
        "communication": [_coded(_LANGUAGES, code) for code in listing.languages],
        "characteristic": _characteristics(listing),
    }
    if listing.address:
        found["providedBy"] = role.get("organization", {})
        found["location"] = role.get("location", [])
        held = role.get("meta", {}).get("tag", [])
        tags += [one for one in held if one.get("system") == systems.COMMUNES]
    if listing.fees:
        found["extraDetails"] = listing.fees
    if listing.booking:
        found["extension"].append({"url": systems.BOOKING, "valueUrl": listing.booking})
    found["meta"] = {"tag": tags}
    return {name: value for name, value in found.items() if value not in ({}, [])}


def withdrawn(role: Json) -> Json:
    """Return the HealthcareService of a role that is public no more: it says nothing."""
    return _named(role) | {"active": False}


def provenance(who: str, *, at: datetime, shown: bool) -> Json:
    """Return who chose what is public, and when."""
    told = (
        "The professional chose what is public" if shown else "The professional ended the listing"
    )
    return {
        "resourceType": "Provenance",
        "target": [{"reference": PLACE}],
        "recorded": at.isoformat(timespec="seconds"),
        "activity": {"text": told},
        "agent": [{"who": {"reference": who}}],
    }


def listed(body: Json, language: str) -> Listed:
    """Return a HealthcareService in words."""
    extensions = {one.get("url"): one for one in body.get("extension", [])}
    role = extensions.get(systems.LISTED_ROLE, {}).get("valueReference", {}).get("reference", "")
    place = body.get("providedBy", {}).get("reference", "")
    door = next((one.get("reference", "") for one in body.get("location", [])), "")
    return Listed(
        str(body["id"]),
        role.partition("/")[2],
        str(body.get("name", "")),
        labels(body.get("type", []), language),
        specialty_labels(body.get("specialty", [])),
        place.partition("/")[2],
        door.partition("/")[2],
        choice_of(body),
    )


def choice_of(body: Json) -> Listing:
    """Return what was chosen, from the HealthcareService it was written in."""
    extensions = {one.get("url"): one for one in body.get("extension", [])}
    characteristics = codes_of(body.get("characteristic", []))
    sector = next((code for system, code in characteristics if system == systems.CONVENTION), "")
    return Listing(
        address="providedBy" in body or "location" in body,
        phone=next((str(one.get("value", "")) for one in body.get("telecom", [])), ""),
        languages=tuple(code for _, code in codes_of(body.get("communication", []))),
        accessibility=tuple(
            Access(code) for system, code in characteristics if system == systems.ACCESSIBILITY
        ),
        sector=Sector(sector) if sector else None,
        fees=str(body.get("extraDetails", "")),
        booking=str(extensions.get(systems.BOOKING, {}).get("valueUrl", "")),
    )


def _named(role: Json) -> Json:
    reference = f"PractitionerRole/{role['id']}"
    return {
        "resourceType": "HealthcareService",
        "extension": [{"url": systems.LISTED_ROLE, "valueReference": {"reference": reference}}],
        "identifier": [{"system": systems.LISTING, "value": role["id"]}],
    }


def _characteristics(listing: Listing) -> list[Json]:
    found = [_coded(systems.ACCESSIBILITY, one.value) for one in listing.accessibility]
    return [*found, _coded(systems.CONVENTION, listing.sector)] if listing.sector else found


def _coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": str(code)}]}
