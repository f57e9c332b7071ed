"""Find one's own patients by name, birth date or INS, misspellings forgiven.

Fuzzy search covers the patients of the caller's care teams and nobody else; a stranger is found by
full identity only, in ``identifying`` (architecture, "Identity search").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

import msgspec
from asyncpg import Record

from hygie.kernel.audit.trace import Trace
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.dates import PARIS, interval
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Access, Caller, Kind
from hygie.kernel.security.decision import Decision
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.store import tokens
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.birth_dates import find_birth_date
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.matricule import INS_SYSTEMS, find_matricule, written_forms
from hygie.kernel.store.model import Person
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import like
from hygie.kernel.store.tracing import Request, Touched, trace_many, traced_refusals

MOST_PEOPLE = 30
MOST_WORDS = 8
_CLOSE = 0.35
"""Trigram word similarity from which a misspelt name still matches."""


class People:
    """Answers searches for persons."""

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
        self._zone = zone

    async def find_mine(self, access: Access, text: str, request: Request) -> list[Person]:
        """Return the caller's own patients who fit a text: names, a birth date, an INS.

        Accents, case and misspellings are forgiven; the best fit comes first. An empty text
        lists them by name.
        """
        rt = type_number("Patient")
        async with self._database.connection() as connection:
            caller = await self._gate.caller(connection, access)
            system, members = parties([caller])
            await connection.execute(begin(members, system=system))
            async with traced_refusals(connection, request, caller, rt=rt):
                decision = self._gate.decide(caller, directory=False, rt="Patient")
                statement, values = find_statement(decision, text, zone=self._zone)
                rows = await connection.fetch(statement, *values)
            await connection.execute("COMMIT")
        touched = [
            Touched(row["rt"], row["uid"], row["ver"], row["pat"], row["rule"], row["label"])
            for row in rows
        ]
        await self._traces.submit(trace_many(request, caller, touched, rt=rt))
        return [await self._person(row) for row in rows]

    async def _person(self, row: Record) -> Person:
        body = msgspec.json.decode(await self._bodies.load(row))
        return person_of(id_of(row["uid"], row["rid"]), body)


def person_of(rid: str, patient: Any) -> Person:
    """Return the identity a Patient states, under the name in use beside the one of birth."""
    names = patient.get("name", [])
    official: Any = next((one for one in names if one.get("use") == "official"), {})
    name: Any = next((one for one in names if one.get("use") == "usual"), official)
    name = name or next(iter(names), {})
    ins = next(
        (
            one.get("value")
            for one in patient.get("identifier", [])
            if one.get("system") in INS_SYSTEMS
        ),
        None,
    )
    return Person(
        reference=f"Patient/{rid}",
        family=name.get("family", ""),
        given=" ".join(name.get("given") or official.get("given", [])),
        birth_date=patient.get("birthDate", ""),
        sex=patient.get("gender", "unknown"),
        ins=ins,
        birth_family=_birth_family(official, name),
    )


def _birth_family(official: Any, shown: Any) -> str:
    """Return the family name of birth where it is not the one that is shown."""
    at_birth = str(official.get("family", ""))
    return "" if fold(at_birth) == fold(shown.get("family", "")) else at_birth


def find_statement(
    decision: Decision, text: str, *, zone: tzinfo = PARIS
) -> tuple[str, list[object]]:
    """Return the statement: the caller's relations drive it, names are read once a patient."""
    sql = Sql()
    conditions = [
        f"r.rt = {sql.bind(type_number('Patient'))}::smallint",
        decision.predicate("r", sql.bind),
        *_whose(sql, decision.caller),
    ]
    rest, born = find_birth_date(text)
    rest, ins = find_matricule(rest)
    if born is not None:
        low, high = interval(born.isoformat(), zone)
        conditions.append(f"r.d >= {sql.instant(low)} AND r.d < {sql.instant(high)}")
    if ins is not None:
        name = stored_name("Patient", "identifier")
        forms = [tokens.any_system(name, form) for form in written_forms(ins)]
        conditions.append(f"r.toks && {sql.longs(forms)}")
    words = fold(rest).split()[:MOST_WORDS]
    scores = [_score(sql, word) for word in words]
    read = ", ".join(f"{score} AS w{place}" for place, score in enumerate(scores))
    conditions += [f"n.w{place} >= {_CLOSE}" for place in range(len(words))]
    total = " + ".join(f"n.w{place}" for place in range(len(words))) or "0"
    known = parameters("Patient")
    statement = (
        f"SELECT r.rt, r.uid, r.rid, r.ver, r.pat, r.label, r.body, {total} AS score, n.family, "
        f"{decision.rule_name('r', sql.bind)} AS rule FROM resource r CROSS JOIN LATERAL ("
        f"SELECT min(s.norm) FILTER (WHERE s.param = {known['family'].number}) AS family"
        f"{', ' if read else ''}{read} FROM s_string s WHERE s.part = r.part AND s.key = r.key "
        f"AND s.param IN ({known['name'].number}, {known['family'].number})) n "
        f"WHERE {' AND '.join(conditions)} "
        f'ORDER BY score DESC, n.family COLLATE "C", r.key LIMIT {MOST_PEOPLE}'
    )
    return statement, sql.values


def _whose(sql: Sql, caller: Caller) -> list[str]:
    """Return the condition that narrows the search to the caller's relations, for the planner."""
    if caller.kind == Kind.SYSTEM:
        return []
    mine = f"{sql.bind([*caller.own, *sorted(caller.principals)])}::integer[]"
    related = f"SELECT c.pat FROM care_relation c WHERE c.member = ANY ({mine})"
    return [f"r.pat = ANY (ARRAY (SELECT unnest({mine}) UNION {related}))"]


def _score(sql: Sql, word: str) -> str:
    """Return how well a word fits the best of the names: 1 where one starts with it.

    A name of several words is also read as one: "legof" is close to "le goff".
    """
    prefix, asked = sql.bind(f"{like(word)}%"), sql.bind(word)
    return (
        f"max(CASE WHEN s.norm LIKE {prefix} THEN 1.0 "
        f"WHEN s.norm LIKE '% %' THEN greatest(strict_word_similarity({asked}, s.norm), "
        f"similarity({asked}, replace(s.norm, ' ', ''))) "
        f"ELSE strict_word_similarity({asked}, s.norm) END)"
    )
