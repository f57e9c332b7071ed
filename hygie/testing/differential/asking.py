"""One request and its answer, asked of the machine face without a network between."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from hygie.kernel.api.asgi import MachineFace
from hygie.kernel.api.http import Message

Json = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]
_SPACE = uuid.UUID("7c9a2f1e-98a1-4b63-8f0d-6a1b1c4f2e11")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, in parts that can be left out one by one.

    Attributes:
        who: name of the caller in the population.
        method: HTTP method.
        path: path below the FHIR base.
        pairs: parameters of the query string.
        headers: further headers.
        body: JSON to send; text is sent as a form.
    """

    who: str
    method: str
    path: str
    pairs: Pairs = ()
    headers: Pairs = ()
    body: Json | str | None = None

    def __str__(self) -> str:
        query = f"?{urlencode(self.pairs)}" if self.pairs else ""
        told = "".join(f"\n  {name}: {value}" for name, value in self.headers)
        body = "" if self.body is None else f"\n  {json.dumps(self.body, ensure_ascii=False)}"
        return f"{self.who}: {self.method} {self.path}{query}{told}{body}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def ask(face: MachineFace, asked: Asked, *, token: str, number: int) -> Reply:
    """Send one request; its X-Request-Id is made from ``number``, the same in both databases."""
    body, kind = _body(asked.body)
    headers = [
        ("authorization", f"Bearer {token}"),
        ("x-request-id", str(uuid.uuid5(_SPACE, str(number)))),
        *([("content-type", kind), ("content-length", str(len(body)))] if body else []),
        *asked.headers,
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    path, _, query = asked.path.partition("?")
    scope = {
        "type": "http",
        "method": asked.method,
        "path": unquote(f"/fhir/{path}" if path else "/fhir"),
        "query_string": (query or urlencode(asked.pairs)).encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
    }
    await face(scope, receive, send)
    start, end = sent
    told = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Reply(start["status"], told, end["body"])


def _body(body: Json | str | None) -> tuple[bytes, str]:
    if body is None:
        return b"", ""
    if isinstance(body, str):
        return body.encode(), "application/x-www-form-urlencoded"
    return json.dumps(body).encode(), "application/fhir+json"
