"""Delete, plain and conditional (FHIR R4, http.html#delete)."""

from __future__ import annotations

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response, if_match_of
from hygie.kernel.store.conditional import read_criteria


async def delete(engine: Engine, request: HttpRequest) -> Response:
    """Delete a resource; deleting it again changes nothing and answers alike."""
    rt, rid = request.segments
    written = await engine.repository.delete(
        request.access, rt, rid, if_match=if_match_of(request), request=request.traced("delete")
    )
    return Response(204, b"", (("etag", f'W/"{written.stored.version}"'),))


async def delete_where(engine: Engine, request: HttpRequest) -> Response:
    """Delete the one resource that matches the criteria; nothing when none does."""
    await engine.repository.delete_where(
        request.access,
        request.segments[0],
        criteria=read_criteria(request.query),
        request=request.traced("delete"),
    )
    return Response(204)
