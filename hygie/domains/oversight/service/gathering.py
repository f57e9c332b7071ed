"""Lay out a day for scoring: the log, relations, practices, and what resources say of both.

Runs as the job ``oversight`` in a transaction of the repository. Nothing but numbers of parties,
dates and folded names is read, and nothing of it leaves the temporary tables.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hygie.domains.oversight.model.tables import PACKAGE
from hygie.domains.oversight.service.scoring import execute, open_day
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.caller import Kind
from hygie.kernel.security.relations import OF_THE_RECORD, Relation
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import columns_of, stored_name
from hygie.kernel.store.ids import id_of

if TYPE_CHECKING:
    from asyncpg import Connection

LOOKED_BACK, LOOKED_AHEAD = timedelta(days=75), timedelta(days=15)
"""Days around an access in which a resource may explain it; no window of the tables is longer."""
TEAMS = {
    Relation.CARE_TEAM: "care-team",
    Relation.TREATING: "treating",
    Relation.CONSENTED: "consented",
    Relation.EMERGENCY: "emergency",
    Relation.CENTRE_15: "emergency",
}

_SEEN = """
INSERT INTO seen (party, pat, first, trace, looks, hours)
SELECT party, pat, min(at), (array_agg(id ORDER BY at, id))[1], count(*),
  bit_or(1 << date_part('hour', at AT TIME ZONE {zone})::integer)
FROM trace
WHERE at >= {low} AND at < {high} AND kind = {professional}::smallint AND party > 0
  AND pat IS NOT NULL AND outcome < 400 AND rt IS DISTINCT FROM {log}::smallint
GROUP BY party, pat
"""
_SIDES = """
INSERT INTO side (party, other, through)
SELECT DISTINCT party, party, 'self' FROM seen
UNION
SELECT member, structure, 'structure' FROM practice
WHERE structure IS NOT NULL AND starts < {high} AND ends > {low}
UNION
SELECT r.member, r.pat, 'principal' FROM care_relation r
WHERE r.kind = {acts_under}::smallint AND r.starts < {high} AND r.ends > {low}
  AND r.member IN (SELECT party FROM seen)
"""
_RELATIONS = """
INSERT INTO tie (party, pat, kind, starts, ends)
SELECT r.member, r.pat, k.name, (r.starts AT TIME ZONE {zone})::date,
  (r.ends AT TIME ZONE {zone})::date
FROM (SELECT DISTINCT pat FROM seen) s
JOIN care_relation r ON r.pat = s.pat AND r.member <> {record}::integer
JOIN unnest({kinds}::smallint[], {names}::text[]) AS k (kind, name) ON k.kind = r.kind
"""
_ACTS = """
INSERT INTO tie (party, pat, kind, starts, ends)
SELECT DISTINCT t.party, t.pat, 'act', (t.at AT TIME ZONE {zone})::date,
  (t.at AT TIME ZONE {zone})::date
FROM (SELECT DISTINCT pat FROM seen) s
JOIN trace t ON t.pat = s.pat AND t.at >= {since} AND t.at < {high}
WHERE t.kind = {professional}::smallint AND t.outcome < 400
  AND t.interaction IN ('create', 'update', 'patch', 'delete')
"""
_NAMED = """
CREATE TEMPORARY TABLE named (rt smallint, token bigint, party integer, kind text) ON COMMIT DROP
"""
_RESOURCES = """
INSERT INTO tie (party, pat, kind, starts, ends)
WITH near AS MATERIALIZED (
  SELECT r.rt, r.pat, r.author, r.structure, r.toks,
    (r.d AT TIME ZONE {zone})::date AS starts,
    (coalesce(r.dhi - interval '1 second', r.d) AT TIME ZONE {zone})::date AS ends
  FROM (SELECT DISTINCT pat FROM seen) s
  JOIN resource r ON r.pat = s.pat AND r.rt = ANY ({types}::smallint[])
   AND r.d < {ahead} AND coalesce(r.dhi, r.d) >= {since}
)
SELECT DISTINCT n.party, near.pat, n.kind, near.starts, least(near.ends, {last}::date)
FROM near CROSS JOIN LATERAL unnest(near.toks) AS t (token)
JOIN named n ON n.rt = near.rt AND n.token = t.token
UNION
SELECT near.author, near.pat, k.kind, near.starts, least(near.ends, {last}::date)
FROM near JOIN unnest({authored}::smallint[], {author_kinds}::text[]) AS k (rt, kind) USING (rt)
WHERE near.author IS NOT NULL
UNION
SELECT near.structure, near.pat, k.kind, near.starts, least(near.ends, {last}::date)
FROM near JOIN unnest({kept}::smallint[], {keeper_kinds}::text[]) AS k (rt, kind) USING (rt)
WHERE near.structure IS NOT NULL
"""
# A result explains who asked for it: a report that follows an order of the same patient.
_RESULTS = """
INSERT INTO tie (party, pat, kind, starts, ends)
SELECT DISTINCT o.party, o.pat, 'result', (r.d AT TIME ZONE {zone})::date,
  (r.d AT TIME ZONE {zone})::date
