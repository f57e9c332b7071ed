"""The bridge from ASGI to WSGI, trap by trap (PEP 3333, ASGI HTTP specification)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from hygie.kernel.web.wsgi import WsgiBridge

Start = Callable[..., Any]
Environ = dict[str, Any]


def _scope(**values: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "headers": [],
        "client": ("192.0.2.7", 4000),
        "server": ("127.0.0.1", 8000),
        **values,
    }


async def _ask(
    bridge: WsgiBridge, *chunks: bytes, **scope: Any
) -> tuple[int, dict[bytes, bytes], bytes]:
    messages = [
        {"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1}
        for n, chunk in enumerate(chunks)
    ] or [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await bridge(_scope(**scope), receive, send)
    body = b"".join(one.get("body", b"") for one in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


@pytest.fixture
def seen() -> Environ:
    """Collect what the WSGI application was given."""
    return {}


@pytest.fixture
def bridge(seen: Environ) -> Iterator[WsgiBridge]:
    """Give a bridge to an application that notes its environ and echoes the body."""

    def echo(environ: Environ, start: Start) -> Iterable[bytes]:
        seen.update(environ, body=environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("200 OK", [("Content-Type", "text/plain"), ("Connection", "close")])
        return [b"ab", b"cd"]

    made = WsgiBridge(echo, threads=2, queue=2, trusted_proxies=["192.0.2.1"], body_limit=10)
    yield made
    made.close()


async def test_an_accented_path_reaches_django_as_it_was_typed(
    bridge: WsgiBridge, seen: Environ
) -> None:
    await _ask(bridge, path="/élève/€")
    assert seen["PATH_INFO"].encode("iso-8859-1").decode("utf-8") == "/élève/€"


async def test_a_chunked_body_has_a_length(bridge: WsgiBridge, seen: Environ) -> None:
    await _ask(bridge, b"abc", b"def", method="POST")
    assert seen["CONTENT_LENGTH"] == "6"
    assert seen["body"] == b"abcdef"


async def test_a_body_over_the_limit_is_refused(bridge: WsgiBridge, seen: Environ) -> None:
    status, _, _ = await _ask(bridge, b"12345", b"678901", method="POST")
    assert status == 413
    assert not seen


async def test_repeated_headers_are_joined_and_forged_names_dropped(
    bridge: WsgiBridge, seen: Environ
) -> None:
    headers = [
        (b"accept", b"a"),
        (b"accept", b"b"),
        (b"cookie", b"x=1"),
        (b"cookie", b"y=2"),
        (b"x_forwarded_for", b"6.6.6.6"),
        (b"remote_addr", b"6.6.6.6"),
    ]
    await _ask(bridge, headers=headers)
    assert seen["HTTP_ACCEPT"] == "a,b"
    assert seen["HTTP_COOKIE"] == "x=1; y=2"
    assert "HTTP_X_FORWARDED_FOR" not in seen
    assert seen["REMOTE_ADDR"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "scheme"),
    [
        ("192.0.2.7", b"10.0.0.1", "192.0.2.7", "http"),
        ("192.0.2.1", b"10.0.0.1", "10.0.0.1", "https"),
        ("192.0.2.1", b"6.6.6.6, 10.0.0.1", "10.0.0.1", "https"),
        ("192.0.2.1", b"10.0.0.1, 192.0.2.1", "10.0.0.1", "https"),
        ("192.0.2.1", b"", "192.0.2.1", "https"),
    ],
)
async def test_the_client_address_comes_from_trusted_proxies_only(
    bridge: WsgiBridge, seen: Environ, peer: str, forwarded: bytes, address: str, scheme: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded), (b"x-forwarded-proto", b"https")]
    await _ask(bridge, headers=headers, client=(peer, 1))
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == (address, scheme)
    assert not [name for name in seen if name.startswith("HTTP_X_FORWARDED")]


async def test_the_answer_has_a_length_and_no_connection_header(bridge: WsgiBridge) -> None:
    status, headers, body = await _ask(bridge)
    assert (status, body) == (200, b"abcd")
    assert headers == {b"content-type": b"text/plain", b"content-length": b"4"}


async def test_the_answer_to_head_has_no_body(bridge: WsgiBridge) -> None:
    _, _, body = await _ask(bridge, method="HEAD")
    assert body == b""


async def test_the_iterable_is_closed_in_the_thread_that_ran_the_view() -> None:
    threads: list[int] = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            threads.append(threading.get_ident())
            yield b"x"

        def close(self) -> None:
            threads.append(threading.get_ident())

    def application(environ: Environ, start: Start) -> Answer:
        threads.append(threading.get_ident())
        start("200 OK", [])
        return Answer()

    bridge = WsgiBridge(application)
    await _ask(bridge)
    bridge.close()
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads


async def test_a_full_queue_answers_503_at_once() -> None:
    free = threading.Event()

    def slow(environ: Environ, start: Start) -> list[bytes]:
        free.wait(5)
        start("200 OK", [])
        return []

    bridge = WsgiBridge(slow, threads=1, queue=1)
    waiting = [asyncio.create_task(_ask(bridge)) for _ in range(2)]
    await asyncio.sleep(0)
    status, headers, _ = await _ask(bridge)
    free.set()
    assert (status, headers[b"retry-after"]) == (503, b"2")
    assert [(await one)[0] for one in waiting] == [200, 200]
    bridge.close()


async def test_a_client_that_leaves_during_the_answer_frees_its_place(bridge: WsgiBridge) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    for _ in range(10):
        await bridge(_scope(), receive, send)
    assert (await _ask(bridge))[0] == 200


async def test_a_client_that_leaves_before_its_body_is_complete_costs_no_thread(
    bridge: WsgiBridge, seen: Environ
) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await bridge(_scope(), receive, send)
    assert not seen
