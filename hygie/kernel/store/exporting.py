"""Everything that is stored now, type by type, for ``hygie export``: traced before it leaves."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from hygie.kernel.audit.trace import write
from hygie.kernel.database.connection import begin
from hygie.kernel.fhir.names import type_name
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.repository import Repository
from hygie.kernel.store.tracing import Request, Touched, trace_many

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

RULE = "system"
_NOBODY = uuid.UUID(int=0)
AT_ONCE = 500
PATIENTS_AT_ONCE = 10_000
_PATIENTS = "SELECT DISTINCT pat FROM resource"
_EVERYTHING = "SELECT rt, body FROM resource ORDER BY rt, key"


async def export(repository: Repository) -> AsyncGenerator[tuple[str, bytes], None]:
    """Yield type and body of every current resource, as of one instant.

    The local operator asks, under one request: one trace per patient, and one for what belongs to
    no patient, are durable before the first body leaves.
    """
    async with repository.database.connection() as reading:
        await reading.execute(begin(system=True))
        try:
            await reading.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await _trace(repository, reading)
            async for row in reading.cursor(_EVERYTHING, prefetch=AT_ONCE):
                yield type_name(row["rt"]), await repository.bodies.load(row["body"])
        finally:
            await reading.execute("ROLLBACK")


async def _trace(repository: Repository, reading: Connection) -> None:
    request = Request("search-system", query="export")
    patients = [row["pat"] for row in await reading.fetch(_PATIENTS)]
    async with repository.database.transaction(system=True) as writing:
        for start in range(0, max(1, len(patients)), PATIENTS_AT_ONCE):
            some = patients[start : start + PATIENTS_AT_ONCE]
            touched = (Touched(0, _NOBODY, None, pat, RULE) for pat in some)
            await write(writing, trace_many(request, SYSTEM, touched, rt=None))
