"""Registered applications as the engine knows them: who may introspect, from where they call."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection


@dataclass(frozen=True, slots=True)
class Application:
    """One approved application.

    Attributes:
        client: its id.
        name: as people know it.
        secret: SHA-256 of its secret, None where it has none.
        introspects: whether it is a resource server, which may ask about every token.
        origins: from where its pages call in a browser, such as ``https://app.example.org``.
    """

    client: str
    name: str
    secret: bytes | None = None
    introspects: bool = False
    origins: tuple[str, ...] = ()

    def knows(self, secret: str) -> bool:
        """Tell in constant time whether this is its secret."""
        digest = hashlib.sha256(secret.encode()).digest()
        return self.secret is not None and hmac.compare_digest(self.secret, digest)


_SAVE = """
INSERT INTO application (client, name, secret, introspects, origins) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (client) DO UPDATE SET name = excluded.name, secret = excluded.secret,
  introspects = excluded.introspects, origins = excluded.origins
"""


async def save(connection: Connection, application: Application) -> None:
    """Keep an application, or bring it up to date."""
    await connection.execute(
        _SAVE,
        application.client,
        application.name,
        application.secret,
        application.introspects,
        list(application.origins),
    )


async def forget(connection: Connection, client: str) -> None:
    """Forget an application that ended; its tokens are revoked apart."""
    await connection.execute("DELETE FROM application WHERE client = $1", client)


async def find(connection: Connection, client: str) -> Application | None:
    """Return an application, None where none is approved under this id."""
    row = await connection.fetchrow(
        "SELECT client, name, secret, introspects, origins FROM application WHERE client = $1",
        client,
    )
    if row is None:
        return None
    return Application(
        row["client"], row["name"], row["secret"], row["introspects"], tuple(row["origins"])
    )


async def calls_from(connection: Connection, origin: str) -> bool:
    """Tell whether pages of some application call from this origin."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM application WHERE origins @> ARRAY[$1::text])", origin
    )
    return found
