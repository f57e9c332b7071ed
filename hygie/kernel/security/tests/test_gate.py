"""What a caller is, is read from the database at each request and from nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.errors import Unauthenticated
from hygie.kernel.security.caller import Bearer, Caller, Duty, Exercise, Kind, Right, job
from hygie.kernel.security.decision import members, own_parties
from hygie.kernel.security.gate import Gate, parties
from hygie.kernel.security.policies import Policies
from hygie.kernel.security.relations import Relation
from hygie.kernel.security.tokens import issue, revoke
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import READ, RELABEL, WRITE

if TYPE_CHECKING:
    from collections.abc import Collection

    from hygie.kernel.database.connection import Connection

NOW = datetime.now(UTC)
BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)
DOCTOR = Caller(Kind.PROFESSIONAL, 7, "Practitioner/seven")


class Counting:
    """A matrix that tells how many roles it was asked about."""

    def readable(self, roles: Collection[str], at: date) -> bytes:
        assert at == date(2026, 11, 22)
        return bytes([len(roles)]) + bytes(31)

    def duties(self, roles: Collection[str], at: date) -> frozenset[Duty]:
        assert at == date(2026, 11, 22)
        return frozenset([Duty.ANNOUNCE] if roles else ())


GATE = Gate(Policies(READ, WRITE, RELABEL, {}, Counting()), lambda: date(2026, 11, 22))


@pytest.fixture
async def connection(fresh_database: ScratchDatabase) -> AsyncIterator[Connection]:
    async with fresh_database.open(size=1) as opened, opened.connection() as lent:
        yield lent


async def practise(connection: Connection, role: str, structure: int, until: datetime) -> None:
    await connection.execute(
        "INSERT INTO practice (member, structure, role, starts, ends, source) "
        "VALUES (7, $1, $2, $3, $4, 1)",
        structure,
        role,
        BEFORE - timedelta(days=9),
        until,
    )


async def test_roles_and_structures_are_those_practised_now(connection: Connection) -> None:
    await practise(connection, "10", 50, AFTER)
    await practise(connection, "60", 51, BEFORE)
    caller = await GATE.caller(connection, DOCTOR)
    assert (caller.roles, caller.structures) == (frozenset({"10"}), frozenset({50}))
    assert caller.matters[0] == 1


async def test_a_caller_who_says_what_they_practise_is_not_believed(
    connection: Connection,
) -> None:
    boasting = Caller(
        Kind.PROFESSIONAL,
        7,
        "Practitioner/seven",
        roles=frozenset({"10"}),
        structures=frozenset({50}),
        principals=frozenset({3}),
        matters=b"\xff" * 32,
    )
    caller = await GATE.caller(connection, boasting)
    assert (caller.roles, caller.structures, caller.principals) == (frozenset(),) * 3
    assert not any(caller.matters)


async def test_an_exercise_narrows_to_one_role_and_one_structure(connection: Connection) -> None:
    await practise(connection, "10", 50, AFTER)
    await practise(connection, "60", 51, AFTER)
    chosen = replace(DOCTOR, exercise=Exercise("60", 51))
    caller = await GATE.caller(connection, chosen)
    assert caller.roles == {"60"}
    assert (set(caller.structures), set(caller.aside)) == ({51}, {50})
    assert caller.matters[0] == 1


@pytest.mark.parametrize("exercise", [Exercise("10", 99), Exercise("99", 50), Exercise("60", 51)])
async def test_an_exercise_that_is_not_practised_gives_nothing(
    connection: Connection, exercise: Exercise
) -> None:
    await practise(connection, "10", 50, AFTER)
    await practise(connection, "60", 51, BEFORE)
    caller = await GATE.caller(connection, replace(DOCTOR, exercise=exercise))
    assert caller.roles <= {"10"}
    assert caller.structures <= {50}
    assert not (caller.roles and caller.structures)


async def test_a_structure_set_aside_counts_for_its_blocks_alone(connection: Connection) -> None:
    await practise(connection, "10", 50, AFTER)
    await practise(connection, "10", 51, AFTER)
    caller = await GATE.caller(connection, replace(DOCTOR, exercise=Exercise("10", 51)))
    assert 50 in own_parties(caller)
    assert -1 - 50 in members(caller)
    assert -1 - 51 not in members(caller)


async def test_one_acts_under_a_professional_until_a_date(connection: Connection) -> None:
    for principal, until in ((3, AFTER), (4, BEFORE)):
        await connection.execute(
            "INSERT INTO care_relation (pat, member, kind, starts, ends, source) "
            "VALUES ($1, 7, $2, $3, $4, 1)",
            principal,
            int(Relation.ACTS_UNDER),
            BEFORE - timedelta(days=9),
            until,
        )
    caller = await GATE.caller(connection, DOCTOR)
    assert caller.principals == {3}


async def test_a_token_carries_rights_and_level_and_its_post_is_looked_up(
    connection: Connection,
) -> None:
    await practise(connection, "10", 50, AFTER)
    given = Caller(
        Kind.PROFESSIONAL, 7, "Practitioner/seven", rights=frozenset({Right.IDENTIFY}), level=2
    )
    token = await issue(connection, given, at=NOW, valid=timedelta(hours=1))
    caller = await GATE.caller(connection, Bearer.from_token(token))
    assert (caller.rights, caller.level, caller.structures) == (given.rights, 2, frozenset({50}))
    await revoke(connection, Bearer.from_token(token))
    with pytest.raises(Unauthenticated):
        await GATE.caller(connection, Bearer.from_token(token))


async def test_one_refused_token_refuses_nobody_else(connection: Connection) -> None:
    found = await GATE.callers(connection, [Bearer.from_token("no such"), DOCTOR])
    assert isinstance(found[0], Unauthenticated)
    assert isinstance(found[1], Caller)


async def test_a_named_job_has_its_own_row_of_the_matrix(connection: Connection) -> None:
    caller = await GATE.caller(connection, job("announce"))
    assert caller.roles == {"job:announce"}
    assert caller.matters[0] == 1


def test_the_belt_knows_the_structures_and_the_principals_too() -> None:
    caller = Caller(
        Kind.PROFESSIONAL, 7, "x", structures=frozenset({50}), principals=frozenset({3})
    )
    assert parties([caller]) == (False, [3, 7, 50])
    assert parties([job("announce")]) == (True, [])
