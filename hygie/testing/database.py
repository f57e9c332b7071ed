"""The pytest fixtures of the database: a real server, a fresh database per module.

The server is an embedded one per pytest worker, or the one of ``HYGIE_DATABASE_URL``. Databases
are copied from a migrated template, which takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg import sql

from hygie.kernel.config import Settings
from hygie.kernel.database import folders, migrate, roles
from hygie.kernel.database.connection import Database
from hygie.kernel.database.launcher import SUPERUSER, EmbeddedServer
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.session import connect, for_database


@dataclass(frozen=True, slots=True)
class ScratchDatabase:
    """One database of the tests, migrated and empty.

    Attributes:
        name: its name on the server.
        dsn: connection string of the ordinary user; roles are taken on top of it.
        admin_dsn: connection string of a superuser.
        settings: settings with that database and a data folder of its own.
    """

    name: str
    dsn: str
    admin_dsn: str
    settings: Settings

    @contextlib.asynccontextmanager
    async def open(self, *, role: str = roles.APP, size: int = 4) -> AsyncIterator[Database]:
        """Open connections under a role for the length of a block."""
        database = await Database.open(self.dsn, role=role, size=size)
        try:
            yield database
        finally:
            await database.close()

    def truncate(self) -> None:
        """Empty every table of ours but those that migrations fill."""
        with connect(self.admin_dsn) as session:
            rows = session.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname IN ('hygie', 'portal', 'hygie_keys')"
                " AND tablename NOT IN ('migration', 'django_migrations', 'directory_type',"
                " 'trace_tree')"
            ).fetchall()
            if rows:
                tables = ", ".join(row[0] for row in rows)
                session.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE".encode())


class ScratchServer:
    """A server on which tests make and drop databases."""

    def __init__(self, *, dsn: str, admin_dsn: str, folder: Path) -> None:
        self.folder = folder
        self._dsn = dsn
        self._admin_dsn = admin_dsn
        self._names = (f"hygie_test_{os.getpid()}_{number}" for number in itertools.count())
        self._made: list[str] = []
        self._template: str | None = None

    def create(self, *, migrated: bool = True) -> ScratchDatabase:
        """Make a database: a copy of the migrated template, or an empty one."""
        if migrated and self._template is None:
            self._template = self._make(template="template0")
            migrate.prepare(
                for_database(self._dsn, self._template),
                admin_dsn=for_database(self._admin_dsn, self._template),
            )
        return self._described(self._make(template=(migrated and self._template) or "template0"))

    def copy(self, database: ScratchDatabase) -> ScratchDatabase:
        """Make a copy of a database to which nobody is connected."""
        return self._described(self._make(template=database.name))

    def drop(self, database: ScratchDatabase) -> None:
        """Drop one database, connections or not."""
        self._made.remove(database.name)
        with connect(self._admin_dsn) as admin:
            name = sql.Identifier(database.name)
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def drop_all(self) -> None:
        """Drop the databases that were made, connections or not."""
        with connect(self._admin_dsn) as admin:
            while self._made:
                name = sql.Identifier(self._made.pop())
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _described(self, name: str) -> ScratchDatabase:
        dsn = for_database(self._dsn, name)
        return ScratchDatabase(
            name=name,
            dsn=dsn,
            admin_dsn=for_database(self._admin_dsn, name),
            settings=Settings(data=folders.make(self.folder / name), database_url=dsn),
        )

    def _make(self, *, template: str) -> str:
        name = next(self._names)
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with connect(self._admin_dsn) as admin:
            admin.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        self._made.append(name)
        return name


@pytest.fixture(scope="session")
def database_server() -> Iterator[ScratchServer]:
    """Give the worker's server: ``HYGIE_DATABASE_URL``, or an embedded one of its own."""
    # Not below pytest's own temporary folder: root's is closed to the account of the server,
    # and pytest closes it again at each of its starts.
    folder = Path(tempfile.mkdtemp(prefix="hygie-test-"))
    given = os.environ.get("HYGIE_DATABASE_URL")
    try:
        if given:
            server = ScratchServer(dsn=given, admin_dsn=given, folder=folder)
            yield server
            server.drop_all()
        else:
            with embedded_server(folder) as server:
                yield server
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def embedded_server(folder: Path) -> Iterator[ScratchServer]:
    """Run an embedded server below a folder for the length of a block."""
    lock = FolderLock(folder)
    lock.take()
    embedded = EmbeddedServer(folder)
    embedded.start()
    try:
        admin = embedded.dsn(user=SUPERUSER, database="postgres")
        with connect(admin) as session:
            roles.ensure_login(session)
        ordinary = embedded.dsn(user=roles.LOGIN, database="postgres")
        yield ScratchServer(dsn=ordinary, admin_dsn=admin, folder=folder)
    finally:
        embedded.stop()
        lock.release()


@pytest.fixture(scope="module")
def database(database_server: ScratchServer) -> ScratchDatabase:
    """Give the module a migrated, empty database of its own."""
    return database_server.create()


@pytest.fixture
def fresh_database(database_server: ScratchServer) -> ScratchDatabase:
    """Give one test a migrated, empty database of its own."""
    return database_server.create()


@pytest.fixture
def bare_database(database_server: ScratchServer) -> ScratchDatabase:
    """Give one test a database without roles, schemas or tables of ours."""
    return database_server.create(migrated=False)
