"""Bearer tokens: issued here, looked up in each request's own transaction, never cached."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.security.caller import Bearer, Caller

if TYPE_CHECKING:
    from asyncpg import Connection

_INSERT = """
INSERT INTO access_token (digest, kind, party, reference, purpose, rights, level, label, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def issue(
    connection: Connection, caller: Caller, *, at: datetime, valid: timedelta, label: str = ""
) -> str:
    """Store a new token for this caller and return it; only its SHA-256 is kept."""
    token = secrets.token_urlsafe(32)
    await connection.execute(
        _INSERT,
        Bearer.from_token(token).digest,
        int(caller.kind),
        caller.party,
        caller.reference,
        caller.purpose,
        sorted(caller.rights),
        caller.level,
        label,
        at + valid,
    )
    return token


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What introspection tells of a valid token (RFC 7662, section 2.2)."""

    subject: str
    purpose: str
    issued: datetime
    expires: datetime


async def introspect(connection: Connection, bearer: Bearer) -> TokenFacts | None:
    """Return the facts of a valid token; None for one that is unknown, expired or revoked."""
    row = await connection.fetchrow(
        "SELECT reference, purpose, issued, expires FROM access_token "
        "WHERE digest = $1 AND revoked IS NULL AND expires > now()",
        bearer.digest,
    )
    return (
        TokenFacts(row["reference"], row["purpose"], row["issued"], row["expires"]) if row else None
    )


REVOKE_ALL = "UPDATE access_token SET revoked = now() WHERE reference = %s AND revoked IS NULL"
"""Revokes every token of one party, for the synchronous tools."""


async def revoke(connection: Connection, bearer: Bearer) -> None:
    """Revoke a token; it is refused from the next statement on."""
    await connection.execute(
        "UPDATE access_token SET revoked = now() WHERE digest = $1 AND revoked IS NULL",
        bearer.digest,
    )
