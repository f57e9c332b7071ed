"""Tell people that something awaits them: events of kind ``notice`` in the outbox.

The payload is JSON and holds no health content: ``what`` (a :class:`Notice`), ``party`` (number of
who is told), ``about`` (number of the patient), ``item`` (number of the review) and ``event`` (id
of the AuditEvent). Whoever writes notices chooses words and channel.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.oversight.model.queue import Item
from hygie.kernel.outbox import queue
from hygie.kernel.outbox.job import Event

if TYPE_CHECKING:
    from asyncpg import Connection

KIND = "notice"


class Notice(enum.StrEnum):
    """What a notice is about."""

    ABNORMAL_ACCESS = "abnormal-access"
    """To the patient: an access was found abnormal."""
    REPORT_ANSWERED = "report-answered"
    """To the patient: the access they reported was justified."""
    EXPLANATION_ASKED = "explanation-asked"
    """To the professional: a reviewer asks a question."""


async def announce(connection: Connection, what: Notice, item: Item) -> None:
    """Put one notice in the outbox, in the transaction of what it tells."""
    party = item.party if what == Notice.EXPLANATION_ASKED else item.pat
    payload = {
        "what": what.value,
        "party": party,
        "about": item.pat,
        "item": item.id,
        "event": item.event,
    }
    await queue.put(connection, [Event(KIND, msgspec.json.encode(payload))])
