"""Many synthetic rows of the store, made in SQL in seconds: for plan shapes and their benches.

Only rows, no readable bodies: statements run on them, reads do not. Patients are scattered over the
table as they are in life, where a day brings something of everybody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.matters import matter_of
from hygie.kernel.security.relations import OF_THE_RECORD, Relation
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.index import NAMES_PATIENT

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

SYSTEM = "http://loinc.org"
CODES = 50
EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_FAMILIES = ("le goff", "moreau", "benali", "kerouedan", "nguyen", "da silva", "petit", "diallo")
_PARTIES = """
INSERT INTO party (rt, uid)
SELECT $1, md5($2 || n)::uuid FROM generate_series(1, $3::integer) AS n ORDER BY n
RETURNING num
"""
_RESOURCES = """
INSERT INTO resource (key, seq, upd, present, code, d, uid, ver, pat, author, part, rt, label,
                      flags, matter, frequent, toks, body)
SELECT n + $1::bigint, n + $1::bigint,
       $5::timestamptz + n * interval '3 minutes' + interval '1 hour', -1,
       ($4::bigint[])[1 + n % cardinality($4)],
       $5::timestamptz + n * interval '3 minutes', md5('r' || $1 || n)::uuid, 1,
       ($2::integer[])[1 + (n * 7919 + n / 13) % cardinality($2)], $6::integer, n % 256,
       $3::smallint, 1, $9::smallint, $7::smallint, NULL,
       ARRAY [($8::bigint[])[1 + n % cardinality($8)], hashint8extended(n, 7)],
       decode(repeat(md5(n::text), 12), 'hex')
FROM generate_series(1, $10::bigint) AS n
"""
_PEOPLE = """
INSERT INTO resource (key, seq, upd, present, d, uid, ver, pat, part, rt, label, flags, matter,
                      toks, body)
SELECT $1::bigint + n, $1::bigint + n, now(), -1, '1980-01-01', md5('p' || n)::uuid, 1,
       ($2::integer[])[n], n % 256, $3::smallint, 1, $4::smallint, $5::smallint,
       ARRAY [hashint8extended(n, 8)], '\\x00'
FROM generate_series(1, cardinality($2::integer[])) AS n
"""
_NAMES = """
INSERT INTO s_string (key, part, param, norm)
SELECT $1::bigint + n, n % 256, p.param,
       ($3::text[])[1 + n % cardinality($3)] || substr(md5(n::text), 1, 3)
FROM generate_series(1, $2::integer) AS n CROSS JOIN unnest($4::smallint[]) AS p (param)
"""
_RELATIONS = """
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
SELECT p.pat, $2::integer, $3::smallint, '-infinity', 'infinity', 0
FROM unnest($1::integer[]) AS p (pat)
"""
_TEAMS = """
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
SELECT p.pat, ($2::integer[])[1 + (p.n * 31 + t * 17) % cardinality($2)], $3::smallint,
       '-infinity', 'infinity', 0
FROM unnest($1::integer[]) WITH ORDINALITY AS p (pat, n) CROSS JOIN generate_series(1, 5) AS t
"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was made.

    Attributes:
        patients: numbers of all patients.
        mine: those in whose care team the doctor is.
        doctor: the professional of the searches.
        patient: the first of ``mine``, as a caller.
        rows: rows of table ``resource``.
    """

    patients: list[int]
    mine: list[int]
    doctor: Caller
    patient: Caller
    rows: int


async def gather(connection: Connection, *, patients: int, team: int, rows: int) -> Crowd:
    """Fill an empty store with Observations and Conditions; the loader's role is needed.

    Four rows of five are Observations, of ``CODES`` codes. Every patient agreed that the team
    reads; five other professionals stand in each team.
    """
    people = [
        row["num"]
        for row in await connection.fetch(_PARTIES, type_number("Patient"), "p", patients)
    ]
    doctors = [
        row["num"]
        for row in await connection.fetch(_PARTIES, type_number("Practitioner"), "d", 500)
    ]
    mine = people[:: max(1, patients // team)][:team]
    await _fill(connection, people, doctors, rows)
    await connection.execute(_RELATIONS, people, OF_THE_RECORD, int(Relation.TEAM_CONSENT))
    await connection.execute(_RELATIONS, mine, doctors[0], int(Relation.CARE_TEAM))
    await connection.execute(_TEAMS, people, doctors[1:], int(Relation.CARE_TEAM))
    await connection.execute(
        "INSERT INTO practice (member, role, starts, ends, source) "
        "VALUES ($1, '10', '-infinity', 'infinity', 0)",
        doctors[0],
    )
    doctor = Caller(Kind.PROFESSIONAL, doctors[0], "Practitioner/doctor")
    patient = Caller(Kind.PATIENT, mine[0], "Patient/first", purpose="PATRQT")
    return Crowd(people, mine, doctor, patient, rows + patients)


async def _fill(connection: Connection, people: list[int], doctors: list[int], rows: int) -> None:
    start = 0
    for rt, share, category in (("Observation", 4, "laboratory"), ("Condition", 1, "")):
        count = rows * share // 5
        name = stored_name(rt, "code")
        await connection.execute(
            _RESOURCES,
            start,
            people,
            type_number(rt),
            [tokens.code_token(name, SYSTEM, code_of(place)) for place in range(CODES)],
            EPOCH,
            doctors[1],
            matter_of(rt, [category] if category else []),
            [tokens.any_system(name, code_of(place)) for place in range(CODES)],
            NAMES_PATIENT,
            count,
        )
        start += count
    patient = type_number("Patient")
    await connection.execute(
        _PEOPLE, start, people, patient, NAMES_PATIENT, matter_of("Patient", [])
    )
    known = parameters("Patient")
    numbers = [known["name"].number, known["family"].number]
    await connection.execute(_NAMES, start, len(people), list(_FAMILIES), numbers)


def code_of(place: int) -> str:
    """Return one of the codes."""
    return f"c{place}"
