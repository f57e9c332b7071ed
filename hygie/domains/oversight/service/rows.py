"""Read the rows of the queue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hygie.domains.oversight.model.queue import Item
from hygie.domains.oversight.model.states import Origin, State
from hygie.kernel.audit.events import event_id
from hygie.kernel.fhir.search.registry import parameters

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_NAMES = """
SELECT p.num, min(s.norm) FILTER (WHERE s.param = $2) AS family,
  min(s.norm) FILTER (WHERE s.param = $3) AS given
FROM party p
JOIN resource_key k ON k.rt = p.rt AND k.uid = p.uid
JOIN s_string s ON s.key = k.key AND s.part = k.part AND s.param IN ($2, $3)
WHERE p.num = ANY ($1::integer[]) GROUP BY p.num
"""


async def initials(connection: Connection, patients: Iterable[int]) -> dict[int, str]:
    """Return the initials of patients: given name, family name."""
    known = parameters("Patient")
    rows = await connection.fetch(
        _NAMES, list(patients), known["family"].number, known["given"].number
    )
    return {
        row["num"]: "".join(f"{text[0].upper()}." for text in (row["given"], row["family"]) if text)
        for row in rows
    }


def item_of(row: Record) -> Item:
    """Return the item that a row of ``oversight_item`` holds."""
    return Item(
        id=row["id"],
        origin=Origin(row["kind"]),
        state=State(row["state"]),
        day=row["day"],
        due=row["due"],
        at=row["trace_at"],
        event=event_id(row["trace_at"], row["trace"]),
        party=row["party"],
        agent=row["agent"],
        pat=row["pat"],
        initials=row["initials"],
        looks=row["looks"],
        types=tuple(row["types"]),
        rule=row["rule"],
        reasons=tuple(row["reasons"]),
        words=row["words"],
        declared=row["declared"],
        reviewer=row["reviewer"],
        asked=row["asked"],
        answer=row["answer"],
        decision=State(row["decision"]) if row["decision"] is not None else None,
        note=row["note"],
    )
