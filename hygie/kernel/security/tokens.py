"""Bearer tokens: issued here, looked up in each request's own transaction, never cached."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hygie.kernel.security.caller import Bearer, Caller

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_INSERT = """
INSERT INTO access_token (digest, kind, party, reference, purpose, rights, level, label, expires,
  client, scope, patient, family, exercise_role, exercise_structure)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""


async def issue(
    connection: Connection,
    caller: Caller,
    *,
    at: datetime,
    valid: timedelta,
    label: str = "",
    family: uuid.UUID | None = None,
) -> str:
    """Store a new token for this caller and return it; only its SHA-256 is kept.

    ``family`` joins the tokens that come from one consent, so that they end together.
    """
    limit, exercise = caller.limit, caller.exercise
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
        limit.client if limit else "",
        list(limit.scope) if limit else None,
        limit.patient if limit else None,
        family,
        exercise.role if exercise else None,
        exercise.structure if exercise else None,
    )
    return token


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What introspection tells of a valid token (RFC 7662, section 2.2)."""

    subject: str
    purpose: str
    issued: datetime
    expires: datetime
    client: str = ""
    scope: tuple[str, ...] = ()
    patient: str = ""
    """Id of the Patient of the launch, empty where none was chosen."""
    level: int = 1
    family: uuid.UUID | None = None


_INTROSPECT = """
SELECT t.digest, t.reference, t.purpose, t.issued, t.expires, t.client, t.scope, t.level, t.family,
  p.uid, p.rid
FROM access_token t LEFT JOIN party p ON p.num = t.patient
WHERE t.digest = ANY ($1::bytea[]) AND t.revoked IS NULL AND t.expires > now()
"""


async def introspect(connection: Connection, bearer: Bearer) -> TokenFacts | None:
    """Return the facts of a valid token; None for one that is unknown, expired or revoked."""
    return (await introspect_all(connection, [bearer])).get(bearer.digest)


async def introspect_all(
    connection: Connection, bearers: Sequence[Bearer]
) -> dict[bytes, TokenFacts]:
    """Return the facts of the tokens that are valid, by digest."""
    rows = await connection.fetch(_INTROSPECT, [one.digest for one in bearers])
    return {row["digest"]: _facts(row) for row in rows}


def _facts(row: Record) -> TokenFacts:
    return TokenFacts(
        row["reference"],
        row["purpose"],
        row["issued"],
        row["expires"],
        row["client"],
        tuple(row["scope"] or ()),
        str(row["rid"] or row["uid"] or ""),
        row["level"],
        row["family"],
    )


REVOKE_ALL = "UPDATE access_token SET revoked = now() WHERE reference = %s AND revoked IS NULL"
"""Revokes every token of one party, for the synchronous tools."""


async def revoke_family(connection: Connection, family: uuid.UUID) -> None:
    """Revoke every token that came from one consent."""
    await connection.execute(
        "UPDATE access_token SET revoked = now() WHERE family = $1 AND revoked IS NULL", family
    )


async def revoke_client(connection: Connection, client: str, *, reference: str = "") -> None:
    """Revoke the tokens of an application: all of them, or those of one of its users."""
    await connection.execute(
        "UPDATE access_token SET revoked = now() WHERE client = $1 AND revoked IS NULL "
        "AND ($2 = '' OR reference = $2)",
        client,
        reference,
    )


async def revoke(connection: Connection, bearer: Bearer) -> None:
    """Revoke a token; it is refused from the next statement on."""
    await connection.execute(
        "UPDATE access_token SET revoked = now() WHERE digest = $1 AND revoked IS NULL",
        bearer.digest,
    )
