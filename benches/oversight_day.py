"""A day of 200,000 accesses, gathered and scored as the daily job does it.

    python benches/oversight_day.py [ACCESSES]

Fills an embedded server with 3,000 professionals in 150 structures, 60,000 patients, 600,000
resources of the last ten weeks and 900,000 older traces; then logs a day and prints how long the
job takes, how much of it is gathering, and the size of what it keeps.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hygie.domains.oversight.model.tables import weights
from hygie.domains.oversight.service import daily, gathering, scoring
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.platform import Platform, discover
from hygie.kernel.store import open_repository
from hygie.testing.database import ScratchDatabase, embedded_server

DAY = date(2026, 11, 18)
AT = datetime(2026, 11, 19, 3, tzinfo=UTC)
NUMBER = {
    name: type_number(name)
    for name in (
        *("Patient", "Practitioner", "Organization", "Appointment", "Encounter"),
        *("ServiceRequest", "MedicationRequest", "Observation"),
    )
}
_PEOPLE = """
INSERT INTO party (rt, uid) SELECT {Practitioner}, gen_random_uuid() FROM generate_series(1, 3000);
INSERT INTO party (rt, uid) SELECT {Organization}, gen_random_uuid() FROM generate_series(1, 150);
INSERT INTO party (rt, uid) SELECT {Patient}, gen_random_uuid() FROM generate_series(1, 60000);
INSERT INTO practice (member, structure, role, starts, ends, source)
SELECT n, 3001 + n % 150, '10', '2020-01-01', '2100-01-01', 0 FROM generate_series(1, 3000) n;
INSERT INTO resource_key (key, uid, rt, part, deleted)
SELECT num, uid, rt, num % 256, false FROM party;
INSERT INTO resource (key, seq, upd, present, uid, ver, pat, part, rt, label, flags, toks, body, d)
SELECT num, num, now(), 0, uid, 1, CASE WHEN rt = {Patient} THEN num END, num % 256, rt, 0, 0,
  '{{}}', '', CASE WHEN rt = {Patient} THEN timestamptz '1970-01-01' + num * interval '5 hours' END
FROM party WHERE rt <> {Organization};
"""
_NAMES = """
INSERT INTO s_string (key, part, param, norm)
SELECT num, num % 256, param, CASE kind
    WHEN 0 THEN 'nom' || (random() ^ 2 * 3000)::integer
    WHEN 1 THEN 'prenom' || (random() * 300)::integer
    WHEN 2 THEN '56' || lpad((random() * 90)::integer::text, 3, '0')
    ELSE (1 + random() * 60)::integer || ' rue ' || (random() * 60)::integer END
FROM party, unnest($1::smallint[], $2::integer[]) AS p (param, kind) WHERE rt = $3
"""
_CARE = """
INSERT INTO resource
  (key, seq, upd, present, uid, ver, pat, author, structure, part, rt, label, flags, toks, body, d)
SELECT 100000 + n, 100000 + n, now(), 0, gen_random_uuid(), 1, 3151 + (n * 7919) % 60000,
  1 + (n * 104729) % 3000, 3001 + (n * 104729) % 150, n % 256,
  (ARRAY[{Appointment}, {Encounter}, {ServiceRequest}, {MedicationRequest}, {Observation},
    {Observation}])[1 + (n % 6)::integer], 0, 0,
  ARRAY(SELECT (random() * 9e18)::bigint + n FROM generate_series(1, 10)), '',
  timestamptz '2026-11-19' - random() * interval '75 days'
FROM generate_series(1::bigint, 600000) n;
INSERT INTO care_relation (pat, member, kind, starts, ends, source)
SELECT 3151 + (n * 7919) % 60000, 1 + (n * 15485863) % 3000, 1, '2026-01-01', '2027-01-01', 0
FROM generate_series(1::bigint, 120000) n;
"""
_LOG = """
INSERT INTO trace
  (at, place, request, kind, party, pat, agent, purpose, interaction, outcome, rule, rt)
SELECT {at}, n, gen_random_uuid(), 2, 1 + ((n / 50) * 104729) % 3000,
  3151 + ((n / 3) * 7919) % 60000,
  'Practitioner/x', 'TREAT', CASE WHEN n % 5 = 0 THEN 'create' ELSE 'read' END, 200, 'care-team', 10
FROM generate_series(1::bigint, {count}) n
"""


async def fill(database: ScratchDatabase, *, accesses: int) -> None:
    """Make people, their care and the log."""
    async with database.open(role="hygie_loader", size=1) as pool, pool.connection() as connection:
        await connection.execute(_PEOPLE.format(**NUMBER))
        for rt in ("Patient", "Practitioner"):
            known = parameters(rt)
            names = ("family", "given", "address-postalcode", "address")
            numbers = [known[name].number for name in names]
            await connection.execute(_NAMES, numbers, [0, 1, 2, 3], NUMBER[rt])
        await connection.execute(_CARE.format(**NUMBER))
    async with database.open(role="hygie_owner", size=1) as pool, pool.connection() as connection:
        await connection.execute("SELECT ensure_trace_partition('2026-11-01')")
        past = "timestamptz '2026-11-18' - random() * interval '16 days'"
        await connection.execute(_LOG.format(at=past, count=900_000))
        today = "timestamptz '2026-11-18 06:00+01' + random() * interval '14 hours'"
        await connection.execute(_LOG.format(at=today, count=accesses))
    async with database.open(role="hygie_owner", size=1) as pool, pool.connection() as connection:
        await connection.execute("ANALYZE")


async def measure(database: ScratchDatabase) -> None:
    """Time the gathering alone, then the whole job."""
    platform = Platform(database.settings)
    discover(platform, "hygie.domains")
    repository = await open_repository(database.settings, law=platform.law)
    async with repository.database.transaction(system=True) as connection:
        begun = time.perf_counter()
        pairs = await gathering.lay_out(connection, DAY, ZoneInfo("Europe/Paris"))
        gathered = time.perf_counter() - begun
        ties = await connection.fetchval("SELECT count(*) FROM tie")
        begun = time.perf_counter()
        await scoring.score(connection, DAY, weights(DAY))
        print(f"{pairs:,} pairs, {ties:,} ties: gathered in {gathered:.1f} s, "
              f"scored in {time.perf_counter() - begun:.1f} s")  # fmt: skip
        await connection.execute("DELETE FROM oversight_habit; DELETE FROM oversight_look")
        await connection.execute("DELETE FROM oversight_candidate")
    begun = time.perf_counter()
    scored = await daily.score_day(repository, DAY, at=AT)
    print(f"the whole job: {time.perf_counter() - begun:.1f} s, {scored.listed} listed")
    await repository.database.close()


async def run(database: ScratchDatabase, accesses: int) -> None:
    """Fill, then measure."""
    await fill(database, accesses=accesses)
    await measure(database)


def main() -> None:
    """Run on a server of its own."""
    accesses = int(sys.argv[1]) if sys.argv[1:] else 200_000
    with (
        tempfile.TemporaryDirectory(prefix="hygie-bench-") as name,
        embedded_server(Path(name)) as server,
    ):
        asyncio.run(run(server.create(), accesses))


if __name__ == "__main__":
    main()
