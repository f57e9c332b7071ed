"""What one follower may see of an event: the store decides, for it alone, each time.

Each telling is a read like any other: it is traced, for the patient, with the application.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from hygie.domains.context.fhir import is_about, shown
from hygie.domains.context.model.events import TYPES, Event
from hygie.domains.context.model.messages import infrastructure
from hygie.kernel.errors import Forbidden, Gone, InvalidRequest, NotFound
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from hygie.kernel.security.caller import Access
    from hygie.kernel.store import Repository

Json = dict[str, Any]
_decode = msgspec.json.Decoder().decode


async def context_for(
    repository: Repository, access: Access, event: Event, *, base: str
) -> list[Json] | None:
    """Return the context of an event as its reader may see it, None where they may not.

    Raises:
        Unauthenticated: the token is no longer valid.
    """
    if not event.focus:
        return infrastructure(event)
    try:
        found = await resources(repository, access, event)
    except (NotFound, Gone, Forbidden, InvalidRequest):
        return None
    return [{"key": key, "resource": shown(one, base=base)} for key, one in found.items()]


async def resources(repository: Repository, access: Access, event: Event) -> dict[str, Json]:
    """Read what an event names, as one reader, all about the same patient.

    Raises:
        HygieError: one of them may not be read.
        InvalidRequest: one of them is about somebody else.
    """
    asked = Request("read", query=f"hub.event={event.name}")
    names = list(event.subjects.items())
    # The others are asked for only where the patient may be seen.
    patient = await repository.read(access, "Patient", event.patient, request=asked)
    others = [(key, rid) for key, rid in names if key != "patient"]
    stored = await asyncio.gather(
        *(repository.read(access, TYPES[key], rid, request=asked) for key, rid in others)
    )
    found: dict[str, Json] = {
        key: _decode(one.body or b"{}") for (key, _), one in zip(others, stored, strict=True)
    }
    if not all(is_about(one, event.patient) for one in found.values()):
        raise InvalidRequest("The resources of one context are about one patient.")
    return {**found, "patient": _decode(patient.body or b"{}")}
