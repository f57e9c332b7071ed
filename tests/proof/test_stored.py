"""The SQL of the real rules, over the real tables, answers as memory and as the tables of words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.errors import HygieError
from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.decision import (
    CALLER_COLUMNS,
    Decision,
    caller_columns,
    grouped_rule_name,
    live_rules,
)
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchDatabase
from hygie.testing.proof.cases import Cases
from hygie.testing.proof.facts import named
from hygie.testing.proof.stored import Placed, RolesOfCases, place
from hygie.testing.proof.tables import Oracle

SAMPLE = 2_400
_FACTS = (
    "INSERT INTO care_relation (pat, member, kind, starts, ends, source) "
    "VALUES ($1, $2, $3, '2000-01-01', '2900-01-01', 0)"
)
_ENDED = _FACTS.replace("2900", "2010")
_ROWS = (
    "(SELECT * FROM unnest($1::integer[], $2::smallint[], $3::smallint[], $4::integer[], "
    "$5::smallint[]) WITH ORDINALITY AS t (pat, rt, label, author, matter, n)) r0 "
    "CROSS JOIN LATERAL (SELECT r0.*, NULL::integer[] AS others) r"
)


@asynccontextmanager
async def facts(database: ScratchDatabase, cases: Sequence[Placed]) -> AsyncIterator[Any]:
    """Lend a connection on which the relations of cases are facts, for the length of a block."""
    async with database.open(size=1) as opened, opened.connection() as connection:
        await connection.execute("BEGIN")
        rows = [row for one in cases for row in one.relations]
        await connection.executemany(_FACTS, rows)
        # What has ended opens and closes nothing.
        over = [(pat, member, kind) for pat, member, _ in rows[:200] for kind in (1, 3, 5)]
        await connection.executemany(_ENDED, over)
        try:
            yield connection
        finally:
            await connection.execute("ROLLBACK")


def columns(cases: Sequence[Placed]) -> list[list[Any]]:
    names = ("pat", "rt", "label", "author", "matter")
    return [[getattr(one, name) for one in cases] for name in names]


async def of_one_caller(connection: Any, policy: Policy, one: Placed) -> tuple[bool, str | None]:
    values: list[Any] = columns([one])

    def bind(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    decision = Decision(one.caller, policy)
    said = f"{decision.predicate('r', bind)} AS allowed, {decision.rule_name('r', bind)} AS rule"
    row = await connection.fetchrow(f"SELECT {said} FROM {_ROWS}", *values)
    return row["allowed"], row["rule"]


async def of_a_group(connection: Any, policy: Policy, cases: Sequence[Placed]) -> list[str | None]:
    callers = [one.caller for one in cases]
    values = [*columns(cases), *caller_columns(callers), live_rules(policy, callers)]
    kinds = [*CALLER_COLUMNS, ("rules", "bigint")]
    inputs = ", ".join(
        f"${place}::{'text' if kind.endswith('[]') else kind}[]"
        for place, (_, kind) in enumerate(kinds, 6)
    )
    names = ", ".join(name for name, _ in kinds)
    chosen = ", ".join(
        f"t.{name}::{kind} AS {name}" if kind.endswith("[]") else f"t.{name}"
        for name, kind in kinds
    )
    rows = await connection.fetch(
        f"SELECT r.n, {grouped_rule_name(policy, 'r')} AS rule FROM {_ROWS} JOIN (SELECT {chosen}, "
        f"t.n FROM unnest({inputs}) WITH ORDINALITY AS t ({names}, n)) a ON a.n = r.n ORDER BY r.n",
        *values,
    )
    return [row["rule"] for row in rows]


def drawn(seed: int, count: int) -> list[Placed]:
    return [place(case, number) for number, case in enumerate(Cases(seed).draw(count))]


@pytest.mark.parametrize("act", ["read", "write"])
async def test_sql_answers_as_the_tables_of_words(
    act: str, policies: dict[str, Policy], tables: dict[str, Oracle], database: ScratchDatabase
) -> None:
    policy, oracle, cases = policies[act], tables[act], drawn(23, SAMPLE)
    async with facts(database, cases) as connection:
        grouped = await of_a_group(connection, policy, cases)
        single = [await of_one_caller(connection, policy, one) for one in cases]
    for one, (allowed, rule), of_group in zip(cases, single, grouped, strict=True):
        expected = policy.allowing(one.case.caller, one.case.subject)
        told = named(one.case.facts)
        assert allowed == oracle.permits(one.case.facts), told
        assert rule == of_group == (expected.name if expected else None), told
    assert sum(allowed for allowed, _ in single) > SAMPLE // 10


@pytest.mark.parametrize("act", ["read", "write"])
@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(seed=st.integers(0, 2**32), count=st.integers(1, 8))
async def test_sql_and_memory_decide_alike(
    act: str, seed: int, count: int, policies: dict[str, Policy], database: ScratchDatabase
) -> None:
    policy = policies[act]
    cases = [
        place(case, number) for number, case in enumerate(Cases(seed, readers=count).draw(count))
    ]
    async with facts(database, cases) as connection:
        grouped = await of_a_group(connection, policy, cases)
    for one, rule in zip(cases, grouped, strict=True):
        expected = policy.allowing(one.case.caller, one.case.subject)
        assert rule == (expected.name if expected else None), named(one.case.facts)


@pytest.fixture(scope="module")
def cases() -> list[Placed]:
    return drawn(31, SAMPLE)


@pytest.fixture(scope="module")
async def repository(
    database: ScratchDatabase, law: Law, cases: list[Placed]
) -> AsyncIterator[Repository]:
    """Give a store that holds one resource for each case, and the facts of all."""
    obeyed = replace(law, policies=replace(law.policies, matrix=RolesOfCases.of(cases)))
    repository = await open_repository(database.settings, law=obeyed)
    try:
        await fill(database, repository, cases)
        yield repository
    finally:
        await repository.database.close()


async def fill(database: ScratchDatabase, repository: Repository, cases: list[Placed]) -> None:
    writes = []
    for number, one in enumerate(cases):
        rt, body = resource(number, directory=one.case.subject.directory)
        writes.append(repository.update(SYSTEM, rt, body["id"], msgspec.json.encode(body)))
    await asyncio.gather(*writes)
    roles = [(one.caller.party, f"case:{number}") for number, one in enumerate(cases)]
    rows = [
        (one.pat, one.label, one.author, one.matter, f"case-{number}")
        for number, one in enumerate(cases)
    ]
    async with (
        database.open(size=1, role="hygie_owner") as opened,
        opened.connection() as connection,
    ):
        await connection.executemany(_FACTS, [row for one in cases for row in one.relations])
        await connection.executemany(
            "INSERT INTO practice (member, structure, role, starts, ends, source) "
            "VALUES ($1, NULL, $2, '2000-01-01', '2900-01-01', 0)",
            roles,
        )
        await connection.execute("ALTER TABLE resource NO FORCE ROW LEVEL SECURITY")
        await connection.executemany(
            "UPDATE resource SET pat = $1, label = $2, author = $3, matter = $4 WHERE rid = $5",
            rows,
        )
        await connection.execute("ALTER TABLE resource FORCE ROW LEVEL SECURITY")


def resource(number: int, *, directory: bool) -> tuple[str, dict[str, Any]]:
    rid = f"case-{number}"
    if directory:
        return "Organization", {"resourceType": "Organization", "id": rid, "name": "x"}
    return "Observation", {
        "resourceType": "Observation", "id": rid, "status": "final", "code": {"text": "x"},
    }  # fmt: skip


def asker(one: Placed) -> Caller:
    """Return the caller as a token would name them: the store finds the rest."""
    bare = replace(one.caller, principals=frozenset(), matters=bytes(32))
    return replace(SYSTEM) if bare.kind == Kind.SYSTEM else bare


async def test_reads_of_the_store_are_those_of_the_tables_of_words(
    repository: Repository, cases: list[Placed], tables: dict[str, Oracle]
) -> None:
    """Grouped reads, under the belt."""

    async def read(number: int, one: Placed) -> bool:
        rt, body = resource(number, directory=one.case.subject.directory)
        try:
            await repository.read(asker(one), rt, body["id"])
        except HygieError:
            return False
        return True

    found = await asyncio.gather(*(read(number, one) for number, one in enumerate(cases)))
    wrong = [
        (answer, named(one.case.facts))
        for one, answer in zip(cases, found, strict=True)
        if answer != tables["read"].permits(one.case.facts)
    ]
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"
    assert sum(found) > SAMPLE // 10


async def test_searches_of_the_store_are_those_of_the_tables_of_words(
    repository: Repository, cases: list[Placed], tables: dict[str, Oracle]
) -> None:
    """One caller at a time, under the belt, and counted."""
    wrong = []
    for number, one in enumerate(cases[: SAMPLE // 4]):
        rt, body = resource(number, directory=one.case.subject.directory)
        try:
            page = await repository.search(
                asker(one), rt, [("_id", body["id"]), ("_total", "accurate")]
            )
        except HygieError:
            answer = (False, 0)
        else:
            answer = (bool(page.entries), page.total or 0)
        expected = tables["read"].permits(one.case.facts)
        if answer != (expected, int(expected)):
            wrong.append((answer, named(one.case.facts)))
    assert not wrong, f"{len(wrong)}: {wrong[:5]}"
