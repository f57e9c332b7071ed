"""The list of directory types and its copy in the database agree."""

from __future__ import annotations

from hygie.kernel.fhir.names import type_number
from hygie.kernel.store.directory import directory_types
from hygie.testing.database import ScratchDatabase


async def test_the_belt_knows_the_same_directory_types(database: ScratchDatabase) -> None:
    async with database.open(size=1) as opened, opened.connection() as connection:
        rows = await connection.fetch("SELECT rt FROM directory_type")
    assert {row["rt"] for row in rows} == {type_number(rt) for rt in directory_types()}
