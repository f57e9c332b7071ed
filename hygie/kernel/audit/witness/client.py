"""Speak to a witness, from the log's side."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from hygie.kernel.audit import note
from hygie.kernel.audit.note import VerifierKey
from hygie.kernel.audit.witness.server import short
from hygie.kernel.errors import ConfigurationError, InvalidRequest

PATIENCE = 5.0
LARGEST_ANSWER = 64 * 1024
LOST = (OSError, http.client.HTTPException)
"""What a witness that does not answer raises."""
UNIX = "unix:"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answered."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A witness that listens at an address: ``unix:`` and a path, ``http://…`` or ``https://…``.

    ``key`` is its verifier key as the operator gave it; None where it is asked at first use, which
    is done with the witness of this very machine only.
    """

    address: str
    key: VerifierKey | None = None

    def verifier_key(self) -> VerifierKey:
        """Return the key its cosignatures are checked with.

        Raises:
            InvalidRequest: what it says is no key.
            OSError: it does not answer.
        """
        return self.key or note.parse_key(self.ask_key(), note.COSIGNATURE)

    def ask_key(self) -> str:
        """Ask its verifier key."""
        return self._ask("GET", "/key").text.strip()

    def introduce(self, key: str) -> Reply:
        """Tell it the key of a log that it may trust at first use."""
        return self._ask("POST", "/introduce", key.encode())

    def latest(self, origin: str) -> Reply:
        """Ask its last head of a log."""
        return self._ask("GET", f"/latest?origin={quote(origin, safe='')}")

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], signed: str) -> Reply:
        """Submit a head (C2SP tlog-witness)."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
        return self._ask("POST", "/add-checkpoint", f"old {old_size}\n{hashes}\n{signed}".encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        connection, prefix = _connect(self.address)
        try:
            connection.request(method, f"{prefix}{path}", body)
            response = connection.getresponse()
            return Reply(response.status, response.read(LARGEST_ANSWER).decode(errors="replace"))
        finally:
            connection.close()


def parse_remote(text: str) -> Remote:
    """Read a witness of the settings: its verifier key, ``@``, its address.

    Raises:
        ConfigurationError: it is written otherwise.
    """
    key, separator, address = text.partition("@")
    if not separator or not address.startswith((UNIX, "http://", "https://")):
        raise ConfigurationError(
            "A witness of HYGIE_WITNESSES is written KEY@ADDRESS, with the key that `hygie "
            "witness key` prints and an address that begins with unix:, http:// or https://."
        )
    try:
        return Remote(address.rstrip("/"), note.parse_key(key, note.COSIGNATURE))
    except InvalidRequest as error:
        raise ConfigurationError(f"HYGIE_WITNESSES: {error}") from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        with short(self._path) as name:
            self.sock.connect(name)


def _connect(address: str) -> tuple[http.client.HTTPConnection, str]:
    if address.startswith(UNIX):
        return _UnixConnection(Path(address.removeprefix(UNIX))), ""
    named = urlsplit(address)
    host = named.hostname or ""
    if named.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(
            host, named.port, timeout=PATIENCE, context=context
        ), named.path
    return http.client.HTTPConnection(host, named.port, timeout=PATIENCE), named.path