FROM tie o
JOIN resource r ON r.pat = o.pat AND r.rt = {report}::smallint AND r.d >= {since} AND r.d < {high}
WHERE o.kind = 'order' AND (r.d AT TIME ZONE {zone})::date >= o.starts
"""
_PEOPLE = """
CREATE TEMPORARY TABLE person ON COMMIT DROP AS
SELECT p.num, k.key, k.part, CASE WHEN p.rt = {patient}::smallint THEN p.rt END AS patient
FROM (SELECT party AS num FROM side UNION SELECT pat FROM seen) n
JOIN party p USING (num)
JOIN resource_key k ON k.rt = p.rt AND k.uid = p.uid AND NOT k.deleted
WHERE p.rt IN ({patient}::smallint, {practitioner}::smallint)
"""
_WHO = """
INSERT INTO who (party, families, givens, birth, postal, line)
SELECT n.num, coalesce(s.families, '{{}}'), coalesce(s.givens, '{{}}'), b.birth,
  coalesce(s.postal, ''), coalesce(s.line, '')
FROM person n
LEFT JOIN (
  SELECT n.num,
    array_agg(DISTINCT s.norm) FILTER (WHERE s.param = ANY ({family}::smallint[])) AS families,
    array_agg(DISTINCT s.norm) FILTER (WHERE s.param = ANY ({given}::smallint[])) AS givens,
    min(s.norm) FILTER (WHERE s.param = ANY ({postal}::smallint[])) AS postal,
    min(s.norm) FILTER (WHERE s.param = ANY ({address}::smallint[])
      AND s.norm ~ '^[0-9]+ *(bis |ter |quater )? *[a-z]') AS line
  FROM person n JOIN s_string s ON s.key = n.key AND s.part = n.part
  WHERE s.param = ANY ({family}::smallint[] || {given}::smallint[] || {postal}::smallint[]
    || {address}::smallint[])
  GROUP BY n.num
) s USING (num)
LEFT JOIN (
  SELECT n.num, (r.d AT TIME ZONE {zone})::date AS birth
  FROM person n JOIN resource r ON r.key = n.key AND r.part = n.part
  WHERE n.patient IS NOT NULL
) b USING (num)
"""


async def lay_out(connection: Connection, day: date, zone: ZoneInfo) -> int:
    """Fill the tables of ``model.scoring`` for one local day; return how many pairs it has."""
    low = datetime.combine(day, time(), zone)
    values = {
        "zone": zone.key,
        "low": low,
        "high": datetime.combine(day + timedelta(days=1), time(), zone),
        "since": low - LOOKED_BACK,
        "ahead": low + LOOKED_AHEAD,
        "last": (low + LOOKED_AHEAD).date(),
        **_constants(),
    }
    await open_day(connection)
    await connection.execute(_NAMED)
    for statement in (_SEEN, _SIDES, "ANALYZE seen, side", _RELATIONS, _ACTS):
        await execute(connection, statement, values)
    await _name(connection)
    for statement in (_RESOURCES, _RESULTS, _PEOPLE, "ANALYZE person", _WHO):
        await execute(connection, statement, values)
    pairs: int = await connection.fetchval("SELECT count(*) FROM seen")
    return pairs


async def _name(connection: Connection) -> None:
    """Compute by what token each professional and structure of the day is named in resources."""
    rows = await connection.fetch(
        "SELECT num, rt, uid, rid FROM party WHERE num IN (SELECT other FROM side "
        "WHERE party IN (SELECT party FROM seen))"
    )
    references = [(row["num"], type_name(row["rt"]), id_of(row["uid"], row["rid"])) for row in rows]
    named = [
        (type_number(rt), tokens.reference_token(stored_name(rt, code), *reference), number, kind)
        for number, *reference in references
        for rt, code, kind in _ties()
    ]
    await connection.copy_records_to_table("named", records=named)
    await connection.execute("CREATE INDEX ON named (token); ANALYZE named")


@cache
def _ties() -> tuple[tuple[str, str, str], ...]:
    """Return what ties a professional to a patient: type, search parameter, kind of tie."""
    text = files(PACKAGE).joinpath("definitions/ties.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["type"], row["parameter"], row["kind"]) for row in rows)


@cache
def _constants() -> dict[str, object]:
    promoted = [
        (type_number(rt), kind, code in columns_of(rt).author, code in columns_of(rt).structure)
        for rt, code, kind in _ties()
    ]
    authored = sorted({(rt, kind) for rt, kind, author, _ in promoted if author})
    kept = sorted({(rt, kind) for rt, kind, _, keeper in promoted if keeper})
    return {
        "professional": int(Kind.PROFESSIONAL),
        "log": type_number("AuditEvent"),
        "acts_under": int(Relation.ACTS_UNDER),
        "record": OF_THE_RECORD,
        "kinds": [int(kind) for kind in TEAMS],
        "names": list(TEAMS.values()),
        "types": sorted({type_number(rt) for rt, _, _ in _ties()}),
        "authored": [rt for rt, _ in authored],
        "author_kinds": [kind for _, kind in authored],
        "kept": [rt for rt, _ in kept],
        "keeper_kinds": [kind for _, kind in kept],
        "report": type_number("DiagnosticReport"),
        "patient": type_number("Patient"),
        "practitioner": type_number("Practitioner"),
        **{
            name: _numbers(code)
            for name, code in (
                ("family", "family"),
                ("given", "given"),
                ("postal", "address-postalcode"),
                ("address", "address"),
            )
        },
    }


def _numbers(code: str, types: Iterable[str] = ("Patient", "Practitioner")) -> list[int]:
    return [parameters(rt)[code].number for rt in types]
