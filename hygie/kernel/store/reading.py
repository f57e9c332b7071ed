"""Grouped reads: many waiting requests, one round trip, one durable commit of their traces.

Each request keeps its own caller: kind and party stand in the request's row and the predicate
joins on them. The belt of the transaction knows the parties of the whole group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection, Record

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Gone, HygieError, NotFound
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.algebra import Columns
from hygie.kernel.security.caller import Access, Bearer, Caller
from hygie.kernel.security.rules import READ
from hygie.kernel.security.tokens import callers_of, parties, resolve
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.ids import id_of, key_of
from hygie.kernel.store.model import Stored
from hygie.kernel.store.tracing import Request, Touched, trace_one, trace_refusal

_RULE = READ.rule_name(Columns("v", "a.kind", "a.party"))
_ASKED = (
    "unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::integer[], $5::integer[]) "
    "WITH ORDINALITY AS a (rt, uid, kind, party, ver, n) "
    "JOIN resource_key k ON k.rt = a.rt AND k.uid = a.uid"
)
_RESOURCE = (
    "r.ver, r.upd, r.uid, r.rid, r.pat, r.rt, r.others, r.label, r.author, r.body, "
    "FALSE AS deletion"
)
_HISTORY = (
    "h.ver, h.upd, h.uid, h.rid, h.pat, h.rt, h.others, h.label, h.author, h.body, h.deletion"
)

# Only who could see the last version may learn that the resource was deleted.
_CURRENT = f"""
SELECT a.n, v.*, {_RULE} AS rule FROM {_ASKED} JOIN LATERAL (
  SELECT {_RESOURCE} FROM resource r
  WHERE NOT k.deleted AND r.part = k.part AND r.key = k.key
  UNION ALL
  (SELECT {_HISTORY} FROM resource_history h
   WHERE k.deleted AND h.part = k.part AND h.key = k.key ORDER BY h.ver DESC LIMIT 1)
) v ON TRUE
"""
# A version stands in the part its patient had at that time.
_VERSION = f"""
SELECT a.n, v.*, {_RULE} AS rule FROM {_ASKED} JOIN LATERAL (
  SELECT {_RESOURCE} FROM resource r
  WHERE r.part = k.part AND r.key = k.key AND r.ver = a.ver
  UNION ALL
  SELECT {_HISTORY} FROM resource_history h
  WHERE (h.part = k.part OR h.part = ANY (k.former)) AND h.key = k.key AND h.ver = a.ver
) v ON TRUE
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

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies

    async def run(self, reads: Sequence[Read]) -> Sequence[Outcome]:
        """Return, for each read, the version or the refusal, once every trace is durable."""
        async with self._database.connection() as connection:
            known = await callers_of(connection, [read.access for read in reads])
            results: dict[int, Outcome] = {}
            asked: dict[int, _Asked] = {}
            for number, read in enumerate(reads):
                caller = _resolve(read.access, known)
                if isinstance(caller, Caller):
                    asked[number] = _Asked(read, caller)
                else:
                    results[number] = caller
            system, numbers = parties([one.caller for one in asked.values()])
            await connection.execute(begin(numbers, system=system))
            results.update(await self._answer(connection, asked))
            await connection.execute("COMMIT")
        return [results[number] for number in range(len(reads))]

    async def _answer(self, connection: Connection, asked: dict[int, _Asked]) -> dict[int, Outcome]:
        results: dict[int, Outcome] = {}
        traces: list[Trace] = []
        current = {n: one for n, one in asked.items() if one.read.version is None}
        versions = {n: one for n, one in asked.items() if one.read.version is not None}
        for statement, group in ((_CURRENT, current), (_VERSION, versions)):
            rows = await _fetch(connection, statement, group)
            for number, one in group.items():
                row = rows.get(number)
                results[number] = await self._outcome(one.read, row)
                traces.append(_trace(one, row, results[number]))
        await write(connection, traces)
        return results

    async def _outcome(self, read: Read, row: Record | None) -> Outcome:
        if row is None or row["rule"] is None:
            return NotFound(f"{read.rt}/{read.rid} is not known here.")
        if row["deletion"]:
            return Gone(f"{read.rt}/{read.rid} was deleted.")
        body = await self._bodies.load(row["body"])
        return Stored(read.rt, id_of(row["uid"], row["rid"]), row["ver"], row["upd"], body)


def _resolve(access: Access, known: dict[Bearer, Caller]) -> Caller | HygieError:
    try:
        return resolve(access, known)
    except HygieError as error:
        return error


async def _fetch(
    connection: Connection, statement: str, group: dict[int, _Asked]
) -> dict[int, Record]:
    if not group:
        return {}
    numbers = list(group)
    rows = await connection.fetch(
        statement,
        [type_number(one.read.rt) for one in group.values()],
        [key_of(one.read.rid)[0] for one in group.values()],
        [int(one.caller.kind) for one in group.values()],
        [one.caller.party for one in group.values()],
        [min(one.read.version or 0, LAST_VERSION) for one in group.values()],
    )
    return {numbers[row["n"] - 1]: row for row in rows}


def _trace(one: _Asked, row: Record | None, outcome: Outcome) -> Trace:
    rt, uid = type_number(one.read.rt), key_of(one.read.rid)[0]
    if isinstance(outcome, Stored) and row is not None:
        touched = Touched(rt, uid, row["ver"], row["pat"], row["rule"])
        return trace_one(one.read.request, one.caller, touched, status=200)
    status = outcome.status if isinstance(outcome, HygieError) else 500
    return trace_refusal(one.read.request, one.caller, status=status, rt=rt, uid=uid)
