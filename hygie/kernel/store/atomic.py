"""Several steps in one transaction: conditional writes and FHIR transactions.

The caller of a step sees the effect of the steps before it; any refusal undoes them all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from hygie.kernel.audit.trace import write
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Conflict, HygieError
from hygie.kernel.security.caller import Access, Caller
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.store.change import Change
from hygie.kernel.store.conditional import Pairs, matches, take_turn
from hygie.kernel.store.model import Found, Stored, Written
from hygie.kernel.store.search.query import Query
from hygie.kernel.store.searching import Searcher
from hygie.kernel.store.tracing import Request, Touched, trace_many, trace_refusal
from hygie.kernel.store.writing import Writer, refusal_of

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

T = TypeVar("T")
TRIES = 3
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)


@dataclass(slots=True)
class Steps:
    """What may be done inside one open transaction."""

    connection: Connection
    caller: Caller
    request: Request
    searcher: Searcher
    writer: Writer
    touched: list[Touched] = field(default_factory=list)
    wrote: bool = False
    _matched: dict[tuple[str, str], Touched] = field(default_factory=dict)

    async def take_turn(self, rt: str, pairs: Pairs) -> None:
        """Wait for other writers with the same criteria."""
        await take_turn(self.connection, rt, pairs)

    async def matches(self, rt: str, pairs: Pairs, *, most: int = 2) -> list[Stored]:
        """Return the visible resources that match the criteria."""
        found = await matches(
            self.searcher, self.connection, self.caller, rt, pairs=pairs, most=most
        )
        self._matched.update({(rt, stored.rid): touched for stored, touched in found})
        return [stored for stored, _ in found]

    def answer(self, stored: Stored) -> None:
        """Remember that a match leaves in the answer."""
        self.touched.append(self._matched[stored.rt, stored.rid])

    @property
    def matched(self) -> list[Touched]:
        """Return whatever matched criteria of these steps."""
        return list(self._matched.values())

    async def search(self, query: Query) -> Found:
        """Search, and remember whose data leaves."""
        found, touched = await self.searcher.within(self.connection, self.caller, query)
        self.touched += touched
        return found

    async def write(self, changes: Sequence[Change]) -> list[Written]:
        """Make the changes, all or nothing.

        Raises:
            HygieError: the refusal of the first one that is refused.
        """
        if not changes:
            return []
        numbers = await self.writer.register(self.connection, changes, lasting=False)
        callers = [self.caller] * len(changes)
        results = await self.writer.apply(self.connection, changes, callers, numbers)
        done: list[Written] = []
        for place, result in enumerate(results):
            if isinstance(result, HygieError):
                raise StepRefused(place, result)
            done.append(result)
        self.wrote = True
        return done


class StepRefused(Exception):
    """One change of several was refused; ``place`` tells which."""

    def __init__(self, place: int, error: HygieError) -> None:
        super().__init__(str(error))
        self.place = place
        self.error = error


class Atomic:
    """Runs steps in one transaction and traces them."""

    def __init__(
        self,
        database: Database,
        searcher: Searcher,
        writer: Writer,
        gate: Gate,
    ) -> None:
        self._gate = gate
        self._database = database
        self._searcher = searcher
        self._writer = writer

    async def run(
        self, access: Access, request: Request, work: Callable[[Steps], Awaitable[T]]
    ) -> T:
        """Return the result of ``work``, durable and traced.

        Raises:
            Conflict: other writers kept changing the same resources.
        """
        for _ in range(TRIES):
            try:
                return await self._once(access, request, work)
            except _AGAIN:
                continue
            except asyncpg.PostgresError as error:
                raise refusal_of(error) from error
        raise Conflict("Others are writing the same resources; retry in a moment.")

    async def _once(
        self, access: Access, request: Request, work: Callable[[Steps], Awaitable[T]]
    ) -> T:
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            system, members = parties([caller])
            await connection.execute(begin(members, system=system))
            steps = Steps(connection, caller, request, self._searcher, self._writer)
            try:
                result = await work(steps)
            except (HygieError, StepRefused) as refusal:
                await connection.execute("ROLLBACK")
                error = refusal.error if isinstance(refusal, StepRefused) else refusal
                # What a refusal tells of the matches of its criteria, it tells about people.
                looked = replace(request, interaction="search-type")
                told = trace_many(looked, caller, steps.matched, rt=None) if steps.matched else []
                refused = trace_refusal(request, caller, status=error.status)
                await write(connection, [refused, *told])
                raise
            if steps.touched or not steps.wrote:
                await write(connection, trace_many(request, caller, steps.touched, rt=None))
            await connection.execute("COMMIT")
            return result
