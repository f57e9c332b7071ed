"""Bearer tokens: issued here, looked up in each request's own transaction, never cached."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.errors import Unauthenticated
from hygie.kernel.security.caller import Access, Bearer, Caller, Kind, Right

if TYPE_CHECKING:
    from asyncpg import Connection

_LOOK_UP = """
SELECT digest, kind, party, reference, purpose, rights FROM access_token
WHERE digest = ANY ($1::bytea[]) AND revoked IS NULL AND expires > now()
"""
_INSERT = """
INSERT INTO access_token (digest, kind, party, reference, purpose, rights, label, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
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


async def callers_of(connection: Connection, accesses: Iterable[Access]) -> dict[Bearer, Caller]:
    """Return the callers of the valid tokens among ``accesses``, in one round trip at most."""
    bearers = {access for access in accesses if isinstance(access, Bearer)}
    if not bearers:
        return {}
    rows = await connection.fetch(_LOOK_UP, [bearer.digest for bearer in bearers])
    return {
        Bearer(row["digest"]): Caller(
            Kind(row["kind"]),
            row["party"],
            row["reference"],
            purpose=row["purpose"],
            rights=frozenset(Right(right) for right in row["rights"]),
        )
        for row in rows
    }


def resolve(access: Access, known: dict[Bearer, Caller]) -> Caller:
    """Return the caller of one access.

    Raises:
        Unauthenticated: the token is unknown, expired or revoked.
    """
    if isinstance(access, Caller):
        return access
    try:
        return known[access]
    except KeyError:
        raise Unauthenticated(
            "The bearer token is unknown, expired or revoked; ask for a new one."
        ) from None


async def authenticate(connection: Connection, access: Access) -> Caller:
    """Return the caller of one access.

    Raises:
        Unauthenticated: the token is unknown, expired or revoked.
    """
    return resolve(access, await callers_of(connection, [access]))


def parties(callers: Sequence[Caller]) -> tuple[bool, list[int]]:
    """Return what the belt needs: whether ``system`` is among them, and the party numbers."""
    system = any(caller.kind == Kind.SYSTEM for caller in callers)
    return system, sorted({caller.party for caller in callers if caller.party})
