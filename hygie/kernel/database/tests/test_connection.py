from __future__ import annotations

import asyncio

import asyncpg
import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.database.session import connect
from hygie.kernel.errors import Unavailable
from hygie.testing.database import ScratchDatabase


async def test_a_session_runs_under_its_role_and_search_path(database: ScratchDatabase) -> None:
    async with database.open() as db, db.connection() as connection:
        assert await connection.fetchval("SELECT current_user::text") == roles.APP
        assert await connection.fetchval("SHOW search_path") == "hygie,public"


async def test_a_transaction_carries_the_belt_and_takes_it_off(database: ScratchDatabase) -> None:
    question = (
        "SELECT current_setting('hygie.system', true), current_setting('hygie.parties', true)"
    )
    async with database.open(size=1) as db:
        async with db.transaction(parties=[7, 12]) as connection:
            assert tuple(await connection.fetchrow(question) or ()) == ("off", "{7,12}")
        async with db.transaction(system=True) as connection:
            assert tuple(await connection.fetchrow(question) or ()) == ("on", "{}")
        async with db.connection() as connection:
            assert tuple(await connection.fetchrow(question) or ()) in {("", ""), (None, None)}


async def test_an_error_rolls_back_and_the_connection_serves_again(
    database: ScratchDatabase,
) -> None:
    with connect(database.admin_dsn) as admin:
        admin.execute("CREATE TABLE public.note (text text)")
        admin.execute(f"GRANT ALL ON public.note TO {roles.APP}")
    async with database.open(size=1) as db:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await _divide_by_zero(db)
        async with db.transaction() as connection:
            assert await connection.fetchval("SELECT count(*) FROM note") == 0


async def test_a_cancelled_request_leaves_no_open_transaction(database: ScratchDatabase) -> None:
    async def dream(db: Database) -> None:
        async with db.transaction() as connection:
            await connection.execute("SELECT pg_sleep(30)")

    async with database.open(size=1) as db:
        task = asyncio.create_task(dream(db))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with db.connection() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT 1") == 1


async def test_broken_connections_are_replaced(database: ScratchDatabase) -> None:
    async with database.open(size=2) as db:
        async with db.connection():
            pass
        with connect(database.admin_dsn) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await asyncio.sleep(0.1)
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_a_connection_that_breaks_in_use_says_so(database: ScratchDatabase) -> None:
    async with database.open(size=1) as db:
        with pytest.raises(Unavailable, match="not confirmed"):
            await _lose_the_connection(db, database)
        async with db.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1


async def test_an_absent_server_is_unavailable_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hygie.kernel.database.connection.PATIENCE", 0.3)
    with pytest.raises(Unavailable, match="does not answer"):
        await Database.open("postgresql://hygie@/hygie?host=/nonexistent")


async def test_requests_wait_for_their_turn(database: ScratchDatabase) -> None:
    async def ask(db: Database) -> int:
        async with db.connection() as connection:
            await asyncio.sleep(0.01)
            return int(await connection.fetchval("SELECT pg_backend_pid()"))

    async with database.open(size=2) as db:
        assert len(set(await asyncio.gather(*(ask(db) for _ in range(10))))) == 2


async def _lose_the_connection(db: Database, database: ScratchDatabase) -> None:
    async with db.transaction() as connection:
        pid = await connection.fetchval("SELECT pg_backend_pid()")
        with connect(database.admin_dsn) as admin:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        await connection.execute("SELECT 1")


async def _divide_by_zero(db: Database) -> None:
    async with db.transaction() as connection:
        await connection.execute("INSERT INTO note VALUES ('lost')")
        await connection.execute("SELECT 1 / 0")
