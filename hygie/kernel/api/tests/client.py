"""A plain HTTP client for the tests of the machine face, and a rawer one for what it refuses."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hygie.testing.service import Service


@dataclass
class Reply:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def issue(self) -> Any:
        return self.json["issue"][0]


class Client:
    """Sends requests below the FHIR base, with a token or without."""

    def __init__(self, service: Service, token: str | None) -> None:
        self._parts = urlsplit(service.base)
        self._token = token

    def __call__(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        sent = dict(headers or {})
        if self._token:
            sent.setdefault("Authorization", f"Bearer {self._token}")
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type", "application/fhir+json")
        connection = http.client.HTTPConnection(str(self._parts.hostname), self._parts.port)
        url = path.removeprefix(f"{self._parts.scheme}://{self._parts.netloc}")
        target = url if url.startswith("/") else f"/fhir/{url}" if url else "/fhir"
        connection.request(method, target, raw, sent)
        answer = connection.getresponse()
        reply = Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return reply

    def raw(self, head: bytes, body: bytes = b"", *, cut: bool = False) -> Reply:
        """Send bytes as they are after a head with the token; ``cut`` ends the request early."""
        address = (str(self._parts.hostname), self._parts.port or 80)
        token = f"Authorization: Bearer {self._token}\r\n".encode() if self._token else b""
        with socket.create_connection(address, timeout=10) as connection:
            # The answer may come before the whole body is sent.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(head + b"\r\nHost: x\r\n" + token + b"\r\n" + body)
                if cut:
                    connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection, method=head.partition(b" ")[0].decode())
            answer.begin()
            headers = {k.lower(): v for k, v in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())
