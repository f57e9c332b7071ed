"""Grouped durable writes: many changes, one transaction, one fsync; one bad item fails alone.

A FHIR transaction uses the same steps, all or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg

from hygie.kernel.audit.trace import Trace, write
from hygie.kernel.clock import Clock
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Conflict, Forbidden, HygieError, Unavailable, Unprocessable
from hygie.kernel.fhir.splice import stamp
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.store.attaching import check_attached
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.change import (
    Change,
    Current,
    Effect,
    Nothing,
    Permit,
    check_change,
)
from hygie.kernel.store.detaching import check_detached
from hygie.kernel.store.facts import PartyRef, Stated
from hygie.kernel.store.law import Law
from hygie.kernel.store.locking import States, lock, stated_by
from hygie.kernel.store.model import Stored, Written
from hygie.kernel.store.parties import Parties
from hygie.kernel.store.rows import Version, part_for, whole
from hygie.kernel.store.scoping import LETTERS, scoped
from hygie.kernel.store.signing import check_signed
from hygie.kernel.store.spreading import hold, spread
from hygie.kernel.store.tracing import Touched, trace_one, trace_refusal
from hygie.kernel.store.units import Units
from hygie.kernel.store.versions import save
from hygie.kernel.store.withdrawing import withdraw

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

Result = Written | HygieError
_BODIES = """
SELECT r.key, r.rt, r.uid, r.rid, r.ver, r.pat, r.label, r.body
FROM resource r WHERE r.key = ANY ($1::bigint[])
"""
_MILLISECOND = timedelta(milliseconds=1)


class Writer:
    """Makes groups of changes durable."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        *,
        known_parties: Parties,
        clock: Clock,
        law: Law,
        gate: Gate,
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._parties = known_parties
        self._units = Units()
        self._clock = clock
        self._law = law
        self._gate = gate
        self._states = States(law.policies)

    async def run(self, changes: Sequence[Change]) -> Sequence[Result]:
        """Return, for each change, its effect or its refusal, once both are durable."""
        results: dict[int, Result] = {}
        waiting = dict(enumerate(changes))
        while waiting:
            turn = _one_each(waiting)
            results.update(await self._try_group(turn))
            for number in turn:
                del waiting[number]
        return [results[number] for number in range(len(changes))]

    async def _try_group(self, group: Mapping[int, Change]) -> dict[int, Result]:
        try:
            return await self._group(group)
        except Unavailable as error:
            # Committed or not, nobody knows: what earlier turns of the group did stays told.
            return dict.fromkeys(group, error)
        except asyncpg.PostgresError as error:
            if len(group) == 1:
                return dict.fromkeys(group, refusal_of(error))
        results: dict[int, Result] = {}
        for number, change in group.items():
            results.update(await self._try_group({number: change}))
        return results

    async def _group(self, group: Mapping[int, Change]) -> dict[int, Result]:
        async with self._database.connection() as connection:
            results: dict[int, Result] = {}
            known = await self._gate.callers(
                connection, [change.access for change in group.values()]
            )
            changes: dict[int, Change] = {}
            callers: dict[int, Caller] = {}
            for (number, change), caller in zip(group.items(), known, strict=True):
                if isinstance(caller, Caller):
                    changes[number], callers[number] = change, caller
                else:
                    results[number] = caller
            if changes:
                numbers = await self.register(connection, list(changes.values()), lasting=True)
                system, members = parties(list(callers.values()))
                await connection.execute(begin(members, system=system))
                made = await self.apply(
                    connection, list(changes.values()), list(callers.values()), numbers
                )
                await connection.execute("COMMIT")
                results.update(zip(changes, made, strict=True))
        return results

    async def register(
        self, connection: Connection, changes: Sequence[Change], *, lasting: bool
    ) -> Mapping[PartyRef, int]:
        """Make known the units and parties the changes name; return the parties' numbers.

        ``lasting`` is False inside a transaction that may be rolled back.
        """
        prepared = [change.prepared for change in changes if change.prepared is not None]
        units = [unit for one in prepared for unit in one.indexed.units]
        await self._units.ensure(connection, units, lasting=lasting)
        named = [ref for one in prepared for ref in one.parties()]
        return await self._parties.ensure(connection, named, lasting=lasting)

    async def apply(
        self,
        connection: Connection,
        changes: Sequence[Change],
        callers: Sequence[Caller],
        numbers: Mapping[PartyRef, int],
    ) -> list[Result]:
        """Make the changes inside the open transaction; each id stands at most once in them."""
        held = await hold(connection, changes, numbers)
        await lock(connection, changes)
        currents = await self._states.current(connection, changes, callers)
        rules = await self._states.content_rules(connection, changes, callers, numbers)
        effects = [_effect(*one) for one in zip(changes, callers, currents, rules, strict=True)]
        judged = list(zip(changes, currents, strict=True))
        effects = await scoped(connection, effects, numbers, callers=callers, judged=judged)
        effects = await self._guarded(connection, effects)
        effects = await check_attached(
            connection, self._states, effects, held=held, numbers=numbers
        )
        effects = await check_detached(
            connection, self._states, effects, held=held, numbers=numbers
        )
        effects = await check_signed(connection, self._states, effects, numbers=numbers)
        permits = [effect for effect in effects if isinstance(effect, Permit)]
        versions, refused = await self._versions(connection, permits, numbers)
        effects = [refused.get(id(effect), effect) for effect in effects]
        await save(connection, versions, numbers)
        await withdraw(connection, versions)
        reached = await spread(connection, held, versions, numbers)
        labels = {id(one.permit): reached.get(one.key, one.label) for one in versions}
        traces = [
            _trace(change, caller, effect, numbers, labels=labels)
            for change, caller, effect in zip(changes, callers, effects, strict=True)
        ]
        await write(connection, traces)
        made = {id(version.permit): version for version in versions}
        return [self._result(effect, made) for effect in effects]

    async def _guarded(self, connection: Connection, effects: list[Effect]) -> list[Effect]:
        """Return the effects, refused where the caller may not change the facts that are stated."""
        permits = [
            effect
            for effect in effects
            if isinstance(effect, Permit) and effect.change.rt in self._law.projections
        ]
        keys = [permit.current.key for permit in permits if permit.current is not None]
        before = await stated_by(connection, keys)
        effects = await self._protected(connection, effects)
        return [
            self._judge(effect, before) if isinstance(effect, Permit) else effect
            for effect in effects
        ]

    async def _protected(self, connection: Connection, effects: list[Effect]) -> list[Effect]:
        """Return the effects, refused where the caller may not change protected elements."""
        asked = {
            effect.current.key: effect
            for effect in effects
            if isinstance(effect, Permit)
            and effect.current is not None
            and not effect.creates
            and effect.caller.kind != Kind.SYSTEM
            and effect.change.rt in self._law.protections
        }
        if not asked:
            return effects
        refused: dict[int, HygieError] = {}
        for row in await connection.fetch(_BODIES, list(asked)):
            permit = asked[row["key"]]
            before, prepared = await self._bodies.load(row), permit.change.prepared
            try:
                self._law.protections[permit.change.rt](
                    permit.caller, permit.change.rt, before, prepared.raw if prepared else None
                )
            except HygieError as error:
                refused[id(permit)] = error
        return [refused.get(id(effect), effect) for effect in effects]

    def _judge(self, permit: Permit, before: Mapping[int, frozenset[Stated]]) -> Effect:
        change = permit.change
        former = before.get(permit.current.key, frozenset()) if permit.current else frozenset()
        stated = change.prepared.facts if change.prepared else frozenset()
        if stated == former:
            return permit
        try:
            if permit.caller.limit is not None:
                permit.caller.limit.check_named(LETTERS[change.method], change.rt)
            self._law.guard(permit.caller, change.rt, former, stated)
        except HygieError as error:
            return error
        return permit

    async def _versions(
        self, connection: Connection, permits: Sequence[Permit], numbers: Mapping[PartyRef, int]
    ) -> tuple[list[Version], dict[int, HygieError]]:
        """Return the versions, and what is refused instead, by the identity of its permit."""
        if not permits:
            return [], {}
        rows = await connection.fetch(
            "SELECT nextval('version_seq') AS seq FROM generate_series(1, $1)", len(permits)
        )
        now = self._clock.now()
        versions = [
            _version(permit, row["seq"], _instant(now, permit.current))
            for permit, row in zip(permits, rows, strict=True)
        ]
        kept = [version for version in versions if version.served is not None]
        packed = await self._bodies.pack(connection, [whole(one, numbers) for one in kept])
        made = [version for version in versions if version.served is None]
        refused: dict[int, HygieError] = {}
        for version, one in zip(kept, packed, strict=True):
            if isinstance(one, HygieError):
                refused[id(version.permit)] = one
            else:
                made.append(replace(version, body=one.body, blobs=one.blobs))
        return made, refused

    def _result(self, effect: Effect, made: Mapping[int, Version]) -> Result:
        if isinstance(effect, HygieError):
            return effect
        if isinstance(effect, Nothing):
            change, current = effect.change, effect.current
            stored = Stored(change.rt, change.rid, current.ver, current.upd, None)
            return Written(stored, created=False, changed=False)
        version = made[id(effect)]
        change = effect.change
        stored = Stored(change.rt, change.rid, effect.version, version.updated, version.served)
        return Written(stored, created=effect.creates)


