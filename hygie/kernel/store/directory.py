"""Types that hold no patient: directory and definitions, readable by any known caller.

``definitions/directory_types.csv`` is the list; table ``directory_type`` repeats it for the belt.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_number

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection


@cache
def directory_types() -> frozenset[str]:
    """Return the types that hold no patient.

    >>> "Organization" in directory_types(), "Observation" in directory_types()
    (True, False)
    """
    text = files(__package__).joinpath("definitions/directory_types.csv").read_text("ascii")
    return frozenset(row["type"] for row in csv.DictReader(text.splitlines()))


async def publish(connection: Connection) -> None:
    """Bring table ``directory_type`` in line with the list; at start, as ``system``."""
    numbers = sorted(type_number(rt) for rt in directory_types())
    async with connection.transaction():
        await connection.execute(
            "DELETE FROM directory_type WHERE NOT rt = ANY ($1::smallint[])", numbers
        )
        await connection.execute(
            "INSERT INTO directory_type SELECT unnest($1::smallint[]) ON CONFLICT DO NOTHING",
            numbers,
        )
