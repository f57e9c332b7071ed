from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from hygie.kernel.database import migrate, roles
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, Unavailable
from hygie.testing.database import ScratchDatabase


def _write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def _prepare(database: ScratchDatabase, folder: Path) -> list[str]:
    return migrate.prepare(database.dsn, admin_dsn=database.admin_dsn, folder=folder)


def test_each_file_runs_once_in_order(bare_database: ScratchDatabase, tmp_path: Path) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int);")
    assert _prepare(bare_database, tmp_path) == ["0001_first"]
    _write(tmp_path, "0002_second.sql", "ALTER TABLE a ADD COLUMN m int;")
    assert _prepare(bare_database, tmp_path) == ["0002_second"]
    assert _prepare(bare_database, tmp_path) == []


def test_the_owner_role_owns_what_migrations_make(
    bare_database: ScratchDatabase, tmp_path: Path
) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int);")
    _prepare(bare_database, tmp_path)
    with connect(bare_database.admin_dsn) as session:
        row = session.execute(
            "SELECT tableowner, schemaname FROM pg_tables WHERE tablename = 'a'"
        ).fetchone()
    assert row == (roles.OWNER, "hygie")


def test_a_changed_file_is_refused(bare_database: ScratchDatabase, tmp_path: Path) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int);")
    _prepare(bare_database, tmp_path)
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n bigint);")
    with pytest.raises(ConfigurationError, match="0001_first changed after it was applied"):
        _prepare(bare_database, tmp_path)


def test_a_newer_database_is_refused(bare_database: ScratchDatabase, tmp_path: Path) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int);")
    _prepare(bare_database, tmp_path)
    (tmp_path / "0001_first.sql").unlink()
    with pytest.raises(ConfigurationError, match="does not know"):
        _prepare(bare_database, tmp_path)


def test_a_failed_file_leaves_nothing(bare_database: ScratchDatabase, tmp_path: Path) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int); SELECT 1 / 0;")
    with pytest.raises(Unavailable, match="0001_first failed and was undone"):
        _prepare(bare_database, tmp_path)
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int);")
    assert _prepare(bare_database, tmp_path) == ["0001_first"]


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dash.sql", "0001_Upper.sql"])
def test_a_badly_named_file_is_refused(tmp_path: Path, name: str) -> None:
    _write(tmp_path, name, "SELECT 1;")
    with pytest.raises(ConfigurationError, match="must be named like"):
        migrate.available(tmp_path)


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    _write(tmp_path, "0001_a.sql", "SELECT 1;")
    _write(tmp_path, "0001_b.sql", "SELECT 1;")
    with pytest.raises(ConfigurationError, match="Two migrations"):
        migrate.available(tmp_path)


GRANT = 'GRANT "hygie_loader" TO "newcomer"'
RUN = """
import sys; from pathlib import Path; from hygie.kernel.database import migrate
migrate.prepare(sys.argv[1], admin_dsn=sys.argv[2], folder=Path(sys.argv[3]))
"""


def test_a_kill_at_any_statement_can_be_resumed(
    bare_database: ScratchDatabase, tmp_path: Path
) -> None:
    for number in range(1, 9):
        _write(tmp_path, f"{number:04}_step.sql", f"CREATE TABLE t{number} (n int);"
               "SELECT pg_sleep(0.05);" f"INSERT INTO t{number} VALUES ({number});")  # fmt: skip
    command = [sys.executable, "-c", RUN, bare_database.dsn, bare_database.admin_dsn, str(tmp_path)]
    for pause in (0.3, 0.4, 0.5):
        with subprocess.Popen(command) as process:  # noqa: S603 - our own programme
            time.sleep(pause)
            process.kill()
    _prepare(bare_database, tmp_path)
    with connect(bare_database.admin_dsn) as session:
        for number in range(1, 9):
            rows = session.execute(f"SELECT n FROM hygie.t{number}".encode()).fetchall()
            assert rows == [(number,)]


def test_two_programmes_that_start_together_wait_for_one_another(
    bare_database: ScratchDatabase, tmp_path: Path
) -> None:
    _write(tmp_path, "0001_first.sql", "CREATE TABLE a (n int); SELECT pg_sleep(0.2);")
    command = [sys.executable, "-c", RUN, bare_database.dsn, bare_database.admin_dsn, str(tmp_path)]
    both = [subprocess.Popen(command) for _ in range(2)]  # noqa: S603 - our own programme
    assert [process.wait() for process in both] == [0, 0]


def test_a_user_without_rights_is_told_what_to_ask_for(bare_database: ScratchDatabase) -> None:
    # Roles belong to the server, and the other tests of this one need them: made by hand here.
    with connect(bare_database.admin_dsn) as admin:
        admin.execute("DROP ROLE IF EXISTS newcomer")
        admin.execute("CREATE ROLE newcomer LOGIN PASSWORD 'n'")
        roles.ensure_roles(admin, member=str(admin.info.user))
        admin.execute("SET ROLE newcomer")
        with pytest.raises(ConfigurationError, match=re.escape(GRANT)):
            roles.ensure_roles(admin, member="newcomer")
        admin.execute("RESET ROLE")
        for statement in roles.statements_for(admin, "newcomer").split(";"):
            if statement.strip().startswith("GRANT"):
                admin.execute(statement.encode())
        admin.execute("SET ROLE newcomer")
        roles.ensure_roles(admin, member="newcomer")
        admin.execute("RESET ROLE")
        admin.execute("DROP ROLE newcomer")


def test_the_application_can_neither_migrate_nor_escape(database: ScratchDatabase) -> None:
    with connect(database.dsn, role=roles.APP) as session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE hygie.mine (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("DELETE FROM hygie.migration")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("ALTER ROLE hygie_app BYPASSRLS")
        row = session.execute(
            "SELECT rolbypassrls, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == (False, False)


def test_the_portal_sees_its_own_schema_only(database: ScratchDatabase) -> None:
    with connect(database.dsn, role=roles.PORTAL) as session:
        session.execute("CREATE TABLE portal.try_it (n int)")
        session.execute("DROP TABLE portal.try_it")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT 1 FROM hygie.migration")
