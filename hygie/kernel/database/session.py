"""Synchronous sessions (psycopg) for migrations, commands and Django; requests use asyncpg."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

Connection = psycopg.Connection[tuple[Any, ...]]
SEARCH_PATH = "hygie,public"


def startup_options(role: str, *, search_path: str = SEARCH_PATH) -> str:
    """Return the libpq parameter ``options`` that makes a session take a role at its start.

    >>> startup_options("hygie_portal", search_path="portal")
    '-c role=hygie_portal -c search_path=portal'
    """
    return f"-c role={role} -c search_path={search_path}"


def connect(dsn: str, *, role: str | None = None, autocommit: bool = True) -> Connection:
    """Open one session under a role, or as the connection string's own user when None."""
    options = {"options": startup_options(role)} if role else {}
    where = make_conninfo(dsn, application_name="hygie", connect_timeout=10, **options)
    return psycopg.connect(where, autocommit=autocommit)


def for_database(dsn: str, name: str) -> str:
    """Return the same connection string with another database.

    >>> for_database("postgresql://hygie@/postgres?host=/run/pg", "test")
    'postgresql://hygie@/test?host=/run/pg'
    """
    parts = urlsplit(dsn)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{quote(name)}{query}"
