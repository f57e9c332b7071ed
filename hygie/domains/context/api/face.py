"""Dispatch what comes to the hub, and answer refusals as the standard asks: in plain text."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import msgspec

from hygie.domains.context.api import requests, sockets
from hygie.domains.context.model.messages import Json
from hygie.domains.context.service.hub import Hub
from hygie.kernel.api.asgi import send_response
from hygie.kernel.api.cors import METHODS, REMEMBERED, SENT
from hygie.kernel.api.http import (
    HttpRequest,
    Receive,
    Response,
    Scope,
    Send,
    header_map,
    peer_of,
    request_id,
)
from hygie.kernel.errors import HygieError, MethodNotAllowed, NotFound, TooLarge
from hygie.kernel.security.applications import calls_from

log = logging.getLogger(__name__)
PREFIX = "fhircast"
SOCKETS = "ws"
LARGEST = 64 * 1024
"""Bytes of a request: an event names resources, it does not carry a record."""
_JSON, _TEXT = "application/json", "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HubFace:
    """Answers one connection; ``address`` is the public address of Hygie."""

    hub: Hub
    address: str
    trusted_proxies: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hold a WebSocket."""
        if scope["type"] == "websocket":
            secret = scope["path"].removeprefix(f"/{PREFIX}/{SOCKETS}/")
            await sockets.hold(self.hub, secret, receive, send)
            return
        headers = header_map(scope)
        request = HttpRequest(
            method=scope["method"],
            segments=tuple(part for part in scope["path"].split("/") if part)[1:],
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            peer=peer_of(scope, headers, self.trusted_proxies),
            id=request_id(headers),
        )
        response = await self._respond(request, receive)
        await send_response(send, request, await self._shared(request, response))

    async def close(self) -> None:
        """Let every follower go."""
        await self.hub.close()

    async def _respond(self, request: HttpRequest, receive: Receive) -> Response:
        if request.method == "OPTIONS":
            return Response(204)
        try:
            status, told = await self._run(request, receive)
        except HygieError as refusal:
            extra = (("retry-after", "10"),) if refusal.status == 503 else ()  # noqa: PLR2004
            if refusal.status == 401:  # noqa: PLR2004 - RFC 6750, section 3
                extra = (("www-authenticate", 'Bearer error="invalid_token"'),)
            return Response(refusal.status, str(refusal).encode(), extra, _TEXT)
        except Exception:
            log.exception("context.failed", extra={"request": str(request.id)})
            sentence = f"Hygie failed; tell the operator this number: {request.id}."
            return Response(500, sentence.encode(), (), _TEXT)
        body = b"" if told is None else msgspec.json.encode(told)
        return Response(status, body, (), _JSON)

    async def _run(self, request: HttpRequest, receive: Receive) -> tuple[int, Json | None]:
        match request.method, request.segments:
            case "GET" | "HEAD", (".well-known", "fhircast-configuration"):
                return 200, requests.described()
            case "GET" | "HEAD", (topic,):
                return 200, await requests.current(self.hub, request, topic)
            case "POST", () | (_,):
                request.access  # noqa: B018  who proves nothing sends no body
                request.body = await read(receive)
                named = request.segments[0] if request.segments else ""
                return 202, await requests.post(self.hub, request, named, self._sockets)
            case _, () | (_,):
                raise MethodNotAllowed("The hub takes GET and POST.")
        raise NotFound("This path does not exist.")

    @property
    def _sockets(self) -> str:
        scheme = "wss" if self.address.startswith("https:") else "ws"
        return f"{scheme}:{self.address.partition(':')[2]}/{PREFIX}/{SOCKETS}/"

    async def _shared(self, request: HttpRequest, response: Response) -> Response:
        """Return the response, readable by the pages of approved applications (Fetch, CORS)."""
        origin = request.headers.get("origin", "")
        if not origin or origin == "null":
            return response
        async with self.hub.repository.database.connection() as connection:
            if not await calls_from(connection, origin):
                return response
        added = (
            ("access-control-allow-origin", origin),
            ("access-control-allow-methods", METHODS),
            ("access-control-allow-headers", SENT),
            ("access-control-max-age", REMEMBERED),
            ("vary", "Origin"),
        )
        return replace(response, headers=(*response.headers, *added))


async def read(receive: Receive) -> bytes:
    """Return the body of a request.

    Raises:
        TooLarge: it is over ``LARGEST``.
    """
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > LARGEST:
            raise TooLarge(f"A request to the hub has at most {LARGEST} bytes.")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body
