"""An ASGI callable that runs a WSGI application in a thread pool of its own (PEP 3333).

The body is spooled under a limit before a thread is taken, and the answer is spooled before it is
sent, so that a slow client never holds a thread. An answer is therefore never endless: event
streams belong to the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from hygie.kernel.web.environ import environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_LIMIT = 10 * 1024 * 1024
"""Bytes of a form or an upload; over it the answer is 413."""
IN_MEMORY = 512 * 1024
CHUNK = 64 * 1024
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "te", "trailer", "upgrade"}
    | {"transfer-encoding", "proxy-authorization"}
)


class BodyTooLargeError(Exception):
    """The body went over the limit while it was read."""


class ClientGoneError(Exception):
    """The client left before the body was complete."""


@dataclass(slots=True)
class Answer:
    """What the WSGI application answered; ``body`` stands at its beginning."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: IO[bytes]
    length: int


class WsgiBridge:
    """Serve a WSGI application from ASGI with at most ``threads`` at work and ``queue`` waiting.

    ``trusted_proxies`` are the addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """

    def __init__(
        self,
        application: WSGIApplication,
        *,
        threads: int = 6,
        queue: int = 64,
        trusted_proxies: Iterable[str] = (),
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hygie-page")
        self._places = threads + queue
        self._taken = 0
        self._proxies = frozenset(trusted_proxies)
        self._body_limit = body_limit

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"the pages do not speak {scope['type']}")
        if self._taken >= self._places:
            await _refuse(send, 503, "Le service est très demandé. Réessayez dans un instant.")
            return
        self._taken += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._taken -= 1

    def close(self) -> None:
        """Stop the threads once their present work is done."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            try:
                length = await _spool(receive, body, self._body_limit)
            except BodyTooLargeError:
                await _refuse(send, 413, "L'envoi est trop grand.")
                return
            except ClientGoneError:
                return
            environ = environ_of(scope, body, length, proxies=self._proxies)
            work = asyncio.get_running_loop().run_in_executor(self._pool, self._answer, environ)
            # A request that is cancelled must not close the body under the feet of its thread.
            try:
                answer = await asyncio.shield(work)
            except asyncio.CancelledError:
                with contextlib.suppress(Exception):
                    (await work).body.close()
                raise
        try:
            await _send_answer(send, answer, head=scope["method"] == "HEAD")
        finally:
            answer.body.close()

    def _answer(self, environ: dict[str, Any]) -> Answer:
        """Run the application in this thread, close its iterable here, and spool the answer."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed once sent

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], object]:
            del exc_info
            started[:] = [(status, headers)]
            return spool.write

        result = self._application(environ, start_response)
        try:
            for chunk in result:
                spool.write(chunk)
        except BaseException:
            spool.close()
            raise
        finally:
            # Django's request_finished, which frees the database connection, runs in close().
            close = getattr(result, "close", None)
            if close is not None:
                close()
        length = spool.tell()
        spool.seek(0)
        status, headers = started[0]
        return Answer(int(status[:3]), _headers(headers), spool, length)


def _headers(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in headers
        if name.lower() not in HOP_BY_HOP
    ]


async def _spool(receive: Receive, body: IO[bytes], limit: int) -> int:
    """Write the request's body and return its length, standing at its beginning again."""
    length = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > limit:
            raise BodyTooLargeError
        body.write(chunk)
        more = message.get("more_body", False)
    body.seek(0)
    return length


async def _send_answer(send: Send, answer: Answer, *, head: bool) -> None:
    headers = answer.headers
    if not head and not any(name == b"content-length" for name, _ in headers):
        headers = [*headers, (b"content-length", str(answer.length).encode())]
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    try:
        await send(start)
        chunk = b"" if head else answer.body.read(CHUNK)
        while chunk:
            following = answer.body.read(CHUNK)
            await send({"type": "http.response.body", "body": chunk, "more_body": bool(following)})
            if not following:
                return
            chunk = following
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except OSError:
        # The client left while the answer was being sent (ASGI specification, "Disconnect").
        log.info("page.client_gone", extra={"status": answer.status})


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"2"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
