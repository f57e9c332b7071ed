"""Find people: a professional's own patients, and strangers by full identity.

Two searches that never mix (architecture, "Identity search"): fuzzy search covers the patients of
the caller's care teams; the right *identify* finds a stranger by INS or full strict traits and
answers identity only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from asyncpg import Record

from hygie.kernel.audit.trace import Trace
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.fold import fold
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Access
from hygie.kernel.security.decision import decide
from hygie.kernel.security.tokens import authenticate, parties
from hygie.kernel.store import tokens
from hygie.kernel.store.batch import Batch
from hygie.kernel.store.bodies import Bodies
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.model import Person
from hygie.kernel.store.search.sql import Sql
from hygie.kernel.store.search.strings import like
from hygie.kernel.store.tracing import Request, Touched, trace_many

MOST_PEOPLE = 30
INS_SYSTEMS = (
    "urn:oid:1.2.250.1.213.1.4.8",
    "urn:oid:1.2.250.1.213.1.4.9",
    "urn:oid:1.2.250.1.213.1.4.10",
    "urn:oid:1.2.250.1.213.1.4.11",
)
_INS = re.compile(r"[0-9]{5}[0-9AB][0-9]{7}(?:[0-9]{2})?")
_DATE = re.compile(
    r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4})|(?P<iso>\d{4}-\d\d-\d\d)"
)
_CLOSE = 0.35
"""Trigram word similarity from which a misspelt name still matches."""


class People:
    """Answers searches for persons."""

    def __init__(
        self, database: Database, bodies: Bodies, traces: Batch[Sequence[Trace], None]
    ) -> None:
        self._database = database
        self._bodies = bodies
        self._traces = traces

    async def find_mine(self, access: Access, text: str, request: Request) -> list[Person]:
        """Return the caller's own patients who fit a text: names, a birth date, an INS.

        Accents, case and misspellings are forgiven; the best fit comes first. An empty text
        lists them by name.
        """
        async with self._database.connection() as connection:
            caller = await authenticate(connection, access)
            decision = decide(caller, directory=False)
            system, members = parties([caller])
            await connection.execute(begin(members, system=system))
            sql = Sql()
            conditions = [
                f"r.rt = {sql.bind(type_number('Patient'))}::smallint",
                decision.predicate("r", sql.bind),
            ]
            score = _match(sql, conditions, text)
            rows = await connection.fetch(
                f"SELECT r.rt, r.uid, r.rid, r.ver, r.pat, r.body, {score} AS score, "
                f"{decision.rule_name('r', sql.bind)} AS rule, {_name_of('r')} AS name "
                f"FROM resource r WHERE {' AND '.join(conditions)} "
                f"ORDER BY score DESC, name, r.key LIMIT {MOST_PEOPLE}",
                *sql.values,
            )
            await connection.execute("COMMIT")
        touched = [
            Touched(row["rt"], row["uid"], row["ver"], row["pat"], row["rule"]) for row in rows
        ]
        await self._traces.submit(trace_many(request, caller, touched, rt=type_number("Patient")))
        return [await self._person(row) for row in rows]

    async def _person(self, row: Record) -> Person:
        body = msgspec.json.decode(await self._bodies.load(row["body"]))
        return person_of(id_of(row["uid"], row["rid"]), body)


def person_of(rid: str, patient: Any) -> Person:
    """Return the identity a Patient states: its official name, or its first one."""
    names = patient.get("name", [])
    name = next((one for one in names if one.get("use") == "official"), names[0] if names else {})
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
        given=" ".join(name.get("given", [])),
        birth_date=patient.get("birthDate", ""),
        sex=patient.get("gender", "unknown"),
        ins=ins,
    )


def _name_of(row: str) -> str:
    number = parameters("Patient")["family"].number
    return (
        f"(SELECT min(s.norm) FROM s_string s WHERE s.part = {row}.part AND s.key = {row}.key "
        f"AND s.param = {number})"
    )


def _match(sql: Sql, conditions: list[str], text: str) -> str:
    """Add the conditions of a text and return the SQL of its score."""
    rest, born = _birth_date(text)
    rest, ins = _matricule(rest)
    if born is not None:
        conditions.append(f"(r.d AT TIME ZONE 'Europe/Paris')::date = {sql.bind(born)}::date")
    if ins is not None:
        name = stored_name("Patient", "identifier")
        conditions.append(f"r.toks @> ARRAY[{sql.long(tokens.any_system(name, ins))}]")
    words = fold(rest).split()
    if not words:
        return "0"
    param = f"{parameters('Patient')['name'].number}"
    scores = []
    for word in words:
        bound, prefix = sql.bind(word), sql.bind(f"{like(word)}%")
        fits = (
            f"(SELECT max(CASE WHEN s.norm LIKE {prefix} THEN 1.0 "
            f"ELSE strict_word_similarity({bound}, s.norm) END) FROM s_string s "
            f"WHERE s.part = r.part AND s.key = r.key AND s.param = {param})"
        )
        conditions.append(f"{fits} >= {_CLOSE}")
        scores.append(fits)
    return " + ".join(scores)


def _birth_date(text: str) -> tuple[str, date | None]:
    match = _DATE.search(text)
    if match is None:
        return text, None
    try:
        born = (
            date.fromisoformat(match["iso"])
            if match["iso"]
            else date(int(match["year"]), int(match["month"]), int(match["day"]))
        )
    except ValueError:
        raise InvalidRequest("This birth date is not a day of the calendar.") from None
    return text[: match.start()] + text[match.end() :], born


def _matricule(text: str) -> tuple[str, str | None]:
    compact = re.sub(r"(?<=[0-9AB])[ .](?=[0-9AB])", "", text.upper())
    match = _INS.search(compact)
    if match is None:
        return text, None
    return compact.replace(match[0], " "), match[0]
