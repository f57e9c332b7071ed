"""The whole compartment of one patient, as one caller may see it: resources and earlier versions.

Rows come through a cursor, so that a record of any size takes bounded memory. The decision stands
in the statement like in any other; an earlier version is shown only where the caller may read that
version and what the resource is now, so that a label set later hides what came before it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from asyncpg import Record

from hygie.kernel.errors import NotFound
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.security.decision import decide
from hygie.kernel.security.matters import PERSONAL, holds
from hygie.kernel.security.relations import Relation
from hygie.kernel.store.ids import check_id, id_of, key_of
from hygie.kernel.store.model import HistoryEntry, Stored
from hygie.kernel.store.scoping import NO_TOKENS
from hygie.kernel.store.search.sql import Sql

if TYPE_CHECKING:
    from hygie.kernel.store.repository import Repository
    from hygie.kernel.store.visits import Visit

AT_ONCE = 200
_MINE = "(v.pat = {pat} OR v.others @> ARRAY[{pat}])"
_COLUMNS = "v.rt, v.uid, v.rid, v.ver, v.upd, v.pat, v.body"


@dataclass(frozen=True, slots=True)
class Held:
    """One resource that is held of a patient.

    Attributes:
        reference: literal reference.
        structure: reference of the Organization that keeps it, empty where none is named.
        at: its main date in the time zone of the site, None where it has none.
        personal: whether the person left it in the record.
        alone: whether it is about nobody else.
    """

    reference: str
    structure: str
    at: datetime | None
    personal: bool
    alone: bool


class Compartment:
    """What one caller may see of one patient, inside an open visit."""

    def __init__(self, repository: Repository, visit: Visit, patient: str, number: int) -> None:
        self.patient = patient
        self.number = number
        self._bodies = repository.bodies
        self._visit = visit
        self._zone = repository.site.zone
        self._policy = repository.law.policies.read

    async def current(self) -> AsyncIterator[Stored]:
        """Yield every current resource, by type, then in the order they were first written."""
        sql = Sql()
        seen = self._seen(sql)
        text = (
            f"SELECT {_COLUMNS}, FALSE AS deletion FROM resource v WHERE "
            f"{self._mine(sql)} AND {seen('v')} ORDER BY v.rt, v.key"
        )
        async for _, stored in self._stored(text, sql):
            yield stored

    async def earlier(self) -> AsyncIterator[HistoryEntry]:
        """Yield earlier versions and deletions, by type, resource and version.

        Deletions are told to the person alone: what is gone has no label of today to judge by.
        """
        text, sql = self._earlier(f"{_COLUMNS}, v.deletion")
        text += " ORDER BY v.rt, v.key, v.ver"
        async for row, stored in self._stored(text, sql):
            if row["deletion"]:
                yield HistoryEntry(stored, "DELETE")
            else:
                yield HistoryEntry(stored, "POST" if row["ver"] == 1 else "PUT")

    def _earlier(self, columns: str) -> tuple[str, Sql]:
        """Return the statement of earlier versions and deletions, in no order."""
        sql = Sql()
        seen = self._seen(sql)
        still = (
            f"EXISTS (SELECT 1 FROM resource n WHERE n.part = v.part AND n.key = v.key "
            f"AND {seen('n')})"
        )
        if self.own:
            still = (
                f"({still} OR NOT EXISTS "
                "(SELECT 1 FROM resource n WHERE n.part = v.part AND n.key = v.key))"
            )
        text = (
            f"SELECT {columns} FROM resource_history v WHERE {self._mine(sql)} "
            f"AND {seen('v')} AND {still}"
        )
        return text, sql

    @property
    def own(self) -> bool:
        """Tell whether the caller is the person of the record."""
        return self._visit.caller.party == self.number

    async def relations(self) -> frozenset[Relation]:
        """Return what the caller is to the patient now; a parent counts while they are a minor."""
        rows = await self._visit.connection.fetch(
            "SELECT DISTINCT kind FROM care_relation WHERE pat = $1 AND member = ANY ($2) "
            "AND now() >= starts AND now() < ends",
            self.number,
            [0, self._visit.caller.party],
        )
        found = {Relation(row["kind"]) for row in rows}
        if Relation.MINOR not in found:
            found.discard(Relation.PARENT)
        return frozenset(found)

    async def held(self) -> list[Held]:
        """Return what is held of the patient without its content, for decisions on retention."""
        sql = Sql()
        seen = self._seen(sql)
        text = (
            "SELECT v.rt, v.uid, v.rid, v.d, v.matter, v.author = v.pat AS own, "
            f"v.others IS NULL AND v.pat = {sql.bind(self.number)}::integer AS alone, "
            "s.rid AS srid, s.uid AS suid "
            "FROM resource v LEFT JOIN party s ON s.num = v.structure "
            f"WHERE {self._mine(sql)} AND {seen('v')} ORDER BY v.rt, v.key"
        )
        return [_held(row, self._zone) async for rows in self._pages(text, sql) for row in rows]

    async def versions(self) -> set[str]:
        """Return the references, with their versions, of all that the caller sees now.

        Current and earlier versions; not deletions.
        """
        sql = Sql()
        seen = self._seen(sql)
        current = (
            f"SELECT v.rt, v.uid, v.rid, v.ver FROM resource v WHERE {self._mine(sql)} "
            f"AND {seen('v')}"
        )
        found = {_versioned(row) async for rows in self._pages(current, sql) for row in rows}
        text, sql = self._earlier("v.rt, v.uid, v.rid, v.ver")
        text += " AND NOT v.deletion"
        found |= {_versioned(row) async for rows in self._pages(text, sql) for row in rows}
        return found

    async def began(self, relation: Relation) -> datetime | None:
        """Return since when something holds of the record, None where it does not hold now."""
        since: datetime | None = await self._visit.connection.fetchval(
            "SELECT min(starts) FROM care_relation WHERE pat = $1 AND member = 0 AND kind = $2 "
            "AND now() >= starts AND now() < ends",
            self.number,
            int(relation),
        )
        return since

    async def _stored(self, text: str, sql: Sql) -> AsyncIterator[tuple[Record, Stored]]:
        async for rows in self._pages(text, sql):
            keys = await self._bodies.keys([row for row in rows if not row["deletion"]])
            for row in rows:
                body = None if row["deletion"] else await self._bodies.load(row, keys)
                rid = id_of(row["uid"], row["rid"])
                yield row, Stored(type_name(row["rt"]), rid, row["ver"], row["upd"], body)

    async def _pages(self, text: str, sql: Sql) -> AsyncIterator[list[Record]]:
        cursor = await self._visit.connection.cursor(text, *sql.values)
        while rows := await cursor.fetch(AT_ONCE):
            yield rows

    def _seen(self, sql: Sql) -> Callable[[str], str]:
        """Return what prints the condition that the caller may see a row, from its alias."""
        decision = decide(self._visit.caller, directory=False, policy=self._policy)
        return partial(decision.predicate, bind=sql.bind, tokens=NO_TOKENS)

    def _mine(self, sql: Sql) -> str:
        return _MINE.format(pat=f"{sql.bind(self.number)}::integer")


def _versioned(row: Record) -> str:
    return f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}/_history/{row['ver']}"


def _held(row: Record, zone: tzinfo) -> Held:
    structure = f"Organization/{id_of(row['suid'], row['srid'])}" if row["suid"] else ""
    return Held(
        f"{type_name(row['rt'])}/{id_of(row['uid'], row['rid'])}",
        structure,
        row["d"].astimezone(zone) if row["d"] else None,
        bool(row["own"]) and holds(PERSONAL, row["matter"]),
        row["alone"],
    )


async def compartment(repository: Repository, visit: Visit, patient: str) -> Compartment:
    """Return the compartment of a patient whose Patient resource the caller may read.

    The visit traces one access to the patient's data.

    Raises:
        Forbidden: an application whose scopes do not reach every type.
        NotFound: nothing of this patient is visible to the caller.
    """
    if visit.caller.limit is not None:
        visit.caller.limit.check_whole()
    await visit.read("Patient", check_id(patient))
    number = await visit.connection.fetchval(
        "SELECT num FROM party WHERE rt = $1::smallint AND uid = $2::uuid",
        type_number("Patient"),
        key_of(patient)[0],
    )
    if number is None:
        raise NotFound(f"Patient/{patient} is not known here.")
    return Compartment(repository, visit, patient, number)
