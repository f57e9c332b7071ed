"""Update, plain and conditional (FHIR R4, http.html#update, http.html#cond-update)."""

from __future__ import annotations

from hygie.kernel.api.answers import write_answer
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response, if_match_of
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.store.conditional import read_criteria


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
        if_match=if_match_of(request),
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
