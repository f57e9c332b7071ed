"""Store a batch of new resources by COPY: the same rows as an ordinary write, another way in.

COPY is refused under row-level security: the connection has the loader's role (architecture,
"Writes under the belt"). One transaction holds the rows, the traces and the progress of the load.
A batch leaves one trace row per patient it is about, and one for what is about nobody: a patient
who reads their log sees that their record was loaded, once a batch and not once a resource.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.errors import HygieError
from hygie.kernel.fhir.splice import stamp
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.bodies import Bodies, Packed
from hygie.kernel.store.change import Permit
from hygie.kernel.store.facts import PartyRef
from hygie.kernel.store.loading.marks import Mark, write_marks
from hygie.kernel.store.loading.ready import Ready
from hygie.kernel.store.parties import Parties
from hygie.kernel.store.prepare import Prepared
from hygie.kernel.store.rows import Version, part_for, whole
from hygie.kernel.store.spreading import hold, spread
from hygie.kernel.store.tracing import Request, Touched, trace_many
from hygie.kernel.store.units import Units
from hygie.kernel.store.versions import save
from hygie.kernel.store.writing import instant_text

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

RULE = "system"
_STANDING = """
SELECT a.n, a.rt, a.uid, k.deleted, r.ver, r.upd, r.pat, r.body
FROM unnest($1::smallint[], $2::uuid[]) WITH ORDINALITY AS a (rt, uid, n)
JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid
LEFT JOIN resource r ON NOT k.deleted AND r.part = k.part AND r.key = k.key
"""


class Sorted(msgspec.Struct):
    """A batch beside what stands in the store: new ids, changed content, nothing to do."""

    new: list[Ready] = []
    changed: list[Ready] = []
    same: int = 0


class Copier:
    """Stores batches over one connection of the loader's role."""

    def __init__(self, connection: Connection, bodies: Bodies) -> None:
        self.connection = connection
        self._bodies = bodies
        self._parties = Parties()
        self._units = Units()

    async def sort(self, batch: Sequence[Ready]) -> Sorted:
        """Return which resources are new, and which differ from what is stored."""
        places = [ready.change.place for ready in batch]
        rows = await self.connection.fetch(
            _STANDING, [rt for rt, _ in places], [uid for _, uid in places]
        )
        standing = {row["n"] - 1: row for row in rows}
        keys = await self._bodies.keys(rows)
        found = Sorted()
        first: dict[object, Ready] = {}
        for number, ready in enumerate(batch):
            row = standing.get(number)
            if row is not None:
                body = None if row["deleted"] else await self._bodies.load(row, keys)
                if body is not None and body == _restamped(ready, row["ver"], row["upd"]):
                    found.same += 1
                else:
                    found.changed.append(ready)
                continue
            before = first.setdefault(places[number], ready)
            if before is ready:
                found.new.append(ready)
            elif before.stamped == ready.stamped:
                found.same += 1
            else:
                found.changed.append(ready)
        return found

    async def copy(
        self, new: Sequence[Ready], *, request: Request, updated: datetime, marks: Collection[Mark]
    ) -> None:
        """Make new resources, their traces and the progress durable, all or nothing."""
        named = [ref for ready in new for ref in _prepared(ready).parties()]
        units = [unit for ready in new for unit in _prepared(ready).indexed.units]
        await self._units.ensure(self.connection, units)
        numbers = await self._parties.ensure(self.connection, named)
        async with self.connection.transaction():
            changes = [ready.change for ready in new]
            held = await hold(self.connection, changes, numbers, new=True)
            versions = await self._versions(new, updated, numbers)
            await save(self.connection, versions, numbers, insert=copy_rows)
            labels = await spread(self.connection, held, versions, numbers)
            if new:
                touched = [_touched(one, numbers, labels) for one in versions]
                await write(self.connection, _traces(request, touched))
            await write_marks(self.connection, marks)

    async def _versions(
        self, new: Sequence[Ready], updated: datetime, numbers: Mapping[PartyRef, int]
    ) -> list[Version]:
        rows = await self.connection.fetch(
            "SELECT nextval('version_seq') AS seq FROM generate_series(1, $1)", len(new)
        )
        versions = [
            Version(
                permit, row["seq"], row["seq"], part_for(permit), updated, None,
                served=ready.stamped,
            )
            for ready, row in zip(new, rows, strict=True)
            for permit in [Permit(ready.change, SYSTEM, None, RULE)]
        ]  # fmt: skip
        packed = await self._bodies.pack(
            self.connection, [whole(version, numbers) for version in versions]
        )
        return [
            replace(version, body=one.body, blobs=one.blobs)
            for version, one in zip(versions, map(_packed, packed), strict=True)
        ]


async def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[object, ...]],
) -> None:
    """Append rows to a table by binary COPY."""
    if rows:
        await connection.copy_records_to_table(
            table, records=rows, columns=[name for name, _ in columns]
        )


def _packed(one: Packed | HygieError) -> Packed:
    if isinstance(one, HygieError):
        raise one
    return one


def _touched(
    version: Version, numbers: Mapping[PartyRef, int], labels: Mapping[int, int]
) -> Touched:
    change = version.permit.change
    people = change.prepared.indexed.patients if change.prepared else []
    pat = numbers[people[0]] if people else None
    return Touched(*change.place, 1, pat, RULE, labels.get(version.key, version.label))


def _prepared(ready: Ready) -> Prepared:
    prepared = ready.change.prepared
    if prepared is None:
        raise ValueError("a load deletes nothing")
    return prepared


def _restamped(ready: Ready, version: int, updated: datetime) -> bytes:
    """Return the resource as it would stand if it were the stored version."""
    return stamp(
        ready.stamped, rid=ready.item.rid, version=str(version), updated=instant_text(updated)
    )


def _traces(request: Request, touched: Sequence[Touched]) -> list[Trace]:
    counts = Counter(one.pat for one in touched)
    return [
        msgspec.structs.replace(trace, detail=f"hygie load: {counts[trace.pat]} resources")
        for trace in trace_many(request, SYSTEM, touched, rt=None)
    ]
