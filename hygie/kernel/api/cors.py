"""Answers that browsers give to the pages of registered applications (Fetch standard, CORS).

An origin is answered when some approved application calls from it, and no other is; a page sends
its token itself, no cookie is read here, so credentials are never allowed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.security.applications import calls_from

SHOWN: Final = "ETag, Last-Modified, Location, X-Request-Id, WWW-Authenticate"
SENT: Final = "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, If-None-Exist"
METHODS: Final = "GET, HEAD, POST, PUT, DELETE"
REMEMBERED: Final = "600"
"""Seconds for which a browser remembers what it may send."""


async def preflight(engine: Engine, request: HttpRequest) -> Response | None:
    """Return the answer to a browser that asks before it sends, None for any other request."""
    headers = request.headers
    if request.method != "OPTIONS" or "access-control-request-method" not in headers:
        return None
    if not await _is_known(engine, request):
        return Response(403)
    allowed = (
        ("access-control-allow-origin", headers["origin"]),
        ("access-control-allow-methods", METHODS),
        ("access-control-allow-headers", SENT),
        ("access-control-max-age", REMEMBERED),
        ("vary", "Origin"),
    )
    return Response(204, headers=allowed)


async def shared(engine: Engine, request: HttpRequest, response: Response) -> Response:
    """Return the response, readable by the page of an application that asked for it."""
    if "origin" not in request.headers:
        return response
    origin = "*" if request.segments[:1] == (".well-known",) else request.headers["origin"]
    if origin != "*" and not await _is_known(engine, request):
        return response
    added = (
        ("access-control-allow-origin", origin),
        ("access-control-expose-headers", SHOWN),
        ("vary", "Origin"),
    )
    return replace(response, headers=(*response.headers, *added))


async def _is_known(engine: Engine, request: HttpRequest) -> bool:
    origin = request.headers.get("origin", "")
    if not origin or origin == "null":
        return False
    async with engine.repository.database.connection() as connection:
        return await calls_from(connection, origin)
