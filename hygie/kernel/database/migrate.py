"""Numbered SQL migrations: each file runs once, in order, in one transaction.

A file is ``migrations/NNNN_name.sql``; it runs under the role ``hygie_owner`` with the search
path ``hygie, public``, and says itself which rights the other roles get. Files already applied
never change: their checksum is remembered. A kill at any statement leaves the file unapplied.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from hygie.kernel.database import roles
from hygie.kernel.database.session import Connection, connect
from hygie.kernel.errors import ConfigurationError, Unavailable

log = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "migrations"
NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
# Any constant will do, as long as every Hygie uses the same one.
ADVISORY_LOCK = 0x48796769


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of statements."""

    number: int
    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the statements, in hexadecimal."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def available(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of a folder in order.

    Raises:
        ConfigurationError: a file is badly named, or two have the same number.
    """
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = NAME.fullmatch(path.name)
        if match is None:
            raise ConfigurationError(f"{path.name} must be named like 0001_store.sql.")
        number = int(match["number"])
        if number in found:
            raise ConfigurationError(f"Two migrations have the number {number:04}.")
        found[number] = Migration(number, match["name"], path.read_text("utf-8"))
    return list(found.values())


def prepare(dsn: str, *, admin_dsn: str | None = None, folder: Path = FOLDER) -> list[str]:
    """Bring one database up to date: roles, schemas, then migrations; return what was applied.

    Args:
        dsn: what requests connect with.
        admin_dsn: a string that may make roles and schemas; ``dsn`` itself when None.
        folder: where the files are.
    """
    with connect(dsn) as session:
        member = str(session.info.user)
    with connect(admin_dsn or dsn) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        roles.ensure_roles(admin, member=member)
        roles.ensure_schemas(admin)
    return migrate(dsn, available(folder))


def migrate(dsn: str, migrations: Sequence[Migration]) -> list[str]:
    """Apply the migrations that are not applied yet; return their names.

    Raises:
        ConfigurationError: an applied file changed, or the database is newer than this programme.
        Unavailable: a statement failed; nothing of its file remains.
    """
    with connect(dsn, role=roles.OWNER) as session:
        # Held by the session: two programmes that start together wait for one another.
        session.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        done = _applied(session)
        check_history(migrations, done)
        return [_apply(session, each) for each in migrations if each.number not in done]


def check_history(migrations: Sequence[Migration], applied: dict[int, str]) -> None:
    """Raise when the files and what the database remembers contradict each other.

    Raises:
        ConfigurationError: with the sentence that says what to do.
    """
    known = {each.number: each for each in migrations}
    for number, checksum in applied.items():
        if number not in known:
            raise ConfigurationError(
                f"The database has migration {number:04}, which this version of Hygie does not "
                "know: install the version that made it, or a later one."
            )
        if known[number].checksum != checksum:
            raise ConfigurationError(
                f"Migration {number:04}_{known[number].name} changed after it was applied: restore "
                "the file as it was and write a new migration with the next number."
            )


def _applied(session: Connection) -> dict[int, str]:
    session.execute(
        "CREATE TABLE IF NOT EXISTS hygie.migration ("
        " number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    return dict(session.execute("SELECT number, checksum FROM hygie.migration").fetchall())


def _apply(session: Connection, migration: Migration) -> str:
    label = f"{migration.number:04}_{migration.name}"
    try:
        with session.transaction():
            session.execute(migration.statements.encode())
            session.execute(
                "INSERT INTO hygie.migration (number, name, checksum) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.checksum),
            )
    except psycopg.Error as error:
        raise Unavailable(f"Migration {label} failed and was undone: {error}") from error
    log.info("database.migrated", extra={"migration": label})
    return label
