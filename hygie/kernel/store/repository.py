"""The repository: the only way to health data. It alone decides, reads, writes and traces."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.clock import Clock, SystemClock
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Conflict, MethodNotAllowed, PreconditionFailed
from hygie.kernel.fhir.splice import server_fields
from hygie.kernel.security.caller import Access, Caller, Kind
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.security.labels import NO_LABEL, Label
from hygie.kernel.store.atomic import TRIES, Atomic, StepRefused, Steps
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.change import Change, Method
from hygie.kernel.store.comparing import Candidate, Sought, candidates
from hygie.kernel.store.conditional import at_most_one, check_criteria, read_criteria
from hygie.kernel.store.history import Historian, Scope
from hygie.kernel.store.identifying import Identifier, Traits
from hygie.kernel.store.ids import check_id, new_id
from hygie.kernel.store.introspecting import Introspector
from hygie.kernel.store.law import Law
from hygie.kernel.store.logged import Reading
from hygie.kernel.store.model import Found, HistoryPage, Person, Stored, Written
from hygie.kernel.store.parties import Parties
from hygie.kernel.store.people import People
from hygie.kernel.store.prepare import Prepared, check_body_id, prepare
from hygie.kernel.store.reading import Read, Reader
from hygie.kernel.store.relabelling import Relabelling, relabel
from hygie.kernel.store.scoping import constraint
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.searching import Searcher
from hygie.kernel.store.site import Site
from hygie.kernel.store.tracing import Request, trace_many, trace_reading, traced_refusals
from hygie.kernel.store.transaction import Answer, carry_out
from hygie.kernel.store.visits import Visit
from hygie.kernel.store.writing import Writer

Pairs = Sequence[tuple[str, str]]
T = TypeVar("T")
LARGE = 1024 * 1024
"""Bytes from which a body is prepared in a thread of its own."""


class Repository:
    """FHIR resources behind callers, decisions and traces.

    Every method takes who asks (``access``) and returns once what it did is durable, traces
    included. Refusals are ``HygieError``; hidden and absent answer alike.
    """

    def __init__(
        self,
        database: Database,
        *,
        bodies: Bodies,
        law: Law,
        site: Site,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.database = database
        self.keyring = bodies.keyring
        self.bodies = bodies
        self.site = site
        self.law = law
        self._gate = gate = Gate(
            law.policies, lambda: clock.now().astimezone(site.zone).date(), constraint
        )
        self._parties = Parties()
        self._traces: Batch[Sequence[Trace], None] = Batch(self._write_traces)
        self._writer = Writer(
            database, bodies, known_parties=self._parties, clock=clock, law=law, gate=gate
        )
        self._searcher = Searcher(database, bodies, self._traces, clock=clock, site=site, gate=gate)
        self._historian = Historian(database, bodies, self._traces, gate=gate, site=site)
        self._people = People(database, bodies, self._traces, zone=site.zone, gate=gate)
        self._identifier = Identifier(database, bodies, self._traces, zone=site.zone, gate=gate)
        self.introspector = Introspector(database, gate)
        self._atomic = Atomic(database, self._searcher, self._writer, gate)
        self._reads: Batch[Read, Stored] = Batch(Reader(database, bodies, gate).run)
        self._writes: Batch[Change, Written] = Batch(self._writer.run)

    async def authenticate(self, access: Access) -> Caller:
        """Return the caller of a token; for what reads nothing, such as introspection."""
        async with self.database.connection() as connection:
            return await self._gate.caller(connection, access)

    async def party_number(self, reference: str) -> int:
        """Return the surrogate number of ``Type/id``, made when nothing named it before."""
        rt, _, rid = reference.partition("/")
        async with self.database.connection() as connection:
            numbers = await self._parties.ensure(connection, [(rt, check_id(rid))])
        return numbers[rt, rid]

    async def read(
        self, access: Access, rt: str, rid: str, *, request: Request | None = None
    ) -> Stored:
        """Return the current version (FHIR R4, http.html#read)."""
        asked = request or Request("read")
        return await self._reads.submit(Read(access, rt, check_id(rid), asked))

    async def vread(
        self, access: Access, rt: str, rid: str, *, version: int, request: Request | None = None
    ) -> Stored:
        """Return one version (FHIR R4, http.html#vread)."""
        asked = request or Request("vread")
        return await self._reads.submit(Read(access, rt, check_id(rid), asked, version))

    async def history(
        self, access: Access, scope: Scope, *, request: Request | None = None
    ) -> HistoryPage:
        """Return one page of a history (FHIR R4, http.html#history)."""
        kind = "instance" if scope.rid else "type" if scope.rt else "system"
        return await self._historian.run(access, scope, request or Request(f"history-{kind}"))

    async def search(
        self,
        access: Access,
        rt: str,
        query: Pairs,
        *,
        lenient: bool = False,
        request: Request | None = None,
    ) -> Found:
        """Return one page of a search on a type (FHIR R4, search.html)."""
        asked = request or Request("search-type")
        return await self._searcher.run(access, read_query(rt, query, lenient=lenient), asked)

    async def find_mine(
        self, access: Access, text: str, *, request: Request | None = None
    ) -> list[Person]:
        """Return the caller's own patients who fit a text, misspellings forgiven."""
        return await self._people.find_mine(access, text, request or Request("search-type"))

    async def identify(
        self,
        access: Access,
        *,
        ins: str | None = None,
        traits: Traits | None = None,
        request: Request | None = None,
    ) -> Person | None:
        """Return who has this INS or all these strict traits, for the right *identify*."""
        asked = request or Request("search-type")
        return await self._identifier.identify(access, asked, ins=ins, traits=traits)

    async def candidates(
        self, access: Access, sought: Sought, *, request: Request | None = None
    ) -> list[Candidate]:
        """Return who may be the person that an outside identity names, by their strict traits."""
        asked = request or Request("search-type")
        return await candidates(self._identifier, access, asked, sought=sought)

    async def create(
        self,
        access: Access,
        rt: str,
        raw: bytes,
        *,
        if_none_exist: str | None = None,
        request: Request | None = None,
    ) -> Written:
        """Create a resource under a new id (FHIR R4, http.html#create).

        With ``if_none_exist`` the resource that already matches is returned, unchanged.
        """
        asked = request or Request("create")
        rid = new_id()
        prepared = await self._prepare(raw, rt, rid)
        change = Change(access, asked, "create", rt, rid, prepared)
        if if_none_exist is None:
            return await self._writes.submit(change)
        pairs = read_criteria(if_none_exist)

        async def work(steps: Steps) -> Written:
            await steps.take_turn(rt, pairs)
            existing = at_most_one(await steps.matches(rt, pairs))
            if existing is not None:
                steps.answer(existing)
                return Written(existing, created=False, changed=False)
            return (await steps.write([change]))[0]

        return await self._run(access, asked, work)

    async def update(
        self,
        access: Access,
        rt: str,
        rid: str,
        raw: bytes,
        *,
        if_match: int | None = None,
        request: Request | None = None,
    ) -> Written:
        """Make a new version (FHIR R4, http.html#update).

        ``system`` may create under an id of its choice.
        """
        check_body_id(_own_id(raw), check_id(rid), rt)
        prepared = await self._prepare(raw, rt, rid)
        asked = request or Request("update")
        change = Change(access, asked, "update", rt, rid, prepared, if_match)
        return await self._writes.submit(change)

    async def update_where(
        self,
        access: Access,
        rt: str,
        raw: bytes,
        *,
        criteria: Pairs,
        request: Request | None = None,
    ) -> Written:
        """Update the one resource that matches, or create it (http.html#cond-update)."""
        asked = request or Request("update")
        check_criteria(criteria)
        own = _own_id(raw)

        async def work(steps: Steps) -> Written:
            await steps.take_turn(rt, criteria)
            existing = at_most_one(await steps.matches(rt, criteria))
            if existing is None and own is not None and steps.caller.kind != Kind.SYSTEM:
                raise MethodNotAllowed("Only the server gives ids; leave the id out of the body.")
            if existing is not None and own is not None:
                check_body_id(own, existing.rid, rt)
            rid = existing.rid if existing else own or new_id()
            prepared = await self._prepare(raw, rt, rid)
            # No match is a create with an id of the server: whoever may create may do so.
            method: Method = "update" if existing or own else "create"
            return (await steps.write([Change(access, asked, method, rt, rid, prepared)]))[0]

        return await self._run(access, asked, work)

    async def relabel(
        self,
        access: Access,
        rt: str,
        rid: str,
        *,
        add: Label = NO_LABEL,
        remove: Label = NO_LABEL,
        request: Request | None = None,
    ) -> Written:
        """Make a version with other confidentiality labels, under the rules of relabelling.

        Every other byte stays as it was. Labels that are already so make no version.
        """
        return await self.relabel_as(access, Relabelling(rt, rid, add, remove), request=request)

    async def relabel_as(
        self, access: Access, wanted: Relabelling, *, request: Request | None = None
    ) -> Written:
        """Do the same, with the version that the caller believes current."""
        asked = request or Request("update")

        async def work(steps: Steps) -> Written:
            return await relabel(steps, access, asked, wanted, law=self.law, site=self.site)

        for _ in range(TRIES):
            try:
                return await self._run(access, asked, work)
            except PreconditionFailed:
                if wanted.if_match is not None:
                    raise
        raise Conflict("Others are writing the same resource; retry in a moment.")

    async def delete(
        self,
        access: Access,
        rt: str,
        rid: str,
        *,
        if_match: int | None = None,
        request: Request | None = None,
    ) -> Written:
        """Delete a resource; its versions stay in the history (FHIR R4, http.html#delete)."""
        asked = request or Request("delete")
        change = Change(access, asked, "delete", rt, check_id(rid), if_match=if_match)
        return await self._writes.submit(change)

    async def delete_where(
        self, access: Access, rt: str, *, criteria: Pairs, request: Request | None = None
    ) -> Written | None:
        """Delete the one resource that matches; None when none does."""
        asked = request or Request("delete")
        check_criteria(criteria)

        async def work(steps: Steps) -> Written | None:
            await steps.take_turn(rt, criteria)
            existing = at_most_one(await steps.matches(rt, criteria))
            if existing is None:
                return None
            return (await steps.write([Change(access, asked, "delete", rt, existing.rid)]))[0]

        return await self._run(access, asked, work)

    async def transaction(
        self, access: Access, parts: tuple[Part, ...], *, request: Request | None = None
    ) -> list[Answer]:
        """Carry out a FHIR transaction: all of it or nothing (FHIR R4, http.html#transaction)."""
        asked = request or Request("transaction")
        return await self._run(
            access, asked, lambda steps: carry_out(steps, parts, projections=self.law.projections)
        )

    @contextlib.asynccontextmanager
    async def reading(self, access: Access, request: Request) -> AsyncIterator[Reading]:
        """Open a transaction under the belt for a resource provider; its traces are written."""
        async with self.database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            system, members = parties([caller])
            await connection.execute(begin(members, system=system, rights=caller.rights))
            reading = Reading(connection, caller)
            async with traced_refusals(connection, request, caller):
                yield reading
            await write(connection, trace_reading(request, caller, reading.patients))
            await connection.execute("COMMIT")

    @contextlib.asynccontextmanager
    async def visit(
        self, access: Access, *, request: Request | None = None
    ) -> AsyncIterator[Visit]:
        """Open a visit: the reads of one page in one snapshot, traced once per patient.

        Raises:
            HygieError: the refusal of the first read that is refused, itself traced.
        """
        asked = request or Request("search-system")
        async with self.database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            system, members = parties([caller])
            await connection.execute(begin(members, system=system, snapshot=True))
            visit = Visit(connection, caller, self._searcher)
            async with traced_refusals(
                connection, asked, caller, asked=lambda: visit.patient_asked
            ):
                yield visit
            await write(connection, trace_many(asked, caller, visit.touched, rt=None))
            await connection.execute("COMMIT")

    async def _prepare(self, raw: bytes, rt: str, rid: str) -> Prepared:
        make = partial(prepare, raw, rt, rid, projections=self.law.projections, site=self.site)
        # A large body is worked on in a thread: the others must not wait for it.
        return await asyncio.to_thread(make) if len(raw) > LARGE else make()

    async def _run(
        self, access: Access, asked: Request, work: Callable[[Steps], Awaitable[T]]
    ) -> T:
        try:
            return await self._atomic.run(access, asked, work)
        except StepRefused as refused:
            raise refused.error from refused

    async def _write_traces(self, groups: Sequence[Sequence[Trace]]) -> list[BaseException | None]:
        async with self.database.connection() as connection:
            await write(connection, [trace for group in groups for trace in group])
        return [None] * len(groups)


def _own_id(raw: bytes) -> str | None:
    """Return the id a body carries, None where it cannot be read: validation will say why."""
    try:
        return server_fields(raw).id
    except ValueError:
        return None
