"""Histories of a resource, a type or everything (FHIR R4, http.html#history), newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from asyncpg import Record

from hygie.kernel.audit.trace import Trace
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.security.caller import Access, Caller
from hygie.kernel.security.decision import Decision
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.bodies import Bodies, Keys
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.ids import id_of, key_of
from hygie.kernel.store.model import HistoryEntry, HistoryPage, Stored
from hygie.kernel.store.scoping import NO_TOKENS
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.site import Site
from hygie.kernel.store.tracing import Request, Touched, trace_many, traced_refusals

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_COLUMNS = "v.rt, v.uid, v.rid, v.ver, v.upd, v.xid, v.seq, v.pat, v.label, v.body"
_TABLES = (
    ("resource", f"{_COLUMNS}, FALSE AS deletion", ""),
    ("resource_history", f"{_COLUMNS}, v.deletion", NO_TOKENS),
)
"""Where versions stand, their columns, and their search tokens where the table keeps none."""

Place = tuple[int, int]
"""Transaction and sequence of a version."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a history is about: one resource, one type, or everything.

    ``before`` is what the link of the page before carries: the sealed place of its last entry.
    """

    rt: str | None = None
    rid: str | None = None
    since: datetime | None = None
    count: int = 50
    before: str | None = None


class Historian:
    """Answers histories."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        traces: Batch[Sequence[Trace], None],
        *,
        gate: Gate,
        site: Site,
    ) -> None:
        self._gate = gate
        self._sealer = site.sealer
        self._database = database
        self._bodies = bodies
        self._traces = traces

    async def run(self, access: Access, scope: Scope, request: Request) -> HistoryPage:
        """Return one page of versions the caller may see.

        Raises:
            NotFound: the history of one resource has no version visible to the caller.
        """
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            # A history of everything may hold directory types: every known caller may ask.
            directory = scope.rt is None or scope.rt in directory_types()
            rt = type_number(scope.rt) if scope.rt else None
            system, members = parties([caller])
            await connection.execute(begin(members, system=system))
            uid = key_of(scope.rid)[0] if scope.rid is not None else None
            async with traced_refusals(connection, request, caller, rt=rt, uid=uid):
                decision = self._gate.decide(
                    caller, directory=directory, rt=scope.rt, permission="r" if scope.rid else "s"
                )
                rows = await _rows(connection, decision, scope, self._before(caller, scope))
                total = await _total(connection, decision, scope)
                if scope.rid is not None and not (
                    total or await _total(connection, decision, replace(scope, since=None))
                ):
                    raise NotFound(f"{scope.rt}/{scope.rid} is not known here.")
            await connection.execute("COMMIT")
        more = len(rows) > scope.count > 0
        rows = rows[: scope.count]
        touched = [
            Touched(row["rt"], row["uid"], row["ver"], row["pat"], row["rule"], row["label"])
            for row in rows
        ]
        await self._traces.submit(trace_many(request, caller, touched, rt=rt))
        keys = await self._bodies.keys(rows)
        entries = [await self._entry(row, keys) for row in rows]
        return HistoryPage(entries, total, self._next(caller, scope, rows[-1]) if more else None)

    def _before(self, caller: Caller, scope: Scope) -> Place | None:
        if scope.before is None:
            return None
        try:
            content = self._sealer.open(scope.before, reader=_reader(caller, scope))
        except ValueError as error:
            raise InvalidRequest(
                "The paging link is damaged, or belongs to another history or account; repeat the "
                "request."
            ) from error
        xid, seq = content.decode().split("-")
        return int(xid), int(seq)

    def _next(self, caller: Caller, scope: Scope, last: Record) -> str:
        place = f"{last['xid']}-{last['seq']}".encode()
        sealed = self._sealer.seal(place, reader=_reader(caller, scope))
        pairs = [("_count", str(scope.count)), ("_before", sealed)]
        if scope.since is not None:
            pairs.append(("_since", scope.since.isoformat()))
        return urlencode(pairs)

    async def _entry(self, row: Record, keys: Keys) -> HistoryEntry:
        body = None if row["deletion"] else await self._bodies.load(row, keys)
        stored = Stored(
            type_name(row["rt"]), id_of(row["uid"], row["rid"]), row["ver"], row["upd"], body
        )
        if row["deletion"]:
            return HistoryEntry(stored, "DELETE")
        return HistoryEntry(stored, "POST" if row["ver"] == 1 else "PUT")


def _reader(caller: Caller, scope: Scope) -> str:
    """Return who may follow a paging link, and for which history."""
    return f"{caller.asker} {scope.rt}/{scope.rid}/_history"


async def _rows(
    connection: Connection, decision: Decision, scope: Scope, before: Place | None
) -> list[Record]:
    sql = Sql()
    limit = f"{sql.bind(scope.count + 1)}::bigint"
    branches = []
    for table, columns, tokens in _TABLES:
        branches.append(
            f"(SELECT {columns}, {decision.rule_name('v', sql.bind)} AS rule FROM {table} v "
            f"WHERE {' AND '.join(_conditions(sql, decision, scope, before, tokens=tokens))} "
            f"ORDER BY v.xid DESC, v.seq DESC LIMIT {limit})"
        )
    text = f"{' UNION ALL '.join(branches)} ORDER BY xid DESC, seq DESC LIMIT {limit}"
    return list(await connection.fetch(text, *sql.values))


async def _total(connection: Connection, decision: Decision, scope: Scope) -> int | None:
    """Count the versions of one resource; a longer history tells no total."""
    if scope.rid is None:
        return None
    sql = Sql()
    counts = [
        f"(SELECT count(*) FROM {table} v "
        f"WHERE {' AND '.join(_conditions(sql, decision, scope, None, tokens=tokens))})"
        for table, _, tokens in _TABLES
    ]
    return int(await connection.fetchval(f"SELECT {' + '.join(counts)}", *sql.values))


def _conditions(
    sql: Sql, decision: Decision, scope: Scope, before: Place | None, *, tokens: str
) -> list[str]:
    found = [decision.predicate("v", sql.bind, tokens=tokens)]
    if scope.rt is not None:
        found.append(f"v.rt = {sql.bind(type_number(scope.rt))}::smallint")
    if scope.rid is not None and scope.rt is not None:
        rt, uid = sql.bind(type_number(scope.rt)), sql.bind(key_of(scope.rid)[0])
        found.append(
            "(v.part, v.key) IN (SELECT unnest(k.former || k.part), k.key FROM resource_key k "
            f"WHERE k.rt = {rt}::smallint AND k.uid = {uid}::uuid)"
        )
    if scope.since is not None:
        found.append(f"v.upd >= {sql.instant(scope.since)}")
    if before is not None:
        xid, seq = before
        found.append(f"(v.xid, v.seq) < ({sql.bind(str(xid))}::text::xid8, {sql.long(seq)})")
    return found
