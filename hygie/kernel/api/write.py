"""Create, update and delete, plain and conditional (FHIR R4, http.html#create to #delete)."""

from __future__ import annotations

from hygie.kernel.api.answers import write_answer
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store.conditional import read_criteria
from hygie.kernel.store.transaction import read_version


async def create(engine: Engine, request: HttpRequest) -> Response:
    """Store a new resource under an id the server chooses, unless ``If-None-Exist`` finds one."""
    check_accepts_json(request)
    check_sends_json(request)
    written = await engine.repository.create(
        request.access,
        request.segments[0],
        request.body,
        if_none_exist=request.headers.get("if-none-exist"),
        request=request.traced("create"),
    )
    return write_answer(request, written, base=engine.base)


async def update(engine: Engine, request: HttpRequest) -> Response:
    """Store a new version of a resource; ``If-Match`` refuses it when another came between."""
    check_accepts_json(request)
    check_sends_json(request)
    rt, rid = request.segments
    written = await engine.repository.update(
        request.access,
        rt,
        rid,
        request.body,
        if_match=_if_match(request),
        request=request.traced("update"),
    )
    return write_answer(request, written, base=engine.base)


async def update_where(engine: Engine, request: HttpRequest) -> Response:
    """Update the one resource that matches the criteria, or create it."""
    check_accepts_json(request)
    check_sends_json(request)
    if "if-match" in request.headers:
        raise InvalidRequest("A conditional update takes criteria or If-Match, not both.")
    written = await engine.repository.update_where(
        request.access,
        request.segments[0],
        request.body,
        criteria=read_criteria(request.query),
        request=request.traced("update"),
    )
    return write_answer(request, written, base=engine.base)


async def delete(engine: Engine, request: HttpRequest) -> Response:
    """Delete a resource; deleting it again changes nothing and answers alike."""
    rt, rid = request.segments
    written = await engine.repository.delete(
        request.access, rt, rid, if_match=_if_match(request), request=request.traced("delete")
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


def _if_match(request: HttpRequest) -> int | None:
    etag = request.headers.get("if-match")
    return read_version(etag) if etag else None
