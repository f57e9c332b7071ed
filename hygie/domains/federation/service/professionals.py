"""Bring what the store says of a professional up to date with what the token proves.

A named job with the least it needs: it writes Practitioner, PractitionerRole and Organization,
and in them nothing that opens a record. It writes where something differs and nowhere else.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.domains.federation import fhir
from hygie.domains.federation.fhir import Json
from hygie.domains.federation.model.exercises import Exercise, Place, Professional
from hygie.kernel.errors import Conflict
from hygie.kernel.fhir.verification import verified
from hygie.kernel.security.caller import job
from hygie.kernel.store import Repository
from hygie.kernel.store.model import Stored

log = logging.getLogger(__name__)
CALLER = job("professionals")
MOST = "200"


@dataclass(frozen=True, slots=True)
class Post:
    """An exercise as the store knows it: its structure's reference, empty where it has none."""

    exercise: Exercise
    structure: str


@dataclass(frozen=True, slots=True)
class UpToDate:
    """A professional of the store after the update.

    Attributes:
        posts: the exercises that the token proves.
        regulation: the posts of a regulating physician that the operator wrote; the token says at
            each sign-in whether they count (``AccesRegulationMedicale``).
        writes: how many resources were written.
    """

    reference: str
    posts: tuple[Post, ...]
    regulation: tuple[Post, ...]
    writes: int


async def find(repository: Repository, professional: Professional) -> Stored | None:
    """Return the Practitioner with the token's national number or RPPS, None where nobody has it.

    Raises:
        Conflict: several have; the directory must be put right first.
    """
    found: dict[str, Stored] = {}
    for system, value in fhir.identifiers_of(professional):
        query = [("identifier", f"{system}|{value}"), ("_count", "3")]
        for entry in (await repository.search(CALLER, "Practitioner", query)).entries:
            found[entry.stored.reference] = entry.stored
    if len(found) > 1:
        raise Conflict("Several people of the directory have this national number.")
    return next(iter(found.values()), None)


async def register(repository: Repository, professional: Professional) -> Stored:
    """Write a professional whom the directory does not know, where the settings allow it."""
    raw = msgspec.json.encode(fhir.practitioner(professional))
    system, value = fhir.identifiers_of(professional)[0]
    once = f"identifier={system}|{value}"
    written = await repository.create(CALLER, "Practitioner", raw, if_none_exist=once)
    log.info("federation.professional_registered", extra={"id": written.stored.rid})
    return written.stored


async def bring_up_to_date(
    repository: Repository, stored: Stored, professional: Professional, *, at: datetime
) -> UpToDate:
    """Write what the token proves: roles that began, roles that ended, professions.

    The access rules read the roles at each request, so whoever lost one is refused from the next.
    """
    writes = await _update(
        repository,
        stored,
        lambda person: verified(
            fhir.with_professions(person, professional, at=at), "pro-sante-connect", on=at.date()
        ),
    )
    posts = tuple(
        [
            Post(one, await _structure(repository, one.place) if one.place else "")
            for one in professional.exercises
        ]
    )
    wanted = {(post.exercise.profession, post.structure): post for post in posts}
    placed: set[str] = set()
    regulation: list[Post] = []
    for held in await _roles(repository, stored.reference):
        body = _body(held)
        if fhir.regulates(body):
            regulation.append(_regulation(body))
        if not fhir.is_proven_role(body):
            continue
        placed |= fhir.professions_of(body["code"])
        keys = {(code, fhir.place_of(body)) for code in fhir.professions_of(body["code"])}
        kept = _matching(wanted, keys)
        writes += await _keep_or_end(repository, held, kept, at=at)
    for post in wanted.values():
        if not post.structure and post.exercise.profession in placed:
            continue
        fresh = fhir.role(stored.reference, post.exercise, post.structure, at=at)
        await repository.create(CALLER, "PractitionerRole", msgspec.json.encode(fresh))
        writes += 1
    if writes:
        log.info("federation.professional_updated", extra={"id": stored.rid, "writes": writes})
    return UpToDate(stored.reference, posts, tuple(regulation), writes)


def _regulation(held: Json) -> Post:
    name = str(held.get("organization", {}).get("display", ""))
    place = Place(name=name) if name else None
    return Post(Exercise(fhir.REGULATOR, "", place), fhir.place_of(held))


def _matching(wanted: dict[tuple[str, str], Post], keys: set[tuple[str, str]]) -> Post | None:
    """Return the exercise that a held role is of, and take it off what is wanted.

    A token that names no structure says nothing of where: roles of the profession stay.
    """
    for key in keys:
        if key in wanted:
            return wanted.pop(key)
    anywhere = (wanted.get((profession, "")) for profession, _ in keys)
    return next((post for post in anywhere if post is not None), None)


async def _keep_or_end(
    repository: Repository, held: Stored, kept: Post | None, *, at: datetime
) -> int:
    if kept is None:
        return await _update(repository, held, lambda body: fhir.ended(body, at=at))
    specialty = kept.exercise.specialty
    return await _update(repository, held, lambda body: fhir.with_specialty(body, specialty))


async def _roles(repository: Repository, practitioner: str) -> list[Stored]:
    query = [("practitioner", practitioner), ("_count", MOST)]
    found = await repository.search(CALLER, "PractitionerRole", query)
    return [entry.stored for entry in found.entries]


async def _structure(repository: Repository, place: Place) -> str:
    """Return the reference of a structure, written when the directory does not know it."""
    identifiers = fhir.place_identifiers(place)
    for system, value in identifiers:
        query = [("identifier", f"{system}|{value}"), ("_count", "1")]
        found = await repository.search(CALLER, "Organization", query)
        if found.entries:
            return found.entries[0].stored.reference
    raw = msgspec.json.encode(fhir.organization(place))
    once = "identifier={}|{}".format(*identifiers[0])
    written = await repository.create(CALLER, "Organization", raw, if_none_exist=once)
    return written.stored.reference


async def _update(repository: Repository, stored: Stored, change: fhir.Change) -> int:
    before = _body(stored)
    after = change(before)
    if after == before:
        return 0
    raw = msgspec.json.encode({**after, "id": stored.rid})
    await repository.update(CALLER, stored.rt, stored.rid, raw, if_match=stored.version)
    return 1


def _body(stored: Stored) -> Json:
    """Return a resource without what the server writes, keeping its labels and profiles."""
    body: Json = msgspec.json.decode(stored.body or b"{}")
    written = {"versionId", "lastUpdated"}
    meta = {name: value for name, value in body.pop("meta", {}).items() if name not in written}
    return {**body, "meta": meta} if meta else body
