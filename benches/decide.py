"""Promises: a decision in memory in 2 µs; decision and belt within 0.5 ms of no check at all.

    python benches/decide.py [PATIENTS]

Decisions are those of the product's rules on random cases (the ones that are compared with the
decision tables). Lists are the newest 20 observations of one patient among PATIENTS (2,000 by
default) whose records hold 40 each, all of them patients of the doctor who asks: the same search by
the operator under a role that no belt holds is the baseline, in the same run, turn by turn.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from harness import scratch

from hygie.kernel.config import Settings
from hygie.kernel.database.session import connect
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.law import Law
from hygie.kernel.store.tracing import Request
from hygie.kernel.store.visits import Visit
from hygie.testing.database import ScratchDatabase
from hygie.testing.proof.cases import Cases

DECISION, LIST = 2.0, 0.5
"""Promised: microseconds, milliseconds."""
CASES, LISTS, EACH = 200_000, 400, 40
FACTS = ((0, 17), (0, 23), (0, 21), (2, 8), (2, 1), (2, 3))
"""Further facts of each record, beside the doctor's: member (0: of the record), kind."""


def law_of_the_product(settings: Settings) -> Law:
    """Return the law that the domains give."""
    platform = Platform(settings)
    discover(platform, "hygie.domains")
    return platform.law


def decisions(law: Law) -> float:
    """Return the microseconds of CPU of one decision to read, the best of five rounds."""
    cases = [(case.caller, case.subject) for case in Cases(7).draw(CASES)]
    allowing = law.policies.read.allowing
    rounds = []
    for _ in range(5):
        begin = time.process_time()
        for caller, subject in cases:
            allowing(caller, subject)
        rounds.append(time.process_time() - begin)
    return min(rounds) / CASES * 1e6


async def populate(database: ScratchDatabase, law: Law, patients: int) -> tuple[Caller, list[str]]:
    """Write the records; return the doctor and the references of the patients."""
    references = [f"Patient/d-{number}" for number in range(patients)]
    repository = await open_repository(database.settings, law=law)
    try:
        doctor = await repository.party_number("Practitioner/d-doctor")
        await repository.party_number("Practitioner/d-other")
        await asyncio.gather(*(_observe(repository, one) for one in references))
        numbers = [await repository.party_number(one) for one in references]
    finally:
        await repository.database.close()
    _multiply(database, doctor, numbers)
    return Caller(Kind.PROFESSIONAL, doctor, "Practitioner/d-doctor"), references


async def _observe(repository: Repository, reference: str) -> None:
    rid = reference.replace("Patient/d-", "d-o")
    body = {
        "resourceType": "Observation", "id": rid, "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": reference}, "effectiveDateTime": "2024-05-06",
    }  # fmt: skip
    await repository.update(SYSTEM, "Observation", rid, msgspec.json.encode(body))


def _multiply(database: ScratchDatabase, doctor: int, patients: list[int]) -> None:
    """Copy each observation, a day apart, and state the facts of every record."""
    with connect(database.admin_dsn) as session:
        columns = [
            row[0]
            for row in session.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'hygie.resource'::regclass"
                " AND attnum > 0 AND NOT attisdropped"
            )
        ]
        changed = {
            "key": "nextval('hygie.version_seq')", "seq": "nextval('hygie.version_seq')",
            "uid": "gen_random_uuid()", "rid": "NULL", "d": "r.d + g * interval '1 day'",
            "xid": "pg_current_xact_id()",
        }  # fmt: skip
        chosen = ", ".join(changed.get(name, f"r.{name}") for name in columns)
        session.execute(
            f"INSERT INTO hygie.resource ({', '.join(columns)}) "
            f"SELECT {chosen} FROM hygie.resource r, generate_series(1, {EACH - 1}) g".encode()
        )
        rows = [(pat, doctor, 1) for pat in patients]
        rows += [(pat, member and doctor + 1, kind) for pat in patients for member, kind in FACTS]
        with session.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO hygie.care_relation (pat, member, kind, starts, ends, source)"
                " VALUES (%s, %s, %s, '2000-01-01', '2900-01-01', 0)",
                rows,
            )
        session.execute(
            "INSERT INTO hygie.practice (member, structure, role, starts, ends, source)"
            " VALUES (%s, NULL, '10', '2000-01-01', '2900-01-01', 0)",
            [doctor],
        )
        session.execute("VACUUM ANALYZE")


@asynccontextmanager
async def visiting(
    database: ScratchDatabase, law: Law, caller: Caller, *, belt: bool
) -> AsyncIterator[Visit]:
    """Open a visit of a caller; without the belt, as the superuser of the server."""
    dsn = database.dsn if belt else database.admin_dsn
    repository = await open_repository(database.settings, law=law, dsn=dsn, size=1)
    try:
        if not belt:
            async with repository.database.connection() as connection:
                await connection.execute("SET ROLE NONE")
                await connection.execute("SET row_security = off")
        async with repository.visit(caller, request=Request("search-type")) as visit:
            yield visit
    finally:
        await repository.database.close()


async def lists(
    database: ScratchDatabase, law: Law, patients: int
) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of each list: without any check, and with decision and belt."""
    doctor, references = await populate(database, law, patients)
    chance = random.Random(3)
    found = {}
    async with (
        visiting(database, law, SYSTEM, belt=False) as free,
        visiting(database, law, doctor, belt=True) as held,
    ):
        for name, query, count in (
            ("newest 20 of a patient", _of_patient, LISTS),
            ("count of a patient", _count_of_patient, LISTS),
            ("newest 20 of all my patients", _of_all, 20),
        ):
            asked = [query(chance.choice(references)) for _ in range(count)]
            found[name] = await _in_turn(free, held, asked)
    return found


async def _in_turn(
    free: Visit, held: Visit, asked: list[list[tuple[str, str]]]
) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for query in [*asked[:10], *asked]:
        answers = []
        for visit, measured in zip((free, held), times, strict=True):
            begin = time.perf_counter()
            page = await visit.search("Observation", query)
            measured.append((time.perf_counter() - begin) * 1e3)
            answers.append([entry.stored.rid for entry in page.entries] or page.total)
        if answers[0] != answers[1]:
            raise SystemExit(f"the two lists differ for {query}")
    return statistics.median(times[0][10:]), statistics.median(times[1][10:])


def _of_patient(reference: str) -> list[tuple[str, str]]:
    return [("patient", reference), ("_sort", "-date"), ("_count", "20"), ("_total", "none")]


def _count_of_patient(reference: str) -> list[tuple[str, str]]:
    return [("patient", reference), ("_summary", "count")]


def _of_all(reference: str) -> list[tuple[str, str]]:
    del reference
    code = ("code", "http://loinc.org|29463-7")
    return [code, ("_sort", "-date"), ("_count", "20"), ("_total", "none")]


def main() -> None:
    """Measure and print."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with scratch() as (database, _):
        law = law_of_the_product(database.settings)
        microseconds = decisions(law)
        print(f"decision in memory  {microseconds:6.2f} µs   promise {DECISION} µs")
        found = asyncio.run(lists(database, law, patients))
    print(f"{'list':32} {'no check':>9} {'checked':>9} {'added':>9}   ms, p50")
    for name, (free, held) in found.items():
        print(f"{name:32} {free:9.2f} {held:9.2f} {held - free:9.2f}")
    free, held = found["newest 20 of a patient"]
    print(f"promise: {LIST} ms added to the newest 20 of a patient")
    sys.exit(microseconds > DECISION or held - free > LIST)


if __name__ == "__main__":
    main()
