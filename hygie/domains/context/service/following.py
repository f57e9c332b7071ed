"""Subscriptions: made and renewed by a token, found by the secret of their address."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.domains.context.model.rules import FOLLOWERS, LEASE
from hygie.domains.context.service.topics import Topic, poke
from hygie.kernel.errors import NotFound, Unavailable
from hygie.kernel.security.caller import Bearer

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection, Database


@dataclass(frozen=True, slots=True)
class Follower:
    """One subscription.

    Attributes:
        events: the names it hears.
        bearer: the token by which it reads each patient; None for the pages of Hygie, which are
            told that something happened and read it as who is signed in.
        holder: its newest connection, in whichever worker.
    """

    num: int
    topic: Topic
    client: str
    name: str
    events: tuple[str, ...]
    expires: datetime
    bearer: Bearer | None
    holder: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscription asks for."""

    events: Sequence[str]
    expires: datetime
    bearer: Bearer | None = None
    client: str = ""
    name: str = ""


_UNUSED = """
DELETE FROM context_follower WHERE topic = $1 AND token IS NULL AND holder IS NULL
"""


async def follow(database: Database, topic: Topic, wanted: Wanted) -> str:
    """Return the secret of the address of a new subscription.

    Raises:
        Unavailable: the session has as many followers as it may.
    """
    secret = secrets.token_urlsafe(32)
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SELECT 1 FROM context_topic WHERE num = $1 FOR UPDATE", topic.num)
        if wanted.bearer is None:
            # A page that was left before it listened; one that still loads asks again.
            await connection.execute(_UNUSED, topic.num)
        standing = await connection.fetchval(
            "SELECT count(*) FROM context_follower WHERE topic = $1 AND expires > now() "
            "AND (token IS NULL) = $2",
            topic.num,
            wanted.bearer is None,
        )
        if standing >= FOLLOWERS:
            raise Unavailable("This session has too many followers: unsubscribe one.")
        await connection.execute(
            "INSERT INTO context_follower (topic, endpoint, token, client, name, events, expires) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            topic.num,
            digest(secret),
            wanted.bearer.digest if wanted.bearer else None,
            wanted.client,
            wanted.name,
            list(wanted.events),
            _ends(wanted),
        )
    return secret


async def renew(connection: Connection, topic: Topic, secret: str, wanted: Wanted) -> None:
    """Replace the events, the token and the end of a subscription of the same application.

    Raises:
        NotFound: there is no such subscription of this application in this topic.
    """
    found = await connection.fetchval(
        "UPDATE context_follower SET token = $4, events = $5, expires = $6, name = $7 "
        "WHERE topic = $1 AND endpoint = $2 AND client = $3 AND token IS NOT NULL RETURNING num",
        topic.num,
        digest(secret),
        wanted.client,
        wanted.bearer.digest if wanted.bearer else None,
        list(wanted.events),
        _ends(wanted),
        wanted.name,
    )
    await _changed(connection, topic, found)


async def stop(connection: Connection, topic: Topic, secret: str, client: str) -> None:
    """End a subscription of an application.

    Raises:
        NotFound: there is no such subscription of this application in this topic.
    """
    found = await connection.fetchval(
        "DELETE FROM context_follower WHERE topic = $1 AND endpoint = $2 AND client = $3 "
        "AND token IS NOT NULL RETURNING num",
        topic.num,
        digest(secret),
        client,
    )
    await _changed(connection, topic, found)


async def _changed(connection: Connection, topic: Topic, found: int | None) -> None:
    if found is None:
        raise NotFound("There is no such subscription: subscribe anew.")
    await poke(connection, topic.num)


async def hold(connection: Connection, follower: Follower, holder: uuid.UUID) -> None:
    """Make a connection the newest one of a subscription; the one before is let go."""
    await connection.execute(
        "UPDATE context_follower SET holder = $2 WHERE num = $1", follower.num, holder
    )
    await poke(connection, follower.topic.num)


async def drop(connection: Connection, num: int) -> None:
    """End a subscription whose connection is lost for good."""
    await connection.execute("DELETE FROM context_follower WHERE num = $1", num)


_COLUMNS = """
SELECT f.num, f.topic AS place, t.topic, f.client, f.name, f.events, f.expires, f.token, f.holder
FROM context_follower f JOIN context_topic t ON t.num = f.topic
"""


async def by_secret(connection: Connection, secret: str) -> Follower | None:
    """Return the subscription that an address names, None where there is none or it is over."""
    row = await connection.fetchrow(
        f"{_COLUMNS} WHERE f.endpoint = $1 AND f.expires > now() AND t.ended IS NULL "
        "AND t.expires > now()",
        digest(secret),
    )
    return None if row is None else _follower(row)


async def of_topic(connection: Connection, topic: int) -> dict[int, Follower]:
    """Return the subscriptions of a topic by their number."""
    rows = await connection.fetch(f"{_COLUMNS} WHERE f.topic = $1", topic)
    return {row["num"]: _follower(row) for row in rows}


def digest(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _ends(wanted: Wanted) -> datetime:
    return min(wanted.expires, datetime.now(UTC) + LEASE)


def _follower(row: Record) -> Follower:
    return Follower(
        row["num"],
        Topic(row["place"], row["topic"]),
        row["client"],
        row["name"],
        tuple(row["events"]),
        row["expires"],
        Bearer(row["token"]) if row["token"] is not None else None,
        row["holder"],
    )