def _version(permit: Permit, seq: int, updated: datetime) -> Version:
    """Return a version without its stored form."""
    change = permit.change
    key = permit.current.key if permit.current else seq
    served = None
    if change.prepared is not None:
        served = stamp(
            change.prepared.raw,
            rid=change.rid,
            version=str(permit.version),
            updated=instant_text(updated),
        )
    return Version(permit, key, seq, part_for(permit), updated, None, served=served)


def instant_text(instant: datetime) -> str:
    """Return a FHIR instant in UTC, to the millisecond.

    >>> instant_text(datetime(2026, 1, 2, 3, 4, 5, 60_000, tzinfo=UTC))
    '2026-01-02T03:04:05.060Z'
    """
    return (
        instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{instant.microsecond // 1000:03d}Z"
    )


def _instant(now: datetime, current: Current | None) -> datetime:
    """Return the time of a version: to the millisecond, and after the version before it."""
    instant = now.replace(microsecond=now.microsecond // 1000 * 1000)
    if current is not None and current.upd is not None and instant <= current.upd:
        return current.upd + _MILLISECOND
    return instant


def _one_each(waiting: Mapping[int, Change]) -> dict[int, Change]:
    """Return the first change of each id: a second one sees the effect of the first."""
    turn: dict[object, int] = {}
    for number, change in waiting.items():
        turn.setdefault(change.place, number)
    return {number: waiting[number] for number in turn.values()}


def _effect(
    change: Change,
    caller: Caller,
    current: Current | None,
    rule: str | None,
) -> Effect:
    try:
        return check_change(change, caller, current, rule)
    except HygieError as error:
        return error


def _trace(
    change: Change,
    caller: Caller,
    effect: Effect,
    numbers: Mapping[PartyRef, int],
    *,
    labels: Mapping[int, int],
) -> Trace:
    rt, uid = change.place
    if isinstance(effect, HygieError):
        return trace_refusal(change.request, caller, status=effect.status, rt=rt, uid=uid)
    if isinstance(effect, Nothing):
        touched = Touched(rt, uid, effect.current.ver, effect.current.pat, effect.rule)
        touched = replace(touched, label=effect.current.label)
        return trace_one(change.request, caller, touched, status=200)
    patients = change.prepared.indexed.patients if change.prepared else []
    pat = numbers[patients[0]] if patients else effect.current.pat if effect.current else None
    deleted = effect.current.label if effect.current and change.prepared is None else 0
    label = labels[id(effect)] or deleted
    touched = Touched(rt, uid, effect.version, pat, effect.rule, label)
    return trace_one(change.request, caller, touched, status=201 if effect.creates else 200)


def refusal_of(error: asyncpg.PostgresError) -> HygieError:
    """Return what a caller is told when PostgreSQL refuses a write."""
    if isinstance(error, asyncpg.UniqueViolationError | asyncpg.DeadlockDetectedError):
        return Conflict("Somebody else wrote the same resource at the same moment; retry.")
    if isinstance(error, asyncpg.DataError | asyncpg.ProgramLimitExceededError):
        return Unprocessable("A number, date or text of this resource is beyond what is stored.")
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return Forbidden("Your account would no longer see this, or it opens another record.")
    return Unavailable("The database could not make this change; retry in a few seconds.")
