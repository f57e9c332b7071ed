"""Bring what stands beside the bodies up to date with this programme: ``hygie reindex``.

A new version of Hygie may index more, project other facts, know more matters or let labels reach
further. This walks over every resource in the order of its key, prepares it anew from its body and
changes what differs: columns and search values, facts, labels. No version is made and no body
changes. It goes on where it was interrupted, while requests are served, as a named job that is
traced once a batch with the patients it looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.database.roles import LOADER
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import job
from hygie.kernel.store import rows
from hygie.kernel.store.change import Change, Permit
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.loading.marks import Mark, read_mark, write_marks
from hygie.kernel.store.loading.upkeep import analyze
from hygie.kernel.store.locking import lock, stated_by
from hygie.kernel.store.parties import Parties
from hygie.kernel.store.prepare import prepare
from hygie.kernel.store.reach import reaching
from hygie.kernel.store.rows import Version
from hygie.kernel.store.spreading import Held, hold_more, hold_records, spread
from hygie.kernel.store.tracing import Request, Touched, trace_one
from hygie.kernel.store.units import Units
from hygie.kernel.store.versions import rewrite

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.repository import Repository

REINDEX = job("reindex")
BATCH = 200
RULE = "reindex"
_SOURCE = "reindex"
_NEXT = """
SELECT r.rt, r.uid, r.rid, r.key, r.pat, r.others FROM resource r
WHERE r.key > $1 ORDER BY r.key LIMIT $2
"""
_STANDING = f"""
SELECT r.xid, {", ".join(f"r.{name}" for name, _ in rows.RESOURCE)}, r.own_label
FROM resource r WHERE r.key = ANY ($1::bigint[]) ORDER BY r.key
"""
_SIDE = "SELECT {columns} FROM {table} WHERE key = ANY ($1::bigint[])"
# What a version is about does not change with time; before matters were known it was 0.
_EARLIER = """
UPDATE resource_history h SET matter = r.matter FROM resource r
WHERE r.key = ANY ($1::bigint[]) AND h.key = r.key AND h.matter = 0 AND r.matter <> 0
"""

Show = Callable[["Reindexed"], None]


@dataclass(slots=True)
class Reindexed:
    """What was done so far.

    Attributes:
        seen: resources prepared anew.
        changed: those of which something differed.
        refused: references of those that this programme would no longer take, as they are.
        last: key of the last one.
    """

    seen: int
    changed: int
    refused: list[str]
    last: int


async def reindex(
    repository: Repository, *, show: Show | None = None, batch: int = BATCH
) -> Reindexed:
    """Bring every resource up to date; return what was done since this call.

    Raises:
        Unavailable: the database went away; start it again to go on.
    """
    database = await Database.open(repository.database.dsn, role=LOADER, size=1)
    try:
        async with database.connection() as connection:
            mark = await read_mark(connection, _SOURCE)
            done = Reindexed(0, 0, [], 0 if mark.ended else mark.entries)
            walk = _Walk(repository, connection, Request("update"), done)
            while await walk.step(batch):
                if show is not None:
                    show(done)
            await write_marks(connection, [Mark(_SOURCE, done.last, ended=True)])
            await analyze(repository.database.dsn, connection)
        return done
    finally:
        await database.close()


@dataclass(slots=True)
class _Walk:
    repository: Repository
    connection: Connection
    request: Request
    done: Reindexed

    async def step(self, size: int) -> bool:
        """Bring the next resources up to date in one transaction; False when there are none."""
        found = await self.connection.fetch(_NEXT, self.done.last, size)
        if not found:
            return False
        changes = [
            Change(REINDEX, self.request, "update", type_name(row["rt"]), _id(row)) for row in found
        ]
        async with self.connection.transaction():
            await self.connection.execute(_LOCAL)
            held = await hold_records(self.connection, _patients(found))
            await lock(self.connection, changes)
            keys = [row["key"] for row in found]
            # Read under the locks: what somebody changed meanwhile is up to date already.
            standing = await self.connection.fetch(_STANDING, keys)
            await self._renew(standing, held)
            last = found[-1]["key"]
            await write_marks(self.connection, [Mark(_SOURCE, last)])
            await write(self.connection, [self._trace(standing)])
        self.done.last = last
        self.done.seen += len(standing)
        return True

    async def _renew(self, standing: Sequence[Record], held: Held) -> None:
        versions = await self._prepared(standing)
        prepared = [p for one in versions if (p := one.permit.change.prepared)]
        named = [ref for one in prepared for ref in one.parties()]
        numbers = await Parties().ensure(self.connection, named, lasting=False)
        units = [unit for one in prepared for unit in one.indexed.units]
        await Units().ensure(self.connection, units, lasting=False)
        labelling = {
            numbers[ref]
            for one in prepared
            if reaching(one.indexed.label)
            for ref in one.indexed.patients
        }
        held = await hold_more(self.connection, held, labelling)
        before = {row["key"]: row for row in standing}
        differing = await self._differing(versions, before, numbers)
        await rewrite(self.connection, differing, numbers)
        await spread(self.connection, held, versions, numbers)
        await self.connection.execute(_EARLIER, list(before))
        self.done.changed += len(differing)

    async def _prepared(self, standing: Sequence[Record]) -> list[Version]:
        bodies = self.repository.bodies
        keys = await bodies.keys(standing)
        versions = []
        for row in standing:
            rt, rid = type_name(row["rt"]), _id(row)
            try:
                body = await bodies.load(row, keys)
                prepared = prepare(
                    body,
                    rt,
                    rid,
                    projections=self.repository.law.projections,
                    site=self.repository.site,
                )
            except HygieError:
                self.done.refused.append(f"{rt}/{rid}")
                continue
            change = Change(REINDEX, self.request, "update", rt, rid, prepared)
            permit = Permit(change, REINDEX, None, RULE)
            versions.append(
                Version(permit, row["key"], row["seq"], row["part"], row["upd"], row["body"])
            )
        return versions

    async def _differing(
        self,
        versions: Sequence[Version],
        before: Mapping[int, Record],
        numbers: Mapping[PartyRef, int],
    ) -> list[Version]:
        keys = [one.key for one in versions]
        sides = [await self._side(table, columns, keys) for table, columns in rows.SIDES]
        stated = await stated_by(self.connection, keys)
        return [
            one
            for one in versions
            if _columns(one, numbers) != _standing(before[one.key])
            or [sorted(map(repr, side)) for side in rows.side_rows(one)]
            != [sorted(map(repr, side.get(one.key, ()))) for side in sides]
            or _facts(one) != stated.get(one.key, frozenset())
        ]

    async def _side(
        self, table: str, columns: Sequence[tuple[str, str]], keys: Sequence[int]
    ) -> dict[int, list[tuple[object, ...]]]:
        names = ", ".join(name for name, _ in columns)
        found: dict[int, list[tuple[object, ...]]] = {}
        for row in await self.connection.fetch(_SIDE.format(columns=names, table=table), keys):
            found.setdefault(row["key"], []).append(tuple(map(_plain, row)))
        return found

    def _trace(self, standing: Sequence[Record]) -> Trace:
        touched = Touched(None, None, None, None, RULE)
        trace = trace_one(self.request, REINDEX, touched, status=200)
        patients = sorted(_patients(standing))
        detail = f"hygie reindex: {len(standing)} resources"
        return msgspec.structs.replace(trace, pats=patients, detail=detail)


# The loader has no belt; what spreads labels opens one that is closed again.
_LOCAL = begin(system=True).partition(";")[2].strip()


def _patients(found: Sequence[Record]) -> set[int]:
    return {pat for row in found for pat in (row["pat"], *(row["others"] or ())) if pat is not None}


def _id(row: Record) -> str:
    return id_of(row["uid"], row["rid"])


def _plain(value: object) -> object:
    """Return an instant with its zone: asyncpg reads the two ends of time without one."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _columns(version: Version, numbers: Mapping[PartyRef, int]) -> tuple[object, ...]:
    values = dict(
        zip((name for name, _ in rows.RESOURCE), rows.resource_row(version, numbers), strict=True)
    )
    return tuple(values[name] for name, _ in rows.RENEWED)


def _standing(row: Record) -> tuple[object, ...]:
    own = {"label": row["label"] if row["own_label"] is None else row["own_label"]}
    return tuple(own.get(name, _plain(row[name])) for name, _ in rows.RENEWED)


def _facts(version: Version) -> frozenset[object]:
    prepared = version.permit.change.prepared
    return prepared.facts if prepared else frozenset()
