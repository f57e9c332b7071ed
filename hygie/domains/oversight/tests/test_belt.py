"""The second belt of oversight: what the application role reads when no check was made."""

from __future__ import annotations

import asyncpg
import pytest

from hygie.domains.oversight.service import queue, reporting
from hygie.domains.oversight.tests.conftest import AT, DAY, REVIEWER, Ward
from hygie.kernel.database.connection import begin

TABLES = ("habit", "look", "candidate", "day", "protected", "item")
WORDS = "Je ne connais pas cette personne."


@pytest.fixture
async def whole(ward: Ward) -> Ward:
    """Give a ward with rows in every table: Anna opened the records of Zoe and of Max."""
    await ward.professional("anna", line="4 rue des Lilas")
    for rid in ("zoe", "max"):
        await ward.patient(rid, line="12 rue des Lilas")
        event = await ward.look("anna", rid)
    await ward.score()
    await reporting.report_access(
        ward.repository, await ward.person("max"), event, words=WORDS, at=AT
    )
    number = next(iter(await _numbers(ward, begin(system=True))))
    await reporting.protect(ward.repository, REVIEWER, number, reason="Connue de tous")
    return ward


async def _rows(ward: Ward, opening: str, table: str) -> int:
    async with ward.repository.database.connection() as connection:
        await connection.execute(opening)
        count: int = await connection.fetchval(f"SELECT count(*) FROM oversight_{table}")
        return count


async def _numbers(ward: Ward, opening: str) -> set[int]:
    async with ward.repository.database.connection() as connection:
        await connection.execute(opening)
        return {row["id"] for row in await connection.fetch("SELECT id FROM oversight_item")}


@pytest.mark.parametrize("table", TABLES)
async def test_who_has_not_the_right_reads_no_row_of_any_table(whole: Ward, table: str) -> None:
    assert await _rows(whole, begin(system=True), table) > 0
    zoe = await whole.number("Patient/zoe")
    assert await _rows(whole, begin([zoe]), table) == 0
    assert await _rows(whole, begin([zoe], rights=["identify"]), table) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_statement_outside_any_belt_fails(whole: Ward, table: str) -> None:
    async with whole.repository.database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetchval(f"SELECT count(*) FROM oversight_{table}")


async def test_a_reviewer_reads_the_queue_and_nothing_of_habits(whole: Ward) -> None:
    opened = begin(rights=["review"])
    assert {table: await _rows(whole, opened, table) > 0 for table in TABLES} == {
        "habit": False,
        "look": False,
        "candidate": False,
        "day": False,
        "protected": True,
        "item": True,
    }


async def test_a_person_reads_their_own_report_and_no_other_item(whole: Ward) -> None:
    own = await _numbers(whole, begin([await whole.number("Patient/max")]))
    assert len(own) == 1
    assert await _numbers(whole, begin([await whole.number("Patient/zoe")])) == set()


async def test_a_professional_reads_what_is_asked_of_them_only(whole: Ward) -> None:
    opened = begin([await whole.number("Practitioner/anna")])
    assert await _numbers(whole, opened) == set()
    one = (await queue.read_queue(whole.repository, REVIEWER)).waiting[0].id
    await queue.take(whole.repository, REVIEWER, one, at=AT)
    await queue.ask(whole.repository, REVIEWER, one, question="Pourquoi ce dossier ?")
    assert await _numbers(whole, opened) == {one}


async def test_nobody_decides_about_their_own_access_even_with_the_right(whole: Ward) -> None:
    anna = await whole.number("Practitioner/anna")
    async with whole.repository.database.connection() as connection:
        await connection.execute(begin([anna], rights=["review"]))
        done = await connection.execute("UPDATE oversight_item SET state = 3, decision = 3")
    assert done == "UPDATE 0"


async def test_a_report_is_made_about_ones_own_record_only(whole: Ward) -> None:
    zoe = await whole.number("Patient/zoe")
    trace = await _trace(whole, await whole.number("Patient/max"))
    async with whole.repository.database.connection() as connection:
        await connection.execute(begin([zoe]))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO oversight_item (kind, day, due, trace_at, trace, agent, pat, initials,"
                " looks, types, rule, score, reasons)"
                " VALUES (3, $1, $1, $2, $3, '', $4, '', 1, '{}', '', 0, '{}')",
                *(DAY, trace["at"], trace["id"], zoe),
            )


async def _trace(ward: Ward, patient: int) -> asyncpg.Record:
    async with ward.repository.database.transaction(system=True) as connection:
        row = await connection.fetchrow("SELECT at, id FROM trace WHERE pat = $1", patient)
    assert row
    return row
