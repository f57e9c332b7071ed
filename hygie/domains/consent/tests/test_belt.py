"""Row-level security never hides what the rules permit, and stops what they never could."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest

from hygie.domains.consent.policy.rules import READ
from hygie.kernel.database import roles
from hygie.kernel.database.connection import begin
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Kind, Right
from hygie.kernel.security.decision import Decision
from hygie.kernel.security.gate import parties
from hygie.kernel.security.matters import EMERGENCY_DECLARATION, MATTERS
from hygie.kernel.security.relations import Relation
from hygie.testing.database import ScratchDatabase

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

PATIENTS, PROFESSIONALS, STRUCTURES = range(1, 9), range(11, 17), range(21, 24)
NOW = datetime.now(UTC)
PERIODS = (
    (NOW - timedelta(days=9), NOW + timedelta(days=9)),
    (NOW - timedelta(days=9), NOW - timedelta(days=1)),
    (NOW + timedelta(days=1), NOW + timedelta(days=9)),
)
ROWS, CALLERS = 3_000, 150
OBSERVATION, ORGANIZATION = type_number("Observation"), type_number("Organization")
CARING = (
    Relation.CARE_TEAM,
    Relation.TREATING,
    Relation.CONSENTED,
    Relation.EMERGENCY,
    Relation.CENTRE_15,
)
CLOSE = (
    Relation.HELPER,
    Relation.PARENT,
    Relation.GUARDIAN,
    Relation.MANAGES,
    Relation.HELPER_ADMINISTRATIVE,
)
OF_RECORDS = (Relation.MINOR, Relation.TEAM_CONSENT, Relation.CLOSED, Relation.REFUSES_EMERGENCY)


@dataclass(frozen=True, slots=True)
class Sides:
    """The same database under the belt, and without it."""

    bound: Connection
    free: Connection
    chance: random.Random = field(default_factory=lambda: random.Random(4))  # noqa: S311 - test data


@pytest.fixture(scope="module")
async def sides(database: ScratchDatabase) -> AsyncIterator[Sides]:
    async with (
        database.open(size=1) as app,
        database.open(role=roles.LOADER, size=1) as loader,
        app.connection() as bound,
        loader.connection() as free,
    ):
        made = Sides(bound, free)
        await fill(free, made.chance)
        yield made


async def fill(free: Connection, chance: random.Random) -> None:
    """Write random rows and relations."""
    await free.executemany(
        "INSERT INTO resource (key, seq, upd, present, uid, ver, pat, author, part, rt, label, "
        "flags, others, toks, body, matter) "
        "VALUES ($1, $1, now(), 0, $2, 1, $3, $4, 0, $5, $6, 0, $7, '{}', '', $8)",
        [row(key, chance) for key in range(1, ROWS)],
    )
    await free.executemany(
        "INSERT INTO care_relation (pat, member, kind, starts, ends, source) "
        "VALUES ($1, $2, $3, $4, $5, 0)",
        list(relations(chance)),
    )


def row(key: int, chance: random.Random) -> tuple[object, ...]:
    pat = chance.choice([*PATIENTS, None])
    directory = pat is None and chance.random() < 0.5
    others = chance.sample(PATIENTS, 2) if pat and chance.random() < 0.1 else None
    return (
        key,
        uuid.UUID(int=key),
        pat,
        chance.choice([None, *PROFESSIONALS, *PATIENTS]),
        ORGANIZATION if directory else OBSERVATION,
        chance.choice([1, 1, 1, 2, 4, 8, 16, 32, 9, 24, 56]),
        others,
        chance.choice([0, *MATTERS]),
    )


def relations(chance: random.Random) -> Iterator[tuple[object, ...]]:
    for patient in PATIENTS:
        for kind in OF_RECORDS:
            if chance.random() < 0.5:
                yield patient, 0, int(kind), *PERIODS[0]
        caring = product((*PROFESSIONALS, *STRUCTURES), (*CARING, Relation.BLOCKED))
        close = product(set(PATIENTS) - {patient}, CLOSE)
        for member, kind in (*caring, *close):
            if chance.random() < 0.12:
                yield patient, member, int(kind), *chance.choice(PERIODS)


def someone(chance: random.Random) -> Caller:
    kind = chance.choice([Kind.PATIENT, Kind.PROFESSIONAL, Kind.PROFESSIONAL, *Kind])
    if kind == Kind.PATIENT:
        return Caller(kind, chance.choice(PATIENTS), "somebody", purpose="PATRQT")
    if kind != Kind.PROFESSIONAL:
        rights = frozenset({Right.REVIEW}) if chance.random() < 0.5 else frozenset[Right]()
        return Caller(kind, 0, "somebody", purpose="HOPERAT", rights=rights)
    return Caller(
        kind,
        chance.choice(PROFESSIONALS),
        "somebody",
        purpose=chance.choice(["TREAT", "TREAT", "ETREAT", "HPAYMT"]),
        structures=frozenset(chance.sample(STRUCTURES, chance.randint(0, 2))),
        principals=frozenset(chance.sample(PROFESSIONALS, chance.randint(0, 1))),
        matters=chance.randbytes(32),
    )


async def keys(connection: Connection, caller: Caller, condition: str, *values: object) -> set[int]:
    """Return the rows of a condition, as the belt sees this caller."""
    system, members = parties([caller])
    await connection.execute(begin(members, system=system))
    rows = await connection.fetch(f"SELECT r.key FROM resource r WHERE {condition}", *values)
    await connection.execute("COMMIT")
    return {one["key"] for one in rows}


async def test_the_belt_never_hides_what_the_rules_permit(sides: Sides) -> None:
    seen = 0
    for _ in range(CALLERS):
        caller = someone(sides.chance)
        values: list[object] = []

        def bind(value: object, values: list[object] = values) -> str:
            values.append(value)
            return f"${len(values)}"

        predicate = Decision(caller, READ).predicate("r", bind)
        permitted = await keys(sides.free, caller, predicate, *values)
        assert await keys(sides.bound, caller, predicate, *values) == permitted, caller
        seen += len(permitted)
    assert seen > ROWS


async def test_without_a_predicate_the_belt_still_hides_most_and_all_that_is_masked(
    sides: Sides,
) -> None:
    for _ in range(CALLERS):
        caller = someone(sides.chance)
        if parties([caller])[0]:
            continue
        shown = await keys(sides.bound, caller, "r.pat IS NOT NULL")
        assert len(shown) < ROWS
        if caller.kind not in (Kind.PATIENT, Kind.PROFESSIONAL):
            # A reviewer sees the declarations of emergencies, and nothing else of a patient.
            assert not await keys(
                sides.bound, caller, f"r.pat IS NOT NULL AND r.matter <> {EMERGENCY_DECLARATION}"
            )
