"""Find a stranger by full identity: the right *identify* (architecture, "Identity search").

An INS, or every strict trait, selects one person or nobody. The answer is an identity and never a
record; each question leaves a trace under rule ``identify``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import msgspec
from asyncpg import Record

from hygie.kernel.audit.trace import Trace
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import Forbidden, InvalidRequest, PreconditionFailed
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.dates import interval
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Access, Caller, Kind, Right
from hygie.kernel.security.gate import Gate
from hygie.kernel.store import tokens
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.matricule import INS_SYSTEMS, read_matricule, written_forms
from hygie.kernel.store.model import Person
from hygie.kernel.store.people import person_of
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import starts_with
from hygie.kernel.store.tracing import Request, Touched, trace_many, traced_refusals

RULE = "identify"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
MOST_ALIKE = 200
"""People of one family name and birth date that are compared one by one."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Traits:
    """The strict traits, all of them (RNIV, identity of the person).

    ``sex`` is ``male``, ``female`` or ``unknown``; ``birth_place`` is the INSEE code of the
    commune or of the country.
    """

    family: str
    given: str
    birth_date: date
    sex: str
    birth_place: str


class Identifier:
    """Answers who somebody is."""

    def __init__(
        self,
        database: Database,
        bodies: Bodies,
        traces: Batch[Sequence[Trace], None],
        *,
        zone: tzinfo,
        gate: Gate,
    ) -> None:
        self._gate = gate
        self._database = database
        self._bodies = bodies
        self._traces = traces
        self.zone = zone

    async def identify(
        self, access: Access, request: Request, *, ins: str | None, traits: Traits | None
    ) -> Person | None:
        """Return the one person with this INS, or with all these traits; None where nobody has.

        Raises:
            Forbidden: the caller has not the right *identify*.
            InvalidRequest: the INS cannot be read, or there are neither traits nor an INS.
            PreconditionFailed: several people fit; none of them is told.
        """
        rt = type_number("Patient")
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            # The one question about people whom no relation opens: the belt lets this
            # transaction see every patient, the right and the full traits stand in its place.
            await connection.execute(begin([], system=True))
            async with traced_refusals(connection, request, caller, rt=rt):
                check_may_identify(caller)
                text, values = _statement(ins, traits, self.zone)
                rows = await connection.fetch(text, *values)
                found = [one for one in [await self._read(row) for row in rows] if one is not None]
                alike = [one for one in found if _fits(one[1], ins, traits)]
                if len(alike) > 1:
                    raise PreconditionFailed(
                        "Several people fit: add the INS, or check that every trait is exact."
                    )
            await connection.execute("COMMIT")
        await self._trace(request, caller, [row for row, _ in alike])
        return next((person_of(id_of(row["uid"], row["rid"]), body) for row, body in alike), None)

    async def near(
        self,
        access: Access,
        request: Request,
        *,
        check: Callable[[Caller], None],
        statement: tuple[str, Sequence[object]],
    ) -> list[tuple[str, Json]]:
        """Return the reference and body of who a statement finds, inactive records left out.

        Raises:
            Forbidden: ``check`` refuses the caller.
        """
        rt = type_number("Patient")
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            await connection.execute(begin([], system=True))
            async with traced_refusals(connection, request, caller, rt=rt):
                check(caller)
                rows = await connection.fetch(statement[0], *statement[1])
                read = [await self._read(row) for row in rows]
            await connection.execute("COMMIT")
        found = [one for one in read if one is not None]
        await self._trace(request, caller, [row for row, _ in found])
        return [(f"Patient/{id_of(row['uid'], row['rid'])}", body) for row, body in found]

    async def _trace(self, request: Request, caller: Caller, rows: Sequence[Record]) -> None:
        rt = type_number("Patient")
        touched = [Touched(rt, row["uid"], row["ver"], row["pat"], RULE) for row in rows]
        traces = trace_many(request, caller, touched, rt=rt)
        await self._traces.submit([msgspec.structs.replace(one, rule=RULE) for one in traces])

    async def _read(self, row: Record) -> tuple[Record, Json] | None:
        body: Json = msgspec.json.decode(await self._bodies.load(row))
        return (row, body) if body.get("active") is not False else None


