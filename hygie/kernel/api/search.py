"""Search on a type, by GET or by POST ``_search`` (FHIR R4, http.html#search)."""

from __future__ import annotations

from dataclasses import replace

from hygie.kernel.api.bundle import searchset
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_form
from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import InvalidRequest


async def search(engine: Engine, request: HttpRequest) -> Response:
    """Return a page of matches as a searchset."""
    check_accepts_json(request)
    return await _page(engine, request)


async def search_by_post(engine: Engine, request: HttpRequest) -> Response:
    """Return the same for parameters that come as a form, with those of the address."""
    check_accepts_json(request)
    check_sends_form(request)
    try:
        text = request.body.decode("ascii")
    except UnicodeDecodeError as error:
        raise InvalidRequest("The form must be percent-encoded.") from error
    asked = "&".join(part for part in (request.query, text) if part)
    return await _page(engine, replace(request, query=asked))


async def _page(engine: Engine, request: HttpRequest) -> Response:
    rt, pairs = request.segments[0], request.pairs
    subset = Subset.of(pairs)
    found = await engine.repository.search(
        request.access,
        rt,
        pairs,
        lenient=request.lenient,
        request=request.traced("search-type"),
    )
    return Response(200, searchset(found, rt, subset, base=engine.base))
