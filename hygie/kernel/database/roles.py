"""Roles, schemas and extensions: what the numbered migrations stand on.

Everybody connects with one connection string and takes a role at the start of the session
(startup parameter ``role``). On the embedded server the string's user is ``hygie``, who has no
right but to take these roles.

===============  =======================================================================
hygie_owner      owns schema ``hygie``; runs the migrations
hygie_app        reads and writes under row-level security; serves every request
hygie_loader     bypasses row-level security, which COPY needs; ``hygie load`` and ``$import``
hygie_portal     owns schema ``portal``, where Django's tables are, and sees nothing else
hygie_sequencer  gives traces their place in the Merkle tree and signs its heads
hygie_keys       reads and writes wrapped keys in schema ``hygie_keys``, and nothing else
===============  =======================================================================
"""

from __future__ import annotations

import logging

import psycopg
from psycopg import sql

from hygie.kernel.database.session import Connection
from hygie.kernel.errors import ConfigurationError

log = logging.getLogger(__name__)

OWNER, APP, LOADER, PORTAL = "hygie_owner", "hygie_app", "hygie_loader", "hygie_portal"
SEQUENCER = "hygie_sequencer"
KEYS = "hygie_keys"
ROLES = {
    OWNER: "NOLOGIN NOSUPERUSER NOBYPASSRLS",
    APP: "NOLOGIN NOSUPERUSER NOBYPASSRLS",
    LOADER: "NOLOGIN NOSUPERUSER BYPASSRLS",
    PORTAL: "NOLOGIN NOSUPERUSER NOBYPASSRLS",
    SEQUENCER: "NOLOGIN NOSUPERUSER NOBYPASSRLS",
    KEYS: "NOLOGIN NOSUPERUSER NOBYPASSRLS",
}
LOGIN = "hygie"
SEARCH_PATH = "hygie, public"
SETTABLE_MEMBERSHIP_SINCE = 160000


def ensure_login(admin: Connection) -> None:
    """Make the embedded server's ordinary user ``hygie``."""
    _create_role(admin, LOGIN, "LOGIN NOSUPERUSER NOINHERIT NOBYPASSRLS")


def ensure_roles(admin: Connection, *, member: str) -> None:
    """Make the roles and let ``member`` take them.

    Raises:
        ConfigurationError: the connection may not; the sentence holds the statements that a
            superuser of that server runs once.
    """
    missing = _missing(admin, member)
    if not missing:
        return
    try:
        for name, options in ROLES.items():
            _create_role(admin, name, options)
            admin.execute(_grant(admin, name, member))
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"The user {member} of HYGIE_DATABASE_URL may not make the roles "
            f"{', '.join(missing)}. A superuser of that server runs once: "
            f"{statements_for(admin, member)}"
        ) from error


def ensure_schemas(admin: Connection) -> None:
    """Make the schemas and the extensions of one database."""
    for schema, owner in (("hygie", OWNER), ("portal", PORTAL), ("hygie_keys", OWNER)):
        admin.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(
                sql.Identifier(schema), sql.Identifier(owner)
            )
        )
    admin.execute(f"GRANT USAGE ON SCHEMA hygie TO {APP}, {LOADER}".encode())
    # Trigrams find substrings and misspelt names; Debian ships them with the server.
    admin.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA hygie")
    _let_indexes_help(admin)


def _let_indexes_help(admin: Connection) -> None:
    """Let searches by token use their index under row-level security.

    PostgreSQL puts an operator into an index condition below a policy only where its function is
    known to tell nothing of the rows it looks at. These two compare arrays of numbers and raise no
    error that depends on them, and yet they come unmarked: every search by a token would read the
    whole table (PostgreSQL 18, section 39.5, "Rules and Privileges").
    """
    unmarked = admin.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE NOT p.proleakproof "
        "AND p.oid = ANY (%s::regprocedure[])",
        (list(ARRAY_FUNCTIONS),),
    ).fetchall()
    try:
        for (name,) in unmarked:
            admin.execute(f"ALTER FUNCTION {name} LEAKPROOF".encode())
    except psycopg.errors.InsufficientPrivilege:
        # Searches find the same, slowly, until a superuser of that server does it.
        log.warning("database.functions_unmarked", extra={"functions": ARRAY_FUNCTIONS})


ARRAY_FUNCTIONS = (
    "pg_catalog.arraycontains(anyarray,anyarray)",
    "pg_catalog.arrayoverlap(anyarray,anyarray)",
)


def statements_for(admin: Connection, member: str) -> str:
    """Return what a superuser runs by hand on a server where Hygie may not make roles."""
    made = [f"CREATE ROLE {name} {options};" for name, options in ROLES.items()]
    granted = [f"{_grant(admin, name, member).as_string(admin)};" for name in ROLES]
    return " ".join([*made, *granted])


def _missing(admin: Connection, member: str) -> list[str]:
    taken = "SET" if admin.info.server_version >= SETTABLE_MEMBERSHIP_SINCE else "MEMBER"
    rows = admin.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        " AND pg_has_role(%s, oid, %s) AND rolbypassrls = (rolname = %s) AND NOT rolsuper",
        (list(ROLES), member, taken, LOADER),
    ).fetchall()
    present = {row[0] for row in rows}
    return [name for name in ROLES if name not in present]


def _create_role(admin: Connection, name: str, options: str) -> None:
    # Roles belong to the whole server: another database may be making the same one now.
    statement = (
        f"DO $$ BEGIN CREATE ROLE {name} {options};"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    admin.execute(statement.encode())


def _grant(admin: Connection, name: str, member: str) -> sql.Composed:
    how = sql.SQL(
        " WITH INHERIT FALSE, SET TRUE"
        if admin.info.server_version >= SETTABLE_MEMBERSHIP_SINCE
        else ""
    )
    return sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(name), sql.Identifier(member), how)
