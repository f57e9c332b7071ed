"""A request as the interactions see it, and what they answer."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hygie.kernel.errors import InvalidRequest, TooLarge, Unauthenticated
from hygie.kernel.security.caller import Access, Bearer
from hygie.kernel.store.pairs import read_pairs
from hygie.kernel.store.tracing import Request as Traced
from hygie.kernel.store.transaction import read_version

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LARGEST_BODY = 64 * 1024 * 1024
FHIR_JSON = "application/fhir+json; charset=utf-8"


@dataclass
class HttpRequest:
    """One request.

    ``segments`` is the path below the FHIR base, split and decoded; ``query`` the raw query string;
    ``headers`` by lower-case name, repeated ones joined by a comma.
    """

    method: str
    segments: tuple[str, ...]
    query: str
    headers: Mapping[str, str]
    peer: str | None = None
    body: bytes = b""
    access_given: Access | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters of the query string, in order.

        Raises:
            InvalidRequest: it cannot be decoded, or holds too many.
        """
        return read_pairs(self.query)

    def parameter(self, name: str) -> str | None:
        """Return the last value of a parameter, None where it is absent."""
        values = [value for key, value in self.pairs if key == name]
        return values[-1] if values else None

    @property
    def access(self) -> Access:
        """Return what the request brings to prove who asks.

        Raises:
            Unauthenticated: there is no bearer token.
        """
        if self.access_given is not None:
            return self.access_given
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send a bearer token in the Authorization header.")
        return Bearer.from_token(token.strip())

    def traced(self, interaction: str) -> Traced:
        """Return what the access log keeps of this request."""
        return Traced(interaction, self.id, self.query or None, self.peer)

    def preference(self, name: str) -> str | None:
        """Return a value of the ``Prefer`` header (RFC 7240), None where it is absent."""
        for part in self.headers.get("prefer", "").replace(";", ",").split(","):
            key, _, value = part.strip().partition("=")
            if key.lower() == name:
                return value.strip('"').lower()
        return None

    @property
    def lenient(self) -> bool:
        """Tell whether unknown search parameters are left out (FHIR R4, search.html#errors)."""
        return self.preference("handling") == "lenient"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``headers`` are added to those every answer has.

    ``pieces`` is a file that is sent as it is read, in the place of ``body``; its reader may wait
    for the disk, and runs in a thread.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = FHIR_JSON
    pieces: Iterator[bytes] | None = None


async def read_body(receive: Receive, headers: Mapping[str, str]) -> bytes:
    """Return the whole body.

    Raises:
        TooLarge: it is over ``LARGEST_BODY``; the rest is not read.
    """
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > LARGEST_BODY:
        raise TooLarge(f"A body has at most {LARGEST_BODY} bytes; split the request.")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequest("The body was cut short; send it again.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            raise TooLarge(f"A body has at most {LARGEST_BODY} bytes; split the request.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def header_map(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones joined by a comma (RFC 9110, 5.2)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def if_match_of(request: HttpRequest) -> int | None:
    """Return the version ``If-Match`` names, None where it is absent."""
    etag = request.headers.get("if-match")
    return None if etag is None else read_version(etag)


def request_id(headers: Mapping[str, str]) -> uuid.UUID:
    """Return the ``X-Request-Id`` when it is a UUID, else a new one."""
    try:
        return uuid.UUID(headers.get("x-request-id", ""))
    except ValueError:
        return uuid.uuid4()


def peer_of(scope: Scope, headers: Mapping[str, str], proxies: tuple[str, ...]) -> str | None:
    """Return the address of the client; a header counts only from a trusted proxy."""
    client = scope.get("client")
    address = client[0] if client else None
    forwarded = headers.get("x-forwarded-for")
    if address in proxies and forwarded:
        return forwarded.rsplit(",", 1)[-1].strip()
    return address
