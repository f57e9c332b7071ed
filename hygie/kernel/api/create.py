"""Create, plain and conditional (FHIR R4, http.html#create, http.html#ccreate)."""

from __future__ import annotations

from hygie.kernel.api.answers import write_answer
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json


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
