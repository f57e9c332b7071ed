"""AuditEvent: served from the access log, never stored (FHIR R4, auditevent.html)."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from hygie.kernel.api.bundle import bundle
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_form
from hygie.kernel.audit.provider import Event
from hygie.kernel.store.pairs import read_pairs

_CURSOR = "_after"
_IGNORED = frozenset({"_format", "_pretty", _CURSOR})


async def read_event(engine: Engine, request: HttpRequest) -> Response:
    """Return one AuditEvent that the caller may see."""
    check_accepts_json(request)
    async with engine.repository.reading(request.access, request.traced("read")) as log:
        event = await engine.audit_events.read(log.connection, log.caller, request.segments[1])
        log.seen([event.pat])
    return Response(200, event.body, (("etag", 'W/"1"'),))


async def search_events(engine: Engine, request: HttpRequest) -> Response:
    """Return a page of AuditEvents, newest first; reading the log leaves a trace too."""
    check_accepts_json(request)
    pairs = list(request.pairs)
    if request.method == "POST":
        check_sends_form(request)
        pairs += read_pairs(request.body.decode("latin-1"))
    asked = [(name, value) for name, value in pairs if name not in _IGNORED]
    after = next((value for name, value in pairs if name == _CURSOR), None)
    async with engine.repository.reading(request.access, request.traced("search-type")) as log:
        page = await engine.audit_events.search(log.connection, log.caller, asked, after=after)
        log.seen(event.pat for event in page.events)
    address = f"{engine.base}/AuditEvent"
    links = [("self", _with(address, asked))]
    if page.after is not None:
        links.append(("next", _with(address, [*asked, (_CURSOR, page.after)])))
    entries = [_entry(event, address) for event in page.events]
    return Response(200, bundle("searchset", entries, links=links))


def _entry(event: Event, address: str) -> bytes:
    url = msgspec.json.encode(f"{address}/{event.id}")
    return b'{"fullUrl":' + url + b',"resource":' + event.body + b',"search":{"mode":"match"}}'


def _with(address: str, pairs: list[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(pairs)}" if pairs else address
