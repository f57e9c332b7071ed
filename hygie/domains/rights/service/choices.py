"""Restriction and objection to secondary use: the person states them, and they act at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.domains.rights.fhir.choices import CHOICES, RESEARCH, RESTRICTION, consent_of
from hygie.domains.rights.service.copying import check_may_ask
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import Caller
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository
from hygie.kernel.store.compartments import compartment
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.tracing import Request

RELATIONS = {RESTRICTION: Relation.RESTRICTED, RESEARCH: Relation.REFUSES_RESEARCH}


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of a record now.

    Attributes:
        restricted: since when processing is restricted, None where it is not.
        objected: since when research is refused, None where it is not.
    """

    restricted: datetime | None
    objected: datetime | None


async def standing(repository: Repository, caller: Caller, patient: str) -> Standing:
    """Return the restriction and the objection that hold now.

    Raises:
        NotFound: nothing of this patient is visible to the caller.
        Forbidden: the caller is neither the person nor a representative who manages.
    """
    async with repository.visit(caller, request=Request("search-type")) as visit:
        place = await compartment(repository, visit, patient)
        await check_may_ask(place, kind=caller.kind)
        return Standing(
            await place.began(Relation.RESTRICTED), await place.began(Relation.REFUSES_RESEARCH)
        )


async def choose(
    repository: Repository, caller: Caller, patient: str, *, choice: str, on: bool, at: datetime
) -> None:
    """State or withdraw a restriction or an objection; it acts on the next statement.

    Raises:
        NotFound: nothing of this patient is visible to the caller.
        Forbidden: the caller may not choose for this person.
    """
    await standing(repository, caller, patient)
    query = [("patient", patient), ("category", f"{CHOICES}|{choice}"), ("status", "active")]
    found = await repository.search(caller, "Consent", query)
    if on and not found.entries:
        body = consent_of(choice, patient=patient, by=caller.reference, at=at, active=True)
        await repository.create(caller, "Consent", msgspec.json.encode(body))
    for entry in found.entries if not on else ():
        body = consent_of(choice, patient=patient, by=caller.reference, at=at, active=False)
        raw = msgspec.json.encode({**body, "id": entry.stored.rid})
        await repository.update(
            caller, "Consent", entry.stored.rid, raw, if_match=entry.stored.version
        )


async def objections(repository: Repository) -> AsyncIterator[str]:
    """Yield the reference of each Patient whose data no release may hold, as of now.

    The warehouse asks at each release; what is stated before a release is not in it.
    """
    async with repository.database.transaction(system=True) as connection:
        cursor = await connection.cursor(
            "SELECT DISTINCT p.num, p.rt, p.uid, p.rid FROM care_relation c "
            "JOIN party p ON p.num = c.pat WHERE c.kind = ANY ($1::smallint[]) "
            "AND now() >= c.starts AND now() < c.ends ORDER BY p.num",
            [Relation.REFUSES_RESEARCH, Relation.RESTRICTED, Relation.OPPOSED],
        )
        while rows := await cursor.fetch(1_000):
            for row in rows:
                yield f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}"


@dataclass(frozen=True, slots=True)
class Release:
    """One release of data for research; ``objectors`` were left out of it."""

    at: datetime
    name: str
    purpose: str
    recipient: str
    objectors: int


async def record_release(
    repository: Repository, *, name: str, purpose: str, recipient: str
) -> Release:
    """Write down that data was released, to whom and why, leaving out who objects now."""
    left_out = [one async for one in objections(repository)]
    async with repository.database.transaction(system=True) as connection:
        at: datetime = await connection.fetchval(
            "INSERT INTO data_release (name, purpose, recipient, objectors) "
            "VALUES ($1, $2, $3, $4) RETURNING at",
            name,
            purpose,
            recipient,
            len(left_out),
        )
    return Release(at, name, purpose, recipient, len(left_out))


async def releases(repository: Repository) -> list[Release]:
    """Return every release, newest first: what an objection came too late for."""
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT at, name, purpose, recipient, objectors FROM data_release ORDER BY at DESC"
        )
    return [Release(*row.values()) for row in rows]
