"""Promise: 2,000 introspections of tokens a second over HTTP, 32 clients, one worker, no cache.

    python benches/introspections.py [SECONDS]

``hygie serve --only api`` runs as it is delivered, on an empty record; each client is a resource
server that asks about tokens of its own choice, in turn. Every answer is read from the table: at
the end one token is revoked and the very next answer must say so. Baseline in the same run: an
empty ASGI answer of the same server to the same clients.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from read import CLIENTS, _at, _empty_server, _free_port, _hygie, _running, hammer

from hygie.commands.token import make_token
from hygie.kernel.config import Settings
from hygie.kernel.database import roles, server
from hygie.kernel.database.session import connect
from hygie.kernel.security.caller import SYSTEM, Bearer, Caller, Kind

PROMISE = 2_000
TOKENS = 20
"""Tokens that each client asks about."""


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    folder = Path(tempfile.mkdtemp(prefix="hygie-bench-"))
    data = folder / "data"
    try:
        _hygie("migrate", "--data", str(data))
        port = _free_port()
        command = ["hygie", "serve", "--only", "api", "--port", str(port), "--data", str(data)]
        with _running(command, port):
            settings = Settings(data=data, port=port)
            asked, one = asyncio.run(questions(settings))
            latencies = asyncio.run(hammer(port, asked, seconds))
            seen = asyncio.run(revoked(port, settings, asked[0][0], one))
        with _running(_empty_server(folder, empty_port := _free_port()), empty_port):
            empty = asyncio.run(hammer(empty_port, asked, seconds / 2))
    finally:
        shutil.rmtree(folder)
    rate, empty_rate = len(latencies) / seconds, len(empty) / (seconds / 2)
    print(f"introspection  {rate:8.0f}/s   p50 {_at(latencies, 50):.1f} ms", end="")
    print(f"   p99 {_at(latencies, 99):.1f} ms   {CLIENTS} clients, one worker")
    print(f"empty answer   {empty_rate:8.0f}/s   p50 {_at(empty, 50):.1f} ms")
    print(f"ratio {empty_rate / rate:.1f}; promise {PROMISE}/s")
    print(f"a revoked token is {'inactive' if seen else 'STILL ACTIVE'} in the next answer")
    sys.exit(rate < PROMISE or not seen)


async def questions(settings: Settings) -> tuple[list[list[bytes]], str]:
    """Return what each client asks in turn, and the token of the first question."""
    dsn = server.dsn(settings)
    mine = await make_token(dsn, SYSTEM, valid=timedelta(hours=1))
    people = [Caller(Kind.PATIENT, 0, f"Patient/p{number}") for number in range(TOKENS)]
    tokens = [await make_token(dsn, one, valid=timedelta(hours=1)) for one in people]
    asked = [_question(mine, token) for token in tokens]
    return [asked[number % TOKENS :] + asked[: number % TOKENS] for number in range(CLIENTS)], (
        tokens[0]
    )


def _question(mine: str, token: str) -> bytes:
    body = f"token={token}"
    return (
        "POST /oauth/introspect HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {mine}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def revoked(port: int, settings: Settings, question: bytes, token: str) -> bool:
    """Revoke a token; tell whether the next answer says that it is inactive."""
    before = await _answer(port, question)
    with connect(server.dsn(settings), role=roles.APP) as session:
        digest = Bearer.from_token(token).digest
        session.execute("UPDATE access_token SET revoked = now() WHERE digest = %s", (digest,))
    return bool(before["active"]) and not (await _answer(port, question))["active"]


async def _answer(port: int, question: bytes) -> dict[str, bool]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(question)
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.lower().split(b"content-length:", 1)[1]
    body = await reader.readexactly(int(fields.split(b"\r\n", 1)[0]))
    writer.close()
    found: dict[str, bool] = json.loads(body)
    return found


if __name__ == "__main__":
    main()
