"""The machine face as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from hygie.kernel.api.answers import refusal_answer
from hygie.kernel.api.capabilities import capabilities
from hygie.kernel.api.cors import preflight, shared
from hygie.kernel.api.discovery import discovery
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import (
    HttpRequest,
    Receive,
    Response,
    Scope,
    Send,
    header_map,
    peer_of,
    read_body,
    request_id,
)
from hygie.kernel.api.negotiation import check_preconditions, pretty
from hygie.kernel.api.routes import find_route, methods_of
from hygie.kernel.api.tokens import introspection
from hygie.kernel.errors import HygieError, Issue, NotFound

log = logging.getLogger(__name__)

_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Accept, Authorization"),
)
_WRITES = frozenset({"create", "update", "delete"})

_ROOTS = ("/fhir", "/.well-known", "/oauth/introspect")


def is_machine_path(path: str) -> bool:
    """Tell whether a path is for machines.

    >>> is_machine_path("/fhir/Patient"), is_machine_path("/fhirs")
    (True, False)
    """
    return any(path == root or path.startswith(f"{root}/") for root in _ROOTS)


class InternalError(HygieError):
    """Something failed that should not; the operators see why in the journal."""


@dataclass(frozen=True, slots=True)
class MachineFace:
    """Answers what machines ask: FHIR, token introspection, discovery."""

    engine: Engine
    trusted_proxies: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = header_map(scope)
        request = HttpRequest(
            method=scope["method"],
            segments=tuple(part for part in scope["path"].split("/") if part),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            peer=peer_of(scope, headers, self.trusted_proxies),
            id=request_id(headers),
        )
        response = await preflight(self.engine, request)
        if response is None:
            response = await self._answer(request, receive)
            response = await shared(self.engine, request, response)
        await send_response(send, request, response)

    async def _answer(self, request: HttpRequest, receive: Receive) -> Response:
        try:
            return pretty(request, await self._run(request, receive))
        except HygieError as error:
            return refusal_answer(error, allowed=self._methods(request.segments))
        except Exception:
            log.exception("api.failed", extra={"request": str(request.id)})
            sentence = f"Hygie failed; tell the operator this number: {request.id}."
            issue = Issue("exception", sentence)
            return refusal_answer(InternalError(sentence, issues=[issue]))

    async def _run(self, request: HttpRequest, receive: Receive) -> Response:
        match request.segments:
            case (".well-known", *_):
                return await discovery(self.engine, request)
            case ("oauth", "introspect"):
                return await introspection(self.engine, request, receive)
            case ("fhir", ".well-known", *_):
                return await discovery(self.engine, request)
            case ("fhir", "metadata"):
                return await capabilities(self.engine, request)
            case ("fhir", *below):
                request.segments = tuple(below)
                route = find_route(request.method, request.segments, self.engine.operations)
                if route.code in _WRITES:
                    check_preconditions(request)
                await _take_body(request, receive)
                return await route.run(self.engine, request)
        raise NotFound("This path does not exist.")

    def _methods(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """Return the methods of a path: below the FHIR base, or of the others."""
        match segments:
            case (".well-known", *_) | ("fhir", *_):
                return ("GET", "HEAD")
            case ("oauth", *_):
                return ("POST",)
        return methods_of(segments, self.engine.operations)


async def refuse(scope: Scope, send: Send, error: HygieError) -> None:
    """Answer a request with a refusal, where no engine runs."""
    request = HttpRequest(scope["method"], (), "", header_map(scope))
    await send_response(send, request, refusal_answer(error))


async def _take_body(request: HttpRequest, receive: Receive) -> None:
    """Read the body of a request that proves who asks: nobody else fills the memory."""
    if request.method in ("POST", "PUT") and request.access:
        request.body = await read_body(receive, request.headers)


async def send_response(send: Send, request: HttpRequest, response: Response) -> None:
    """Send an answer; HEAD gets the headers only."""
    headers = [
        *_ALWAYS,
        (b"x-request-id", str(request.id).encode()),
        *((name.encode(), value.encode("latin-1")) for name, value in response.headers),
    ]
    if response.body or response.pieces is not None:
        headers.append((b"content-type", response.content_type.encode("latin-1")))
    if response.status not in (204, 304) and response.pieces is None:
        headers.append((b"content-length", str(len(response.body)).encode()))
    body = b"" if request.method == "HEAD" or response.status in (204, 304) else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.pieces is not None and request.method != "HEAD":
        await _send_pieces(send, response.pieces)
    await send({"type": "http.response.body", "body": body})


async def _send_pieces(send: Send, pieces: Iterator[bytes]) -> None:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
