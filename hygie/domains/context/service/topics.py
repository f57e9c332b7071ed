"""Topics: one for each session of one user, and the consents that were given inside it."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.domains.context.model.events import LOGOUT
from hygie.domains.context.model.rules import IDLE, REMEMBERED
from hygie.kernel.errors import Forbidden, Unauthenticated
from hygie.kernel.security.caller import Bearer
from hygie.kernel.security.tokens import TokenFacts, introspect

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection, Database

CHANNEL = "hygie_context"
"""What PostgreSQL notifies the workers on: the number of a topic, nothing of what is open."""


@dataclass(frozen=True, slots=True)
class Topic:
    """The session of one user, as the hub knows it."""

    num: int
    name: str


_OPEN = """
INSERT INTO context_topic AS t (topic, visit, owner, expires) VALUES ($1, $2, $3, $4)
ON CONFLICT (visit) DO UPDATE SET expires = excluded.expires
  WHERE t.owner = excluded.owner AND t.ended IS NULL
RETURNING num, topic
"""


async def open_topic(database: Database, visit: uuid.UUID, owner: str) -> Topic:
    """Return the topic of a session, made when it is first needed.

    Raises:
        Forbidden: the session is over, or is somebody else's.
    """
    async with database.connection() as connection:
        row = await connection.fetchrow(
            _OPEN, secrets.token_urlsafe(24), visit, owner, datetime.now(UTC) + IDLE
        )
    if row is None:
        raise Forbidden("This session is over.")
    return Topic(row["num"], row["topic"])


async def known_topic(database: Database, visit: uuid.UUID, owner: str) -> Topic | None:
    """Return the topic of a session, None where it has none that goes on."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT num, topic FROM context_topic WHERE visit = $1 AND owner = $2 "
            "AND ended IS NULL AND expires > now()",
            visit,
            owner,
        )
    return Topic(row["num"], row["topic"]) if row is not None else None


async def admit(database: Database, topic: Topic, family: uuid.UUID) -> None:
    """Let the tokens of a consent into a topic."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO context_admission (topic, family) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            topic.num,
            family,
        )


_FIND = """
UPDATE context_topic t SET expires = $4
WHERE t.topic = $1 AND t.owner = $2 AND t.ended IS NULL AND t.expires > now()
  AND EXISTS (SELECT 1 FROM context_admission a WHERE a.topic = t.num AND a.family = $3)
RETURNING t.num, t.topic
"""


async def find(connection: Connection, name: str, bearer: Bearer) -> tuple[Topic, TokenFacts]:
    """Return the topic that a token may use, and what the token is.

    Raises:
        Unauthenticated: the token is not valid.
        Forbidden: there is no such topic, or it is not the one this token was given with; the
            answer is the same.
    """
    facts = await introspect(connection, bearer)
    if facts is None:
        raise Unauthenticated("This token is not valid: ask for another.")
    row = await connection.fetchrow(
        _FIND, name, facts.subject, facts.family, datetime.now(UTC) + IDLE
    )
    if row is None:
        raise Forbidden("Your token was not given for this hub.topic.")
    return Topic(row["num"], row["topic"]), facts


async def end_topic(database: Database, visit: uuid.UUID) -> None:
    """End a session: forget what was open at once, and tell its followers that the user left."""
    async with database.connection() as connection, connection.transaction():
        num = await connection.fetchval(
            "UPDATE context_topic SET ended = now(), expires = now() + interval '1 minute' "
            "WHERE visit = $1 AND ended IS NULL RETURNING num",
            visit,
        )
        if num is None:
            return
        await connection.execute("DELETE FROM context_event WHERE topic = $1", num)
        await connection.execute("DELETE FROM context_admission WHERE topic = $1", num)
        await connection.execute(
            "INSERT INTO context_event (topic, id, name, at, sender, subjects) "
            "VALUES ($1, $2, $3, now(), '', $4)",
            num,
            str(uuid.uuid4()),
            LOGOUT,
            json.dumps({}),
        )
        await poke(connection, num)


async def poke(connection: Connection, num: int) -> None:
    """Tell every worker that something of a topic changed, once this is committed."""
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(num))


_FORGET = (
    "DELETE FROM context_topic WHERE expires < now()",
    "DELETE FROM context_follower WHERE expires < now() - interval '1 minute'",
    "DELETE FROM context_event WHERE NOT held AND made < now() - $1::interval",
)


async def forget(database: Database) -> None:
    """Delete the sessions that are over, and the events that no longer stand."""
    async with database.connection() as connection:
        for statement in _FORGET:
            await connection.execute(statement, *([REMEMBERED] if "$1" in statement else []))
