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
from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.clauses import Subject
from hygie.kernel.security.decision import (
    CALLER_COLUMNS,
    Decision,
    caller_columns,
    decide,
    grouped_rule_name,
    live_rules,
)
from hygie.kernel.security.relations import Relation
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import READ, WRITE

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

DIRECTORY, CLINICAL = type_number("Organization"), type_number("Observation")
NOW = datetime.now(UTC)
PEOPLE = st.integers(1, 4)
KINDS = st.sampled_from([Relation.CARE_TEAM, Relation.HELPER, Relation.TREATING])
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
    others: tuple[int, ...]
    rt: int
    relations: frozenset[tuple[int, int, Relation, str]]
    label: int
    author: int | None

    @property
    def subjects(self) -> list[Subject]:
        """Return the facts as the rules read them in memory, for each patient."""
        return [
            Subject(
                pat,
                self.rt == DIRECTORY,
                self._bits(pat),
                label=self.label,
                author=self.author,
            )
            for pat in (self.pat, *self.others)
        ]

    def _bits(self, pat: int | None) -> int:
        bits = 0
        for patient, member, kind, when in self.relations:
            if patient != pat or when != "now":
                continue
            if member in (0, *self.caller.own):
                bits |= kind.bit
            elif member in self.caller.principals:
                bits |= kind.principal_bit
        return bits


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kind = draw(st.sampled_from(Kind))
    party = draw(PEOPLE) if kind in (Kind.PATIENT, Kind.PROFESSIONAL) else 0
    working = kind == Kind.PROFESSIONAL
    caller = Caller(
        kind,
        party,
        "somebody",
        structures=draw(st.frozensets(PEOPLE, max_size=1)) if working else frozenset(),
        principals=draw(st.frozensets(PEOPLE, max_size=1)) if working else frozenset(),
    )
    pat = draw(st.none() | PEOPLE)
    others = draw(st.frozensets(PEOPLE, max_size=2)) - {pat} if pat else frozenset[int]()
    relation = st.tuples(PEOPLE, st.integers(0, 4), KINDS, st.sampled_from(sorted(PERIODS)))
    return Case(
        caller,
        pat,
        tuple(sorted(others)),
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
    """Make the relations of a case."""
    await connection.executemany(
        "INSERT INTO care_relation (pat, member, kind, starts, ends, source) "
        "VALUES ($1, $2, $3, $4, $5, 0)",
        [(p, m, int(k), *PERIODS[when]) for p, m, k, when in case.relations],
    )


async def decisions(connection: Connection, case: Case, policy: Policy) -> list[object]:
    """Return what each face says in SQL: for one caller, its rule, and the rule of a group."""
    values: list[object] = [
        case.pat,
        list(case.others) or None,
        case.rt,
        case.label,
        case.author,
    ]

    def bind(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    decision = Decision(case.caller, policy)
    allowed, rule = decision.predicate("r", bind), decision.rule_name("r", bind)
    columns = [each[0] for each in caller_columns([case.caller])]
    asked = ", ".join(
        f"{bind(value)}::{'text::' if kind.endswith('[]') else ''}{kind} AS {name}"
        for (name, kind), value in zip(CALLER_COLUMNS, columns, strict=True)
    )
    rules = bind(live_rules(policy, [case.caller])[0])
    row = await connection.fetchrow(
        f"SELECT {allowed} AS allowed, {rule} AS rule, {grouped_rule_name(policy, 'r')} AS grouped "
        "FROM (SELECT $1::integer AS pat, $2::integer[] AS others, $3::smallint AS rt, "
        "$4::smallint AS label, $5::integer AS author, 0::smallint AS matter) r, "
        f"(SELECT {asked}, {rules}::bigint AS rules) a",
        *values,
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
    rule = policy.decide(case.caller, case.subjects)
    await connection.execute("BEGIN")
    await store(connection, case)
    said = await decisions(connection, case, policy)
    await connection.execute("ROLLBACK")
    name = rule.name if rule else None
    assert said == [rule is not None, name, name]


@given(case=cases())
@settings(derandomize=True, database=None)
def test_whoever_may_write_may_read(case: Case) -> None:
    if WRITE.decide(case.caller, case.subjects):
        assert READ.decide(case.caller, case.subjects)


@given(case=cases(), language=st.sampled_from(["fr", "en"]))
@settings(derandomize=True, database=None)
def test_each_decision_can_be_told_in_a_sentence(case: Case, language: str) -> None:
    told = READ.explain(case.caller, case.subjects[0], "fr" if language == "fr" else "en")
    assert told.sentence.endswith(".")
    assert told.allowed == (READ.allowing(case.caller, case.subjects[0]) is not None)


def test_a_refusal_tells_what_the_closest_rule_still_wants() -> None:
    doctor = Caller(Kind.PROFESSIONAL, 7, "Practitioner/x")
    masked = Subject(1, bits=Relation.CARE_TEAM.bit, label=8)
    told = READ.explain(doctor, masked, "fr")
    assert (told.allowed, told.rule) == (False, "care-team")
    assert told.sentence == "Le patient l’a masqué ; vous n’en êtes pas l’auteur."


@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.RESEARCHER])
def test_whom_no_rule_permits_gets_no_decision(kind: Kind) -> None:
    caller = Caller(kind, 0, "account/1")
    with pytest.raises(Forbidden):
        decide(caller, directory=False, policy=READ)
    decide(caller, directory=True, policy=READ)


def test_nobody_in_the_record_is_nobody_s_patient() -> None:
    nobody = Caller(Kind.PATIENT, 0, "account/1")
    assert READ.allowing(nobody, Subject(None)) is None
    assert READ.allowing(nobody, Subject(1)) is None
