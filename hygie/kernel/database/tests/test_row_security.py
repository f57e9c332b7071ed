from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from hygie.kernel.database import roles
from hygie.kernel.database.session import connect
from hygie.testing.database import ScratchDatabase

TABLE = """
CREATE TABLE hygie.belted (party int);
ALTER TABLE hygie.belted ENABLE ROW LEVEL SECURITY;
CREATE POLICY belt ON hygie.belted USING (
  current_setting('hygie.system', true) = 'on'
  OR party = ANY (nullif(current_setting('hygie.parties', true), '')::int[]));
GRANT ALL ON hygie.belted TO hygie_app, hygie_loader;
"""


@pytest.fixture(scope="module")
def belted(database: ScratchDatabase) -> ScratchDatabase:
    with connect(database.admin_dsn) as admin:
        admin.execute(f"SET ROLE {roles.OWNER}; {TABLE}".encode())
        admin.execute("INSERT INTO hygie.belted VALUES (1), (2), (3)")
    return database


async def _seen(
    database: ScratchDatabase, role: str, *, parties: Sequence[int] = (), system: bool = False
) -> list[int]:
    async with (
        database.open(role=role, size=1) as db,
        db.transaction(parties=parties, system=system) as connection,
    ):
        rows = await connection.fetch("SELECT party FROM belted ORDER BY 1")
    return [row["party"] for row in rows]


async def test_the_belt_shows_the_parties_rows_only(belted: ScratchDatabase) -> None:
    assert await _seen(belted, roles.APP, parties=[2, 3]) == [2, 3]


async def test_the_belt_shows_nothing_to_nobody(belted: ScratchDatabase) -> None:
    assert await _seen(belted, roles.APP) == []


async def test_system_sees_everything(belted: ScratchDatabase) -> None:
    assert await _seen(belted, roles.APP, system=True) == [1, 2, 3]


async def test_the_loader_bypasses_the_belt(belted: ScratchDatabase) -> None:
    assert await _seen(belted, roles.LOADER) == [1, 2, 3]


def test_row_security_cannot_be_switched_off_by_the_application(belted: ScratchDatabase) -> None:
    with connect(belted.dsn, role=roles.APP) as session:
        session.execute("SET row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM hygie.belted")


def test_resetting_the_role_gives_nothing_more(belted: ScratchDatabase) -> None:
    with connect(belted.dsn, role=roles.APP) as session:
        session.execute("RESET ROLE")
        assert session.execute("SELECT current_user::text").fetchone() == (roles.APP,)
