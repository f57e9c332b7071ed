"""The accesses to one's own record, for an export: AuditEvents and the proofs of their places."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from hygie.domains.rights.service.copying import ACCESSES, Traces
from hygie.kernel.audit.person import export_person
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access
from hygie.kernel.security.labels import Label
from hygie.kernel.store import Repository
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Connection

PROOFS = "proofs.ndjson"
AT_ONCE = "500"
_LABEL_NOW = "SELECT label_now($1::smallint, $2::uuid)"
_SIGNED = "SELECT size FROM trace_head LIMIT 1"


def traces_of(repository: Repository, access: Access, patient: str) -> Traces:
    """Return the parts of the access log about one person; nothing is read before it is asked.

    The file of proofs is what ``hygie_verify`` reads offline.
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
    """Yield the proofs; none while the log has no signed head, in the first second of its life."""
    async with repository.reading(access, Request("search-type")) as reading:
        number = await _number(reading.connection, patient)
        reading.seen([number])
        if number is None or await reading.connection.fetchval(_SIGNED) is None:
            return
        left_out = 0
        async for raw in export_person(reading.connection, number):
            line = msgspec.json.decode(raw)
            if "place" in line and await _is_unannounced(reading.connection, line):
                left_out += 1
            elif "end" in line:
                told = line["end"]["events"] - left_out
                yield msgspec.json.encode({"end": {"events": told}})
            else:
                yield raw.rstrip(b"\n")


async def _is_unannounced(connection: Connection, line: dict[str, Any]) -> bool:
    """Tell whether a trace is about what a professional must first announce.

    Its header, which no proof can do without, tells type and label: the whole line is left out.
    """
    header = msgspec.json.decode(line["header"])
    body = msgspec.json.decode(line["body"]) if "body" in line else {}
    label = header.get("label") or 0
    if body.get("uid") and header.get("rt") is not None:
        now = await connection.fetchval(_LABEL_NOW, header["rt"], UUID(body["uid"]))
        label = label if now is None else now
    return bool(label & Label.HIDDEN_FROM_PATIENT)


async def _number(connection: Connection, patient: str) -> int | None:
    number: int | None = await connection.fetchval(
        "SELECT num FROM party WHERE rt = $1::smallint AND uid = $2::uuid",
        type_number("Patient"),
        key_of(patient)[0],
    )
    return number
