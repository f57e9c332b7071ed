"""Promise: rules and belt add at most 0.5 ms (p50) to a list of one patient.

    python benches/decision_list.py [ROWS] [PATIENTS]

The newest 20 Observations of a patient, and their count, for the patient and for a professional of
the care team, with the rules of the shared record. Four ways in the same transaction: no check, the
predicate of the rules alone, the belt alone, both. Without the belt the loader's role asks, which
row-level security leaves alone.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from dataclasses import replace

from asyncpg import Connection
from harness import scratch
from team import fill, known_caller, timed

from hygie.app import compose
from hygie.kernel.clock import SystemClock
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.database.roles import APP, LOADER
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.kernel.security.decision import decide
from hygie.kernel.security.gate import parties
from hygie.kernel.security.policies import Policies
from hygie.kernel.store.ids import id_of
from hygie.kernel.store.search.plan import Plan, Statement
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.search.sql import Known
from hygie.kernel.store.site import Site
from hygie.testing.crowd import Crowd
from hygie.testing.database import ScratchDatabase

PROMISE = 0.5
TIMES = 400
LISTS = {
    "newest 20": [("_sort", "-date"), ("_count", "20"), ("_total", "none")],
    "count": [("_summary", "count"), ("_total", "accurate")],
}


def statement(caller: Caller, patient: str, name: str, policies: Policies) -> Statement:
    """Return what the product sends for a list of one patient."""
    decision = decide(caller, directory=False, policy=policies.read)
    query = read_query("Observation", [("patient", patient), *LISTS[name]])
    plan = Plan(decision, query, Known(SystemClock().now(), Site("http://localhost/fhir")))
    return plan.count(exact=True) if name == "count" else plan.page(limit=21, cursor=None)


async def p50(connection: Connection, caller: Caller, asked: Statement) -> float:
    """Return the median milliseconds of a statement in a transaction of this caller."""
    system, members = parties([caller])
    await connection.execute(begin(members, system=system))
    text, values = asked
    taken = await timed(lambda: connection.fetch(text, *values), TIMES)
    await connection.execute("ROLLBACK")
    return statistics.median(taken)


async def measure(database: ScratchDatabase, crowd: Crowd, policies: Policies) -> float:
    """Print the four ways for each caller and list; return what both checks add at most."""
    worst = 0.0
    app = await Database.open(database.dsn, role=APP, size=1)
    loader = await Database.open(database.dsn, role=LOADER, size=1)
    async with app.connection() as belted, loader.connection() as bare:
        (row,) = await bare.fetch("SELECT uid, rid FROM party WHERE num = $1", crowd.mine[0])
        patient = f"Patient/{id_of(row['uid'], row['rid'])}"
        own = replace(await known_caller(bare, policies, crowd.patient), reference=patient)
        doctor = await known_caller(bare, policies, crowd.doctor)
        for who, caller in (("the patient", own), ("a professional", doctor)):
            for name in LISTS:
                unchecked = statement(SYSTEM, patient, name, policies)
                ruled = statement(caller, patient, name, policies)
                # Each way twice, in turns: what the machine does beside falls on all of them.
                ways = {
                    "no check": (bare, unchecked),
                    "rules alone": (bare, ruled),
                    "belt alone": (belted, unchecked),
                    "both": (belted, ruled),
                }
                found = {way: float("inf") for way in ways}
                for _ in range(2):
                    for way, (connection, asked) in ways.items():
                        found[way] = min(found[way], await p50(connection, caller, asked))
                added = found["both"] - found["no check"]
                told = "   ".join(f"{way} {ms:.3f}" for way, ms in found.items())
                print(f"{name} for {who}: {told} ms")
                print(
                    f"  added {added:.3f} ms, {found['both'] / found['no check']:.2f} times; "
                    f"promise {PROMISE} ms"
                )
                worst = max(worst, added)
    await app.close()
    await loader.close()
    return worst


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    patients = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    with scratch() as (database, _):
        policies = compose(database.settings).law.policies
        crowd = asyncio.run(fill(database, patients, rows))
        worst = asyncio.run(measure(database, crowd, policies))
    sys.exit(worst > PROMISE)


if __name__ == "__main__":
    main()
