"""Keep an event and wake the workers: one at a time in each session, so that all see one order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hygie.domains.context.model.events import SYNC_ERROR, Event
from hygie.domains.context.model.rules import REMEMBERED, WITHIN, Past, check_may_follow
from hygie.domains.context.service.topics import Topic, poke
from hygie.kernel.errors import Forbidden

if TYPE_CHECKING:
    from asyncpg import Record

    from hygie.kernel.database.connection import Connection, Database

_LOCK = """
SELECT 1 FROM context_topic WHERE num = $1 AND ended IS NULL AND expires > now() FOR UPDATE
"""
_PAST = """
SELECT count(*) FILTER (WHERE id = $2) > 0 AS seen,
  max(at) FILTER (WHERE name LIKE '%-open' OR name LIKE '%-close') AS newest,
  count(*) FILTER (WHERE made > $3) AS lately
FROM context_event WHERE topic = $1
"""
_KEEP = """
INSERT INTO context_event (topic, id, name, at, sender, source, subjects, held)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_COLUMNS = "num, id, name, at, sender, source, subjects"
_HELD = f"""
SELECT {_COLUMNS} FROM context_event WHERE topic = $1 AND held ORDER BY num
"""
_SINCE = f"""
SELECT {_COLUMNS} FROM context_event WHERE topic = $1 AND num > $2 ORDER BY num
"""


async def publish(database: Database, topic: Topic, event: Event, *, anew: bool = True) -> bool:
    """Keep an event of a topic; return whether it changed anything.

    With ``anew`` false, opening what is already open, and nothing newer, changes nothing.

    Raises:
        HygieError: the session is over, or the event cannot follow the ones before it.
    """
    async with database.connection() as connection, connection.transaction():
        if await connection.fetchval(_LOCK, topic.num) is None:
            raise Forbidden("This session is over.")
        if not anew and await _stands(connection, topic, event):
            return False
        now = datetime.now(UTC)
        row = await connection.fetchrow(_PAST, topic.num, event.id, now - WITHIN)
        past = Past(*row) if row is not None else Past(seen=False, newest=None, lately=0)
        check_may_follow(event, past, now=now)
        await _supersede(connection, topic, event)
        await connection.execute(
            _KEEP,
            topic.num,
            event.id,
            event.name,
            event.at,
            event.sender,
            event.source,
            json.dumps(dict(event.subjects)),
            event.opens,
        )
        await poke(connection, topic.num)
    return True


async def _stands(connection: Connection, topic: Topic, event: Event) -> bool:
    held = await held_in(connection, topic.num)
    return bool(held) and (held[-1].name, held[-1].subjects) == (event.name, event.subjects)


async def _supersede(connection: Connection, topic: Topic, event: Event) -> None:
    """Let go of what an event ends: what it replaces or closes, and every other patient's."""
    if not event.focus:
        return
    for one in await held_in(connection, topic.num):
        same_patient = one.patient == event.patient
        closes_all = event.name == "Patient-close" and same_patient
        other = event.opens and not same_patient
        if other or closes_all or (one.focus == event.focus and same_patient):
            await connection.execute(
                "UPDATE context_event SET held = false WHERE num = $1", one.num
            )
    await connection.execute(
        "DELETE FROM context_event WHERE topic = $1 AND NOT held AND made < now() - $2::interval",
        topic.num,
        REMEMBERED,
    )


async def held_in(connection: Connection, topic: int) -> list[Event]:
    """Return the openings of a topic that stand, in the order they came."""
    return [_event(row) for row in await connection.fetch(_HELD, topic)]


async def since(connection: Connection, topic: int, num: int) -> list[Event]:
    """Return the events of a topic after a place, in order."""
    return [_event(row) for row in await connection.fetch(_SINCE, topic, num)]


async def newest(connection: Connection, topic: int) -> int:
    """Return the place of the newest event of a topic, 0 for none."""
    found: int = await connection.fetchval(
        "SELECT coalesce(max(num), 0) FROM context_event WHERE topic = $1", topic
    )
    return found


def sync_error(about: Mapping[str, str], *, sender: str = "", source: int | None = None) -> Event:
    """Return the event that tells the others that somebody does not follow."""
    return Event(str(uuid.uuid4()), SYNC_ERROR, datetime.now(UTC), about, sender, source)


def _event(row: Record) -> Event:
    return Event(
        row["id"],
        row["name"],
        row["at"],
        json.loads(row["subjects"]),
        row["sender"],
        row["source"],
        row["num"],
    )
