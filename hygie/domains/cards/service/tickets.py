"""What the listener does with a card: every check, then a ticket kept as a digest.

It runs without Django, in a process of its own; the pages redeem the ticket (``attempts``).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import msgspec

from hygie.domains.cards.model.holder import Holder
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.tables import lasts
from hygie.domains.cards.service.trust import read_certificate
from hygie.kernel.database.connection import Database

KEEP = """
UPDATE portal.cards_attempt SET ticket = $1, ticket_expires = $2, proven = $3::jsonb
WHERE state = $4 AND ticket IS NULL AND expires >= $5
"""


def told_of(holder: Holder, der: bytes) -> dict[str, str]:
    """Return what is handed over of a card; no name is kept."""
    serial = f"{read_certificate(der).serial_number:x}"
    return {
        "number": holder.number,
        "rpps": holder.rpps,
        "profession": holder.profession,
        "serial": serial,
    }


async def hand_over(database: Database, state: str, told: dict[str, str], *, at: datetime) -> str:
    """Keep what a card proved and return the ticket.

    Raises:
        CardRefused: no sign-in that still waits has this state.
    """
    ticket = secrets.token_urlsafe(32)
    until = at + lasts("ticket", at.date())
    proven = msgspec.json.encode(told).decode()
    async with database.connection() as connection:
        done = await connection.execute(KEEP, _digest(ticket), until, proven, _digest(state), at)
    if done != "UPDATE 1":
        raise CardRefused(Why.OVER)
    return ticket


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
