"""RFC 3161 timestamps of heads, from an authority that the operator chooses; none by default.

What is stamped is the text of the checkpoint, under SHA-256. A token shows, to who trusts the
authority's certificate, that the log held so many events, and these, at that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from hygie.kernel.audit import alarms, note
from hygie.kernel.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.database.connection import Database

log = logging.getLogger(__name__)
EVERY = 600.0
"""Seconds between two timestamps, where the log grew."""
PATIENCE = 10.0
LARGEST_ANSWER = 64 * 1024
OK = 200

_HEAD = """
SELECT size, checkpoint FROM trace_head
WHERE size > (SELECT coalesce(max(size), 0) FROM trace_timestamp) ORDER BY size DESC LIMIT 1
"""
_STORE = "INSERT INTO trace_timestamp (size, token) VALUES ($1, $2) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Authority:
    """A timestamp authority: where it answers, and the root of its certificates."""

    url: str
    root: x509.Certificate

    def stamp(self, text: str) -> bytes:
        """Return the authority's answer about a text, in DER, checked.

        Raises:
            OSError: it does not answer.
            VerificationError: its answer does not hold.
            ValueError: its answer cannot be read.
        """
        builder = TimestampRequestBuilder().data(text.encode())
        request = builder.hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True)
        built = request.build()
        answer = self._post(built.as_bytes())
        verifier = VerifierBuilder.from_request(built).add_root_certificate(self.root).build()
        verifier.verify_message(decode_timestamp_response(answer), text.encode())
        return answer

    def _post(self, body: bytes) -> bytes:
        named = urlsplit(self.url)
        host = named.hostname or ""
        connection = (
            http.client.HTTPSConnection(
                host, named.port, timeout=PATIENCE, context=ssl.create_default_context()
            )
            if named.scheme == "https"
            else http.client.HTTPConnection(host, named.port, timeout=PATIENCE)
        )
        try:
            headers = {"Content-Type": "application/timestamp-query"}
            connection.request("POST", named.path or "/", body, headers)
            response = connection.getresponse()
            if response.status != OK:
                raise OSError(f"status {response.status}")
            return response.read(LARGEST_ANSWER)
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()


def open_authority(url: str, certificate: Path | None) -> Authority | None:
    """Return the authority of the settings, None where they name none.

    Raises:
        ConfigurationError: an address without certificate, or files that cannot be read.
    """
    if not url:
        return None
    if certificate is None or not url.startswith(("http://", "https://")):
        raise ConfigurationError(
            "HYGIE_TIMESTAMP_URL is an http address, and HYGIE_TIMESTAMP_CERTIFICATE names the "
            "file of the root certificate of that authority, in PEM."
        )
    try:
        return Authority(url, x509.load_pem_x509_certificate(certificate.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{certificate} holds no certificate in PEM: {error}") from error


async def run(database: Database, authority: Authority, stop: asyncio.Event) -> None:
    """Have the last head stamped every ten minutes until ``stop``."""
    while not stop.is_set():
        try:
            async with database.connection() as connection:
                await stamp_last(connection, authority)
        except Unavailable:
            log.warning("timestamp.database_lost")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY)


async def stamp_last(connection: Connection, authority: Authority) -> bool:
    """Have the last head stamped, if it is not yet; return whether a token was stored.

    Needs role ``hygie_sequencer``. An authority that does not answer, or answers wrongly, is an
    alarm.
    """
    head = await connection.fetchrow(_HEAD)
    if head is None:
        return False
    text, _ = note.split(head["checkpoint"])
    try:
        token = await asyncio.to_thread(authority.stamp, text)
    except (OSError, VerificationError, ValueError) as error:
        await alarms.sound(connection, "timestamp", authority.url, f"No good answer: {error}")
        return False
    await connection.execute(_STORE, head["size"], token)
    await alarms.end(connection, "timestamp", authority.url)
    return True
