"""The listener of cards: mutual TLS, one address; the supervisor runs it (``supervisor/cards.py``).

A browser arrives here with the card's certificate and leaves with a ticket. Nothing is read of a
connection before its handshake proved a card, one connection carries one request, and the request
has no body: what a general server would add here is only more to attack (ADR 0029).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from hygie.domains.cards.model.installation import Professional
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.service.tickets import hand_over, told_of
from hygie.domains.cards.service.trust import check_card, check_installation
from hygie.kernel.config import Settings
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.errors import ConfigurationError, HygieError

log = logging.getLogger(__name__)
PATH = "/card/"
LONGEST = 8 * 1024
"""Bytes of a request."""
PATIENCE = 10.0
"""Seconds for the handshake (a PIN was typed before), and as many for the request."""
AT_ONCE = 256
"""Connections at work, handshakes too; more are closed at once."""
NOT_FOUND, SEE_OTHER, UNAVAILABLE = "404 Not Found", "303 See Other", "503 Service Unavailable"


@dataclass(slots=True)
class Listener:
    """Answers cards; ``base`` is the address of the pages, ``clock`` tells the time."""

    one: Professional
    base: str
    database: Database
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def start(self) -> asyncio.Task[None]:
        """Listen until the task that is returned is cancelled."""
        host, port = self.one.listens_at()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
        listening.setblocking(False)  # noqa: FBT003 - the library's own signature
        context_of(self.one)  # fail at the start and not at the first card
        return asyncio.create_task(self._accept(listening))

    async def _accept(self, listening: socket.socket) -> None:
        loop, at_work = asyncio.get_running_loop(), set[asyncio.Task[None]]()
        try:
            while True:
                connection, _ = await loop.sock_accept(listening)
                if len(at_work) >= AT_ONCE:
                    connection.close()
                    continue
                task = asyncio.create_task(self._serve(connection))
                at_work.add(task)
                task.add_done_callback(at_work.discard)
        finally:
            listening.close()

    async def _serve(self, connection: socket.socket) -> None:
        """Shake hands under a context of this connection alone, then answer once.

        OpenSSL resumes sessions of TLS 1.2 within one context, and has no switch against it here.
        """
        reader = asyncio.StreamReader(limit=LONGEST)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=context_of(self.one),
                ssl_handshake_timeout=PATIENCE,
                ssl_shutdown_timeout=1.0,
            )
        except (OSError, ConfigurationError) as failed:
            log.info("cards.no_handshake", extra={"reason": type(failed).__name__})
            connection.close()
            return
        await self._answer(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                status, address = await self._asked(reader, writer)
                writer.write(_head(status, address))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as gone:
            log.info("cards.client_gone", extra={"reason": type(gone).__name__})
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await writer.wait_closed()

    async def _asked(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[str, str]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            return await self._status(head, writer)
        except (asyncio.LimitOverrunError, ValueError):
            return NOT_FOUND, ""

    async def _status(self, head: bytes, writer: asyncio.StreamWriter) -> tuple[str, str]:
        line = head.partition(b"\r\n")[0].decode("ascii")
        method, _, rest = line.partition(" ")
        target, _, version = rest.partition(" ")
        asked = urlsplit(target)
        if method != "GET" or not version.startswith("HTTP/1.") or asked.path != PATH:
            return NOT_FOUND, ""
        state = parse_qs(asked.query).get("state", [""])[0]
        try:
            ticket = await self._ticket(state, writer)
        except CardRefused as refused:
            log.warning("cards.refused", extra={"reason": refused.why.value})
            return SEE_OTHER, f"{self.base}/cards/refused/?{urlencode({'why': refused.why.value})}"
        except HygieError as error:
            log.exception("cards.not_answered", exc_info=error)
            return UNAVAILABLE, ""
        return SEE_OTHER, f"{self.base}/cards/back/?{urlencode({'ticket': ticket})}"

    async def _ticket(self, state: str, writer: asyncio.StreamWriter) -> str:
        connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
        der = connection.getpeercert(binary_form=True)
        # A resumed session would prove that a card was here once, and not that it is here now.
        if der is None or connection.session_reused:
            raise CardRefused(Why.UNREADABLE)
        at = self.clock()
        holder = await asyncio.to_thread(check_card, self.one, der, at=at)
        return await hand_over(self.database, state, told_of(holder, der), at=at)


def context_of(one: Professional) -> ssl.SSLContext:
    """Return the TLS of the listener: a card is required, nothing is resumed.

    TLS 1.2 stays open: the signature of TLS 1.3 with RSA (PSS) is unknown to older cards.

    Raises:
        ConfigurationError: a file cannot be used.
    """
    if one.certificate is None or one.key is None:
        raise ConfigurationError("HYGIE_CARDS: listen needs certificate and key.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(one.certificate, one.key)
        context.load_verify_locations(one.authorities)
    except OSError as wrong:
        raise ConfigurationError(f"HYGIE_CARDS: a file cannot be used ({wrong}).") from wrong
    return context


def _head(status: str, address: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Length: 0",
        "Connection: close",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "Strict-Transport-Security: max-age=31536000",
        *([f"Location: {address}"] if address else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


async def listen(settings: Settings) -> None:
    """Listen until the process ends.

    Raises:
        ConfigurationError: no listener is configured.
    """
    one = check_installation(settings).professional
    if one is None or not one.listen:
        raise ConfigurationError("HYGIE_CARDS describes no listener.")
    database = await Database.open(settings, role=roles.PORTAL, size=2)
    try:
        listening = await Listener(one, settings.base_url, database).start()
        log.info("cards.listening", extra={"address": one.listen})
        await listening
    finally:
        await database.close()
