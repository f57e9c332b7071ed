"""How far each source of a load is: kept in the database with the resources themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_READ = "SELECT entries, done, refused FROM load_progress WHERE source = $1"
_WRITE = """
INSERT INTO load_progress (source, entries, done, refused)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::boolean[], $4::bigint[]) ORDER BY 1
ON CONFLICT (source) DO UPDATE
SET entries = excluded.entries, done = excluded.done, refused = excluded.refused, at = now()
"""


@dataclass(slots=True)
class Mark:
    """How far one source is.

    Attributes:
        identity: which source.
        entries: how many of its entries are behind us.
        ended: whether these are all.
        refused: how many of them were refused.
    """

    identity: str
    entries: int = 0
    ended: bool = False
    refused: int = 0


async def read_mark(connection: Connection, identity: str) -> Mark:
    """Return how far an earlier load came with a source."""
    row = await connection.fetchrow(_READ, identity)
    if row is None:
        return Mark(identity)
    return Mark(identity, row["entries"], row["done"], row["refused"])


async def write_marks(connection: Connection, marks: Collection[Mark]) -> None:
    """Keep how far each source is.

    One that ended with refusals begins anew at the next load: what is wrong is then told again,
    what is stored already is skipped.
    """
    if not marks:
        return
    again = [mark.ended and mark.refused > 0 for mark in marks]
    await connection.execute(
        _WRITE,
        [mark.identity for mark in marks],
        [0 if anew else mark.entries for mark, anew in zip(marks, again, strict=True)],
        [mark.ended and not anew for mark, anew in zip(marks, again, strict=True)],
        [0 if anew else mark.refused for mark, anew in zip(marks, again, strict=True)],
    )
