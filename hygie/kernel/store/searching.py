"""Run searches: one short transaction under the belt, then the durable traces, then the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec
from asyncpg import Record

from hygie.kernel.audit.trace import Trace
from hygie.kernel.clock import Clock
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Forbidden, TooCostly
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.fhir.search.extract import extract
from hygie.kernel.fhir.search.references import localise
from hygie.kernel.fhir.search.values import parse_token
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.caller import Access, Caller, Kind
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.bodies import Bodies, Keys
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.model import Entry, Found, Stored
from hygie.kernel.store.search.cursor import Cursor, decode, encode
from hygie.kernel.store.search.driver import PLANNED_ONCE, names_one, plan_of, rows_of
from hygie.kernel.store.search.includes import MOST_INCLUDED, by_reference, referring
from hygie.kernel.store.search.plan import LOOKED_AT, MOST_COUNTED, Plan, Statement
from hygie.kernel.store.search.query import Clause, Include, Query
from hygie.kernel.store.search.sort import written
from hygie.kernel.store.search.sql import Known
from hygie.kernel.store.site import Site
from hygie.kernel.store.statistics import FrequentTokens
from hygie.kernel.store.tracing import Request, Touched, trace_many, traced_refusals

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection


MOST_BYTES = 32 * 1024 * 1024
"""Bytes of matches after which a page ends early; the next link goes on."""


FEW_PEOPLE = 20
"""People up to whom a number is traced for each of them; beyond, one trace names them all."""
FEW_COUNTED = 200
"""Total up to which a page also names those whom it counts and does not show."""


@dataclass(slots=True)
class Page:
    """The rows of one page, before their bodies are read."""

    rows: list[Record]
    more: bool
    total: int | None
    limit: int

    def end_after(self, count: int) -> None:
        """Leave the other rows to the next page; on a last page they hold the highest key."""
        if not self.limit:
            self.limit = max(row["key"] for row in self.rows)
        self.rows = self.rows[:count]
        self.more = True


class Searcher:
    """Answers searches on one type."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        traces: Batch[Sequence[Trace], None],
        *,
        clock: Clock,
        site: Site,
        gate: Gate,
    ) -> None:
        self._gate = gate
        self._database = database
        self._bodies = bodies
        self._traces = traces
        self._clock = clock
        self.site = site
        self._frequent = FrequentTokens(clock)

    async def run(self, access: Access, query: Query, request: Request) -> Found:
        """Return one page of matches and what they include."""
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            system, members = parties([caller])
            opening = begin(members, system=system)
            once = names_one(query)
            await connection.execute(f"{opening}; {PLANNED_ONCE}" if once else opening)
            async with traced_refusals(connection, request, caller, rt=type_number(query.rt)):
                found, touched = await self.within(connection, caller, query)
            await connection.execute("COMMIT")
        traces = trace_many(request, caller, touched, rt=type_number(query.rt))
        if found.total is not None:
            traces = [
                msgspec.structs.replace(one, detail=one.detail or f"of {found.total}")
                for one in traces
            ]
        await self._traces.submit(traces)
        return found

    async def within(
        self, connection: Connection, caller: Caller, query: Query
    ) -> tuple[Found, list[Touched]]:
        """Search inside an open transaction of this caller, who writes the traces."""
        decision = self._gate.decide(caller, directory=query.rt in directory_types(), rt=query.rt)
        _check_total(caller, query)
        plan = await plan_of(connection, decision, query, await self._known(connection, query))
        if query.summary == "count":
            total = await self._count(connection, plan)
            told = await self._counted(connection, plan) if 0 < (total or 0) <= LOOKED_AT else []
            return Found(total=total, self_query=urlencode(query.kept)), told
        page = await self._page(connection, plan)
        entries = await self._matched(page)
        touched = [_touched(row) for row in page.rows]
        entries = [entry for entry in entries if _confirmed(query.clauses, entry.stored)]
        included = await self._included(connection, plan, entries)
        touched += [_touched(row) for row in included]
        if len(page.rows) < (page.total or 0) <= (FEW_COUNTED if page.rows else LOOKED_AT):
            touched += await self._counted(connection, plan)
        keys = await self._bodies.keys(included)
        entries += [Entry(await self._stored(row, keys), "include") for row in included]
        found = Found(
            entries,
            page.total,
            self._next(plan, page) if page.more else None,
            urlencode(query.kept),
        )
        return found, touched

    async def _matched(self, page: Page) -> list[Entry]:
        """Return the matches with their bodies; a page that grows too heavy ends early."""
        entries: list[Entry] = []
        size = 0
        keys = await self._bodies.keys(page.rows)
        for row in page.rows:
            stored = await self._stored(row, keys)
            entries.append(Entry(stored))
            size += len(stored.body or b"")
            if size > MOST_BYTES and len(entries) < len(page.rows):
                page.end_after(len(entries))
                break
        return entries

    async def _page(self, connection: Connection, plan: Plan) -> Page:
        query = plan.query
        cursor = self._cursor(plan)
        rows: list[Record] = []
        if query.count:
            rows = await rows_of(connection, plan, limit=query.count + 1, cursor=cursor)
        more = len(rows) > query.count > 0
        rows = rows[: query.count]
        if cursor is not None:
            return Page(rows, more, cursor.total, cursor.limit)
        limit = max(await _fetch_last(connection, plan), rows[-1]["key"]) if more else 0
        if not more and query.count and query.total != "none":
            return Page(rows, more, len(rows), limit)
        total = None if query.total == "none" else await self._count(connection, plan)
        return Page(rows, more, total, limit)

    def _cursor(self, plan: Plan) -> Cursor | None:
        text, keys = plan.query.cursor, len(plan.query.sort)
        if not text:
            return None
        return decode(text, self.site.sealer, reader=_reader(plan), keys=keys)

    def _next(self, plan: Plan, page: Page) -> str:
        last = page.rows[-1]
        values = tuple(written(last[f"k{n}"]) for n in range(len(plan.query.sort)))
        cursor = Cursor(values, last["key"], page.limit, page.total)
        sealed = encode(cursor, self.site.sealer, reader=_reader(plan))
        return urlencode([*plan.query.kept, ("_cursor", sealed)])

    async def _count(self, connection: Connection, plan: Plan) -> int | None:
        exact = plan.query.total == "accurate" or plan.query.summary == "count"
        text, values = plan.count(exact=exact)
        total = int(await connection.fetchval(text, *values))
        return total if exact or total <= MOST_COUNTED else None

    async def _counted(self, connection: Connection, plan: Plan) -> list[Touched]:
        """Return what the trace says of matches that are counted and not shown.

        A number tells about each person it is over: two numbers that differ by one person tell
        what the difference is. Where they are many, one trace for each rule and each set of labels
        names them all, so that a label never speaks for a resource that has another.
        """
        text, values = plan.counted(most=LOOKED_AT)
        rows = await connection.fetch(text, *values)
        rt = type_number(plan.query.rt)
        if len(rows) <= FEW_PEOPLE:
            return [Touched(rt, None, None, row["pat"], row["rule"], row["label"]) for row in rows]
        sets: dict[tuple[str, int], list[int]] = {}
        for row in rows:
            if row["pat"] is not None:
                sets.setdefault((row["rule"], row["label"]), []).append(row["pat"])
        return [
            Touched(rt, None, None, None, rule, label, tuple(sorted(people)))
            for (rule, label), people in sets.items()
        ]

    async def _included(
        self, connection: Connection, plan: Plan, entries: list[Entry]
    ) -> list[Record]:
        query = plan.query
        matches = [(entry.stored.rt, entry.stored.rid) for entry in entries]
        if not matches:
            return []
        # What is included is few: its relations are looked up row by row.
        decision = replace(plan.decision, wide=False)
        statements: list[Statement] = [
            referring(decision, include, matches) for include in query.revincludes
        ]
        targets = self._targets(query.includes, entries)
        if targets:
            statements.append(by_reference(decision, targets))
        rows: dict[int, Record] = {}
        for text, values in statements:
            rows.update({row["key"]: row for row in await connection.fetch(text, *values)})
        if len(rows) > MOST_INCLUDED:
            raise TooCostly(
                f"The answer would include more than {MOST_INCLUDED} resources: ask for fewer "
                "matches with _count, or include less."
            )
        already = set(matches)
        return [
            row
            for row in rows.values()
            if (type_name(row["rt"]), id_of(row["uid"], row["rid"])) not in already
        ]

    def _targets(
        self, includes: tuple[Include, ...], entries: list[Entry]
    ) -> list[tuple[str, str]]:
        if not includes:
            return []
        wanted = {(include.parameter.code, include.target) for include in includes}
        targets: dict[tuple[str, str], None] = {}
        for entry in entries:
            resource = parse(entry.stored.body or b"", expect=entry.stored.rt).resource
            for one, ref in extract(resource).references:
                local = localise(ref, base=self.site.base)
                asked = {(one.code, None), (one.code, local.type)} & wanted
                if asked and local.type and local.id and local.url is None:
                    targets[local.type, local.id] = None
        return list(targets)

    async def _stored(self, row: Record, keys: Keys) -> Stored:
        body = await self._bodies.load(row, keys)
        return Stored(
            type_name(row["rt"]), id_of(row["uid"], row["rid"]), row["ver"], row["upd"], body
        )

    async def _known(self, connection: Connection, query: Query) -> Known:
        units: list[Record] = []
        if any(clause.parameter.kind in ("quantity", "composite") for clause in query.clauses):
            units = await connection.fetch("SELECT token, system, code, name FROM unit")
        return Known(
            now=self._clock.now(),
            site=self.site,
            units=tuple(tuple(row) for row in units),
            frequent=await self._frequent.load(connection),
        )


