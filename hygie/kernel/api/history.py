"""History of a resource, a type or everything (FHIR R4, http.html#history)."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from hygie.kernel.api.bundle import history_bundle
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json
from hygie.kernel.errors import InvalidRequest, NotSupported
from hygie.kernel.fhir.search.values import parse_date
from hygie.kernel.store.history import Scope

LARGEST_COUNT = 1000
_PAGING = ("_since", "_count", "_before")


async def history(engine: Engine, request: HttpRequest) -> Response:
    """Return a page of versions, newest first."""
    check_accepts_json(request)
    rt, rid = (*request.segments[:-1], None, None)[:2]
    scope = Scope(
        rt,
        rid,
        since=_since(request),
        count=_count(request),
        before=request.parameter("_before") or None,
    )
    for name, _ in request.pairs:
        if name not in (*_PAGING, "_format", "_pretty"):
            raise NotSupported(f"The parameter {name} is not supported on a history.")
    kind = "instance" if rid else "type" if rt else "system"
    page = await engine.repository.history(
        request.access, scope, request=request.traced(f"history-{kind}")
    )
    path = "/".join(request.segments)
    asked = urlencode([pair for pair in request.pairs if pair[0] in _PAGING])
    return Response(200, history_bundle(page, path, asked, base=engine.base))


def _since(request: HttpRequest) -> datetime | None:
    text = request.parameter("_since")
    return parse_date(text, "_since").low if text else None


def _count(request: HttpRequest) -> int:
    text = request.parameter("_count") or "50"
    if not (text.isascii() and text.isdigit()):
        raise InvalidRequest("_count takes a whole number.")
    return max(1, min(int(text[:9]), LARGEST_COUNT))
