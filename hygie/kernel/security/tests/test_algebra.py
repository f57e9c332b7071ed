"""One policy, several faces: what is decided in memory is what SQL decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hygie.kernel.errors import Forbidden
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.algebra import Columns, Policy, Subject
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.decision import decide
from hygie.kernel.security.rules import CARE_TEAM, HELPER, READ, WRITE
from hygie.testing.database import ScratchDatabase

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

DIRECTORY, CLINICAL = type_number("Organization"), type_number("Observation")
NOW = datetime.now(UTC)
PEOPLE = st.integers(1, 4)
KINDS = st.sampled_from([CARE_TEAM, HELPER])
PERIODS = {
    "now": (NOW - timedelta(days=1), NOW + timedelta(days=1)),
    "over": (NOW - timedelta(days=2), NOW - timedelta(days=1)),
    "to come": (NOW + timedelta(days=1), NOW + timedelta(days=2)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A caller, a resource and the relations there are: (patient, member, kind, when)."""

    caller: Caller
    pat: int | None
    others: frozenset[int]
    rt: int
    relations: frozenset[tuple[int, int, int, str]]
    label: int
    author: int | None

    @property
    def subject(self) -> Subject:
        """Return the facts as the rules read them in memory."""
        known = {(p, m, k) for p, m, k, when in self.relations if when == "now"}
        return Subject(
            self.pat,
            self.rt == DIRECTORY,
            self.others,
            frozenset(known),
            label=self.label,
            author=self.author,
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(Kind))
    party = draw(PEOPLE) if kind in (Kind.PATIENT, Kind.PROFESSIONAL) else 0
    pat = draw(st.none() | PEOPLE)
    others = draw(st.frozensets(PEOPLE, max_size=2)) - {pat} if pat else frozenset[int]()
    relation = st.tuples(PEOPLE, PEOPLE, KINDS, st.sampled_from(sorted(PERIODS)))
    return Case(
        Caller(kind, party, "somebody"),
        pat,
        others,
        draw(st.sampled_from([DIRECTORY, CLINICAL])),
        draw(st.frozensets(relation, max_size=5)),
        draw(st.sampled_from([1, 1, 2, 8, 16, 32, 9, 48])),
        draw(st.none() | PEOPLE),
    )


@pytest.fixture(scope="module")
async def connection(database: ScratchDatabase) -> AsyncIterator[Connection]:
    async with database.open(size=1) as opened, opened.connection() as lent:
        yield lent


async def store(connection: Connection, case: Case) -> None:
    """Make the relations and the list of directory types of a case."""
    await connection.executemany(
        "INSERT INTO care_relation (pat, member, kind, starts, ends, source) "
        "VALUES ($1, $2, $3, $4, $5, 0)",
        [(p, m, k, *PERIODS[when]) for p, m, k, when in case.relations],
    )


async def decisions(connection: Connection, case: Case, policy: Policy) -> list[object]:
    """Return what each face of a policy says in SQL: for a group, its rule, for one caller."""
    grouped = Columns("r", "r.kind", "r.party")
    own = policy.predicate_for(case.caller, Columns("r", "", "r.party"))
    row = await connection.fetchrow(
        f"SELECT {policy.predicate(grouped)} AS allowed, {policy.rule_name(grouped)} AS rule, "
        f"{own} AS own FROM (SELECT $1::smallint AS kind, $2::integer AS party, "
        "$3::integer AS pat, $4::integer[] AS others, $5::smallint AS rt, "
        "$6::smallint AS label, $7::integer AS author) r",
        int(case.caller.kind),
        case.caller.party,
        case.pat,
        sorted(case.others) or None,
        case.rt,
        case.label,
        case.author,
    )
    return list(row or ())


@pytest.mark.parametrize("policy", [READ, WRITE], ids=["read", "write"])
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(case=cases())
async def test_memory_and_sql_decide_alike(
    connection: Connection, policy: Policy, case: Case
) -> None:
    rule = policy.allowing(case.caller, case.subject)
    await connection.execute("BEGIN")
    await store(connection, case)
    said = await decisions(connection, case, policy)
    await connection.execute("ROLLBACK")
    name = rule.name if rule else None
    assert said == [rule is not None, name, rule is not None]


@given(case=cases())
@settings(derandomize=True, database=None)
def test_whoever_may_write_may_read(case: Case) -> None:
    if WRITE.allowing(case.caller, case.subject):
        assert READ.allowing(case.caller, case.subject)


@given(case=cases(), language=st.sampled_from(["fr", "en"]))
@settings(derandomize=True, database=None)
def test_each_decision_can_be_told_in_a_sentence(case: Case, language: str) -> None:
    sentence = READ.explain(case.caller, case.subject, "fr" if language == "fr" else "en")
    assert sentence.endswith(".")
    permitted = READ.allowing(case.caller, case.subject) is not None
    assert ("Aucune" in sentence or "No rule" in sentence) != permitted


@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.RESEARCHER])
def test_whom_no_rule_permits_gets_no_decision(kind: Kind) -> None:
    caller = Caller(kind, 0, "account/1")
    with pytest.raises(Forbidden):
        decide(caller, directory=False)
    decide(caller, directory=True)


def test_nobody_in_the_record_is_nobody_s_patient() -> None:
    nobody = Caller(Kind.PATIENT, 0, "account/1")
    assert READ.allowing(nobody, Subject(None)) is None
    assert READ.allowing(nobody, Subject(1)) is None