_MAY_IDENTIFY = {
    Kind.PROFESSIONAL: frozenset({Right.IDENTIFY}),
    # Who stands before a desk shows a card or a paper: the agent finds whom it names.
    Kind.ADMINISTRATOR: frozenset({Right.DESK, Right.REGISTER}),
}


def check_may_identify(caller: Caller) -> None:
    """Check that the caller may look for strangers.

    Raises:
        Forbidden: they may not.
    """
    if caller.kind == Kind.SYSTEM:
        return
    if not caller.rights & _MAY_IDENTIFY.get(caller.kind, frozenset()):
        raise Forbidden("Your account may not look for people outside your own patients.")
    if caller.limit is not None:
        caller.limit.check_own("s", "Patient", caller.party)


def _statement(ins: str | None, traits: Traits | None, zone: tzinfo) -> tuple[str, list[object]]:
    sql = Sql()
    conditions = [f"r.rt = {sql.bind(type_number('Patient'))}::smallint"]
    if ins is not None:
        name = stored_name("Patient", "identifier")
        forms = written_forms(read_matricule(ins))
        asked = [tokens.code_token(name, one, form) for one in INS_SYSTEMS for form in forms]
        conditions.append(f"r.toks && {sql.longs(asked)}")
    if traits is not None:
        low, _ = interval(traits.birth_date.isoformat(), zone)
        conditions.append(f"r.d = {sql.instant(low)}")
        family = sql.bind(parameters("Patient")["family"].number)
        conditions.append(
            "(r.part, r.key) IN (SELECT s.part, s.key FROM s_string s "
            f"WHERE s.param = {family}::smallint AND {starts_with(sql, fold(traits.family))})"
        )
    if ins is None and (traits is None or not _complete(traits)):
        raise InvalidRequest("Give an INS, or every strict trait: names, birth, sex, birth place.")
    return (
        (
            "SELECT r.rt, r.uid, r.rid, r.ver, r.pat, r.body FROM resource r "
            f"WHERE {' AND '.join(conditions)} ORDER BY r.key LIMIT {MOST_ALIKE}"
        ),
        sql.values,
    )


def _complete(traits: Traits) -> bool:
    return all(fold(text) for text in (traits.family, traits.given, traits.sex, traits.birth_place))


def _fits(body: Json, ins: str | None, traits: Traits | None) -> bool:
    """Compare with the body itself: the index finds candidates, hashes may collide."""
    return (ins is None or _has_ins(body, ins)) and (traits is None or _has_traits(body, traits))


def _has_ins(body: Json, ins: str) -> bool:
    forms = written_forms(read_matricule(ins))
    return any(
        one.get("system") in INS_SYSTEMS and one.get("value") in forms
        for one in body.get("identifier", [])
    )


def _has_traits(body: Json, traits: Traits) -> bool:
    return (
        body.get("birthDate") == traits.birth_date.isoformat()
        and body.get("gender") == traits.sex
        and birth_place(body) == traits.birth_place
        and any(_same_name(name, traits) for name in body.get("name", []))
    )


def _same_name(name: Json, traits: Traits) -> bool:
    given = name.get("given") or [""]
    return (
        name.get("use") in (None, "official")
        and fold(name.get("family", "")) == fold(traits.family)
        and fold(given[0]) == fold(traits.given)
    )


def birth_place(patient: Json) -> str | None:
    """Return the INSEE code of the place of birth (FR Core, extension ``inseeCode``)."""
    for place in patient.get("extension", []):
        if place.get("url") != BIRTH_PLACE:
            continue
        for inner in place.get("valueAddress", {}).get("extension", []):
            if str(inner.get("url", "")).endswith("insee-code"):
                return str(inner.get("valueCoding", {}).get("code", ""))
    return None
