"""Public listings: what a professional lets everybody read, chosen by them and ended at once.

A listing is shown while the role runs and somebody vouches for the professional: both are looked
up at each page, so whoever is struck off disappears with the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from hygie.domains.annuaire.fhir import listings, systems
from hygie.domains.annuaire.fhir.listings import Listed
from hygie.domains.annuaire.fhir.merging import is_running, practised
from hygie.domains.annuaire.fhir.reading import Place, Professional, Role, place, professional, role
from hygie.domains.annuaire.model.listing import Listing
from hygie.domains.annuaire.service.asking import (
    NOTHING_READ,
    Asked,
    Understood,
    listing_filters,
    read,
)
from hygie.domains.annuaire.service.reads import bodies, by_id, places_of, practitioner_of
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.fhir.verification import verification_of
from hygie.kernel.security.caller import Caller, job
from hygie.kernel.store import Repository, Visit
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.likeness import names_like

Json = dict[str, Any]
WRITER = job("annuaire")
"""Writes the listings that professionals choose, and who chose them."""
PUBLIC = job("public-annuaire")
"""Reads for who has not signed in: no line of the matrix, so the directory and nothing else."""
PAGE = 20
MOST_NAMES = 100
"""Listings that one name may fit: beyond, a longer name or a place is needed."""


@dataclass(frozen=True, slots=True)
class Own:
    """A role of the professional who asks, and what is public of it, None for nothing."""

    role: Role
    listing: Listing | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A listing with the place it names, None where the address is not public."""

    listed: Listed
    place: Place | None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of public listings; see ``finding.Answer``."""

    shown: tuple[Shown, ...] = ()
    words: Understood = NOTHING_READ
    after: str = ""
    cut: bool = False


async def mine(
    repository: Repository, caller: Caller, *, language: str, on: date
) -> tuple[Professional, list[Own]]:
    """Return the professional who asks and, role by role, what is public.

    Raises:
        NotFound: the caller is nobody of the directory.
    """
    async with repository.visit(caller) as visit:
        body = await _self(visit, caller)
        query = [("practitioner", caller.reference), ("active", "true"), ("_count", "100")]
        held = [one for one in await bodies(visit, "PractitionerRole", query) if _runs(one, on)]
        places = await places_of(visit, held)
        public = await _listings(visit, [one["id"] for one in held])
    found = [
        Own(role(one, places[one["id"]], language), _choice(public.get(one["id"]))) for one in held
    ]
    return professional(body, language), found


async def publish(
    repository: Repository, caller: Caller, rid: str, *, listing: Listing, at: datetime
) -> None:
    """Let everybody read what the professional chose of one of their roles.

    Raises:
        NotFound: it is no running role of the caller.
        Forbidden: nobody vouches for the professional yet.
        InvalidRequest: something of it cannot be shown.
    """
    chosen = listing.checked()
    async with repository.visit(caller) as visit:
        body = await _self(visit, caller)
        held = await _own_role(visit, caller, rid, on=at.date())
        stands = (await _listings(visit, [rid])).get(rid)
    if verification_of(body) is None:
        raise Forbidden(
            "Only a verified professional is listed: sign in with Pro Santé Connect or a CPS card."
        )
    wanted = listings.service(held, body, chosen)
    await _write(repository, caller, wanted, stands=stands, at=at)


async def withdraw(repository: Repository, caller: Caller, rid: str, *, at: datetime) -> None:
    """End a listing; nothing of it is public from the next page on.

    Raises:
        NotFound: it is no role of the caller.
    """
    async with repository.visit(caller) as visit:
        held = await _own_role(visit, caller, rid, on=None)
        stands = (await _listings(visit, [rid])).get(rid)
    if stands is not None:
        await _write(repository, caller, listings.withdrawn(held), stands=stands, at=at)


async def find_listed(visit: Visit, asked: Asked, *, language: str, on: date) -> Page:
    """Return one page of the public listings that are asked for.

    Raises:
        InvalidRequest: the name says too little, or a field cannot be read.
    """
    words = read(asked)
    if asked.is_empty or words.unknown:
        return Page(words=words)
    query = [("active", "true"), *listing_filters(asked, words), ("_total", "none")]
    if asked.text:
        names = await names_like(visit, "HealthcareService", asked.text, most=MOST_NAMES)
        if not names:
            return Page(words=words)
        query += [("_id", ",".join(names)), ("_count", str(MOST_NAMES))]
        found = {body["id"]: body for body in await bodies(visit, "HealthcareService", query)}
        ranked = [found[one] for one in names if one in found][:PAGE]
        shown = await _visible(visit, ranked, language=language, on=on)
        return Page(shown, words, cut=len(found) > PAGE)
    query += [("_count", str(PAGE))] + ([("_cursor", asked.after)] if asked.after else [])
    page = await visit.search("HealthcareService", query)
    held = [msgspec.json.decode(one.stored.body or b"{}") for one in page.entries]
    following = parse_qs(page.next or "").get("_cursor", [""])[0]
    return Page(await _visible(visit, held, language=language, on=on), words, following)


async def listed_one(visit: Visit, rid: str, *, language: str, on: date) -> Shown:
    """Return one public listing.

    Raises:
        NotFound: none of this id is public now.
    """
    query = [("_id", rid), ("active", "true"), ("_tag", f"{systems.LISTING_TAG}|{systems.LISTED}")]
    found = await bodies(visit, "HealthcareService", query)
    shown = await _visible(visit, found, language=language, on=on)
    if not shown:
        raise NotFound("Nothing public is here.")
    return shown[0]


async def _visible(visit: Visit, held: list[Json], *, language: str, on: date) -> tuple[Shown, ...]:
    """Return the listings of roles that run, of professionals for whom somebody vouches."""
    told = [listings.listed(one, language) for one in held]
    roles = await by_id(visit, "PractitionerRole", (one.role for one in told))
    people = await by_id(visit, "Practitioner", map(practitioner_of, roles.values()))
    running = {
        rid
        for rid, one in roles.items()
        if _runs(one, on) and _is_vouched(people.get(practitioner_of(one)))
    }
    told = [one for one in told if one.role in running]
    structures = await by_id(visit, "Organization", (one.organization for one in told))
    doors = await by_id(visit, "Location", (one.location for one in told))
    return tuple(
        Shown(one, _place(structures.get(one.organization), doors.get(one.location)))
        for one in told
    )


def _place(organization: Json | None, location: Json | None) -> Place | None:
    """Return an address without telephone: the number shown is the one that was chosen."""
    if organization is None:
        return None
    silent: Json = {"telecom": []}
    return place({**organization, **silent}, {**(location or {}), **silent})


def _is_vouched(person: Json | None) -> bool:
    return (
        person is not None
        and person.get("active") is not False
        and verification_of(person) is not None
    )


def _runs(held: Json, on: date) -> bool:
    return is_running(held, on=on) and bool(practised(held))


async def _self(visit: Visit, caller: Caller) -> Json:
    rt, _, rid = caller.reference.partition("/")
    found = await by_id(visit, "Practitioner", [rid]) if rt == "Practitioner" else {}
    if rid not in found:
        raise NotFound("You are not in the directory.")
    return found[rid]


async def _own_role(visit: Visit, caller: Caller, rid: str, *, on: date | None) -> Json:
    held = (await by_id(visit, "PractitionerRole", [rid])).get(rid)
    mine_ = held is not None and held["practitioner"].get("reference") == caller.reference
    if held is None or not mine_ or (on is not None and not _runs(held, on)):
        raise NotFound("This is no role of yours.")
    return held


async def _listings(visit: Visit, roles: list[str]) -> dict[str, Json]:
    if not roles:
        return {}
    named = ",".join(f"{systems.LISTING}|{one}" for one in roles)
    found = await bodies(visit, "HealthcareService", [("identifier", named), ("_count", "100")])
    return {body["identifier"][0]["value"]: body for body in found}


def _choice(body: Json | None) -> Listing | None:
    return listings.choice_of(body) if body and body.get("active") else None


async def _write(
    repository: Repository, caller: Caller, body: Json, *, stands: Json | None, at: datetime
) -> None:
    """Write a listing and who chose it, both or neither.

    Raises:
        Conflict: the listing changed in the meantime.
    """
    rt = body["resourceType"]
    if stands is None:
        own = body["identifier"][0]["value"]
        once = f"identifier={systems.LISTING}|{own}"
        first = Part(0, "POST", rt, None, (), listings.PLACE, _raw(body), if_none_exist=once)
    else:
        version, rid = stands["meta"]["versionId"], stands["id"]
        raw = _raw({**body, "id": rid})
        first = Part(0, "PUT", rt, rid, (), listings.PLACE, raw, if_match=f'W/"{version}"')
    told = listings.provenance(caller.reference, at=at, shown=bool(body["active"]))
    second = Part(1, "POST", "Provenance", None, (), None, _raw(told))
    await repository.transaction(WRITER, (first, second))


def _raw(body: Json) -> bytes:
    return msgspec.json.encode(body)