def _check_total(caller: Caller, query: Query) -> None:
    """Let the local operator alone ask for an estimate.

    Raises:
        Forbidden: an estimate comes from statistics over what others may not see.
    """
    if query.total == "estimate" and caller.kind != Kind.SYSTEM:
        raise Forbidden("_total=estimate is for the local operator: use accurate or none.")


async def _fetch_last(connection: Connection, plan: Plan) -> int:
    text, values = plan.last()
    return int(await connection.fetchval(text, *values) or 0)


def _touched(row: Record) -> Touched:
    return Touched(row["rt"], row["uid"], row["ver"], row["pat"], row["rule"], row["label"])


def _reader(plan: Plan) -> str:
    """Return who may follow a paging link, and for which search."""
    asker = plan.decision.caller.asker
    return f"{asker} {plan.query.rt}?{urlencode(plan.query.kept)}"


def _confirmed(clauses: Iterable[Clause], stored: Stored) -> bool:
    """Tell whether an identifier searched for is really in the body: a hash may collide."""
    for clause in clauses:
        if clause.parameter.code == "identifier" and clause.modifier is None:
            codes = [parse_token(value, "identifier").code for value in clause.values]
            body = stored.body or b""
            if not any(code is None or _written_in(code, body) for code in codes):
                return False
    return True


def _written_in(code: str, body: bytes) -> bool:
    return msgspec.json.encode(code) in body or b"\\" in body
