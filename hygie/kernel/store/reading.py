"""Grouped reads: many waiting requests, one round trip, one durable commit of their traces.

Each request keeps its own caller: kind and party stand in the request's row and the predicate
joins on them. The belt of the transaction knows the parties of the whole group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Connection, Record

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Forbidden, Gone, HygieError, NotFound
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access, Caller
from hygie.kernel.security.decision import (
    caller_columns,
    grouped_rule_name,
    live_rules,
    searched,
    within_limits,
)
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.security.keys.keyring import EPOCH
from hygie.kernel.security.limits import limit_columns
from hygie.kernel.store.asked import asked
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.ids import id_of, key_of
from hygie.kernel.store.model import Stored
from hygie.kernel.store.scoping import NO_TOKENS
from hygie.kernel.store.tracing import Request, Touched, trace_one, trace_refusal

_ASKED = (
    ("rt", "smallint"),
    ("uid", "uuid"),
    ("ver", "integer"),
    ("rules", "bigint"),
)
_POLICY = "{0}.others, {0}.label, {0}.author, {0}.matter"
_RESOURCE = (
    f"r.ver, r.upd, r.uid, r.rid, r.pat, r.rt, {_POLICY.format('r')}, r.body, FALSE AS deletion"
    "{limits[0]}"
)
_HISTORY = (
    f"h.ver, h.upd, h.uid, h.rid, h.pat, h.rt, {_POLICY.format('h')}, h.body, h.deletion"
    "{limits[1]}"
)
_LIMITS = {
    False: ("", ""),
    True: (f", {searched('r')} AS searched", f", {NO_TOKENS} AS searched"),
}
_SELECT = (
    f"SELECT a.n, v.*, {EPOCH} AS epoch, {{rule}} AS rule FROM {{asked}} "
    "JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid JOIN LATERAL ({versions}) v ON TRUE"
)
# Only who could see the last version may learn that the resource was deleted.
_CURRENT = f"""
  SELECT {_RESOURCE} FROM resource r
  WHERE NOT k.deleted AND r.part = k.part AND r.key = k.key
  UNION ALL
  (SELECT {_HISTORY} FROM resource_history h
   WHERE k.deleted AND h.part = k.part AND h.key = k.key ORDER BY h.ver DESC LIMIT 1)
"""
# A version stands in the part its patient had at that time.
_VERSION = f"""
  SELECT {_RESOURCE} FROM resource r
  WHERE r.part = k.part AND r.key = k.key AND r.ver = a.ver
  UNION ALL
  SELECT {_HISTORY} FROM resource_history h
  WHERE (h.part = k.part OR h.part = ANY (k.former)) AND h.key = k.key AND h.ver = a.ver
"""

Outcome = Stored | HygieError
LAST_VERSION = 2**31 - 1
"""Beyond every version: one absurd number must not fail the group it is asked in."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read by id; ``version`` None asks for the current one."""

    access: Access
    rt: str
    rid: str
    request: Request
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    read: Read
    caller: Caller


class Reader:
    """Answers groups of reads."""

    def __init__(self, database: Database, bodies: Bodies, gate: Gate) -> None:
        self._database = database
        self._bodies = bodies
        self._gate = gate
        self._current, self._version = (
            {limited: self._statement(versions, limited=limited) for limited in (False, True)}
            for versions in (_CURRENT, _VERSION)
        )

    def _statement(self, versions: str, *, limited: bool) -> str:
        """Return the statement of a group, ``limited`` where it has an application."""
        rule = grouped_rule_name(self._gate.policies.read, "v")
        return _SELECT.format(
            rule=within_limits(rule, "v", tokens="v.searched") if limited else rule,
            asked=asked(_ASKED, limited=limited),
            versions=versions.format(limits=_LIMITS[limited]),
        )

    async def run(self, reads: Sequence[Read]) -> Sequence[Outcome]:
        """Return, for each read, the version or the refusal, once every trace is durable."""
        async with self._database.connection() as connection:
            known = await self._gate.callers(connection, [read.access for read in reads])
            results: dict[int, Outcome] = {}
            waiting: dict[int, _Asked] = {}
            for number, (read, caller) in enumerate(zip(reads, known, strict=True)):
                if isinstance(caller, Caller):
                    waiting[number] = _Asked(read, caller)
                else:
                    results[number] = caller
            system, numbers = parties([one.caller for one in waiting.values()])
            await connection.execute(begin(numbers, system=system))
            results.update(await self._answer(connection, waiting))
            await connection.execute("COMMIT")
        return [results[number] for number in range(len(reads))]

    async def _answer(
        self, connection: Connection, waiting: dict[int, _Asked]
    ) -> dict[int, Outcome]:
        results: dict[int, Outcome] = {}
        traces: list[Trace] = []
        current = {n: one for n, one in waiting.items() if one.read.version is None}
        versions = {n: one for n, one in waiting.items() if one.read.version is not None}
        for statements, group in ((self._current, current), (self._version, versions)):
            rows = await self._fetch(connection, statements, group)
            for number, one in group.items():
                row = rows.get(number)
                results[number] = _unscoped(one) or await self._outcome(one.read, row)
                traces.append(_trace(one, row, results[number]))
        await write(connection, traces)
        return results

    async def _fetch(
        self, connection: Connection, statements: Mapping[bool, str], group: dict[int, _Asked]
    ) -> dict[int, Record]:
        if not group:
            return {}
        numbers = list(group)
        callers = [one.caller for one in group.values()]
        limits = [caller.limit for caller in callers]
        limited = any(limits)
        rows = await connection.fetch(
            statements[limited],
            [type_number(one.read.rt) for one in group.values()],
            [key_of(one.read.rid)[0] for one in group.values()],
            [min(one.read.version or 0, LAST_VERSION) for one in group.values()],
            live_rules(self._gate.policies.read, callers),
            *caller_columns(callers),
            *(limit_columns(limits, ["r"] * len(limits)) if limited else ()),
        )
        return {numbers[row["n"] - 1]: row for row in rows}

    async def _outcome(self, read: Read, row: Record | None) -> Outcome:
        if row is None or row["rule"] is None:
            return NotFound(f"{read.rt}/{read.rid} is not known here.")
        if row["deletion"]:
            return Gone(f"{read.rt}/{read.rid} was deleted.")
        try:
            body = await self._bodies.load(row)
        except HygieError as error:
            # A damaged document fails its own read, and none of the group.
            return error
        return Stored(read.rt, id_of(row["uid"], row["rid"]), row["ver"], row["upd"], body)


def _unscoped(one: _Asked) -> Forbidden | None:
    """Return the refusal of an application that may read nothing of the type, whatever is there."""
    limit = one.caller.limit
    try:
        if limit is not None:
            limit.check("r", one.read.rt)
    except Forbidden as refused:
        return refused
    return None


def _trace(one: _Asked, row: Record | None, outcome: Outcome) -> Trace:
    rt, uid = type_number(one.read.rt), key_of(one.read.rid)[0]
    if isinstance(outcome, Stored) and row is not None:
        touched = Touched(rt, uid, row["ver"], row["pat"], row["rule"], row["label"])
        return trace_one(one.read.request, one.caller, touched, status=200)
    status = outcome.status if isinstance(outcome, HygieError) else 500
    return trace_refusal(one.read.request, one.caller, status=status, rt=rt, uid=uid)
