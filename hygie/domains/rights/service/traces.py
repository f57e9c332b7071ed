"""The accesses to one's own record, for an export: AuditEvents and the proofs of their places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.rights.service.copying import ACCESSES, Traces
from hygie.kernel.audit.proofs import Proofs
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection

PROOFS = "proofs.ndjson"
AT_ONCE = "500"
_HEAD = "SELECT size, checkpoint FROM trace_head ORDER BY size DESC LIMIT 1"
_PLACES = """
SELECT t.place, t.at, t.id, l.leaf_hash FROM trace t JOIN trace_leaf l ON l.place = t.place
WHERE (t.pat = $1 OR t.pats @> ARRAY[$1]) AND t.place >= $2 AND t.place < $3
ORDER BY t.place LIMIT 500
"""


def traces_of(repository: Repository, access: Access, patient: str) -> Traces:
    """Return the parts of the access log about one person; nothing is read before it is asked.

    A proof line holds the place of a leaf, its hash and the audit path to the signed head of the
    first line (RFC 6962, 2.1.1); ``hygie_verify`` explains how to check it.
    """
    return (
        (ACCESSES, _events(repository, access, patient)),
        (PROOFS, _proofs(repository, access, patient)),
    )


async def _events(repository: Repository, access: Access, patient: str) -> AsyncIterator[bytes]:
    site = repository.site
    log = AuditEvents(base=site.base, key_of=key_of, zone=site.zone, clock=SystemClock())
    wanted = [("patient", f"Patient/{patient}"), ("_count", AT_ONCE)]
    async with repository.reading(access, Request("search-type")) as reading:
        reading.seen([await _number(reading.connection, patient)])
        after: str | None = None
        while True:
            page = await log.search(reading.connection, reading.caller, wanted, after=after)
            for event in page.events:
                yield event.body
            after = page.after
            if after is None:
                return


async def _proofs(repository: Repository, access: Access, patient: str) -> AsyncIterator[bytes]:
    async with repository.reading(access, Request("search-type")) as reading:
        connection = reading.connection
        number = await _number(connection, patient)
        reading.seen([number])
        head = await connection.fetchrow(_HEAD)
        if head is None or number is None:
            return
        yield msgspec.json.encode({"head": head["checkpoint"]})
        proofs, place, size = Proofs(connection), 0, head["size"]
        while rows := await connection.fetch(_PLACES, number, place, size):
            paths = await proofs.inclusion([row["place"] for row in rows], size)
            for row, path in zip(rows, paths, strict=True):
                yield msgspec.json.encode(
                    {
                        "place": row["place"],
                        "leaf": row["leaf_hash"].hex(),
                        "path": [one.hex() for one in path],
                    }
                )
            place = rows[-1]["place"] + 1


async def _number(connection: Connection, patient: str) -> int | None:
    number: int | None = await connection.fetchval(
        "SELECT num FROM party WHERE rt = $1::smallint AND uid = $2::uuid",
        type_number("Patient"),
        key_of(patient)[0],
    )
    return number
