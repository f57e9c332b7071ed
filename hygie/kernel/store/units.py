"""Every unit ever stored, so that a search by one unit finds the others of its dimension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

UnitRow = tuple[int, str, str, str]
"""Token, system, code and name of a unit; the name is empty where it is the code."""

_INSERT = """
INSERT INTO unit (token, system, code, name)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) ORDER BY 1
ON CONFLICT DO NOTHING
"""


class Units:
    """The units this process knows to be in the table."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    async def ensure(
        self, connection: Connection, units: Iterable[UnitRow], *, lasting: bool = True
    ) -> None:
        """Make sure the units are in the table.

        ``lasting`` is False inside a transaction that may be rolled back: new ones are then not
        remembered.
        """
        new = {unit for unit in units if unit[0] not in self._known}
        if new:
            await connection.execute(_INSERT, *map(list, zip(*sorted(new), strict=True)))
            if lasting:
                self._known.update(unit[0] for unit in new)
