"""A WebSocket of a follower (RFC 6455, over ASGI): what it says is short, and answers only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.context.model.messages import Json
from hygie.domains.context.service import following
from hygie.domains.context.service.lines import Ending
from hygie.kernel.api.http import Receive, Send
from hygie.kernel.errors import HygieError, InvalidRequest, Unavailable

if TYPE_CHECKING:
    from hygie.domains.context.service.hub import Hub
    from hygie.domains.context.service.lines import Line

log = logging.getLogger(__name__)
LONGEST = 4096
"""Characters of one message of a follower."""
FASTEST = 50
"""Messages a second from one follower."""
NORMAL = (1000, 1001)
"""Closings that say goodbye (FHIRcast 3.0.0, section 2.5, "Hub Generated SyncError Events")."""
PATIENCE = 10.0
"""Seconds a follower may take to receive one message."""


async def hold(hub: Hub, secret: str, receive: Receive, send: Send) -> None:
    """Connect the follower whose address this is; refuse every other with 403 (RFC 6455, 4.2.2)."""
    if (await receive())["type"] != "websocket.connect":
        return
    try:
        async with hub.repository.database.connection() as connection:
            follower = await following.by_secret(connection, secret)
    except Unavailable:
        await send({"type": "websocket.close", "code": 1013})
        return
    if follower is None:
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "websocket.accept"})

    async def tell(told: Json) -> None:
        text = msgspec.json.encode(told).decode()
        await asyncio.wait_for(send({"type": "websocket.send", "text": text}), PATIENCE)

    try:
        line = await hub.attach(follower, tell)
    except HygieError:
        await send({"type": "websocket.close", "code": 1013})
        return
    try:
        await _talk(line, receive, send)
    finally:
        await hub.detach(line)


async def _talk(line: Line, receive: Receive, send: Send) -> None:
    """Tell and listen until one of the two ends."""
    telling = asyncio.create_task(line.run())
    hearing = asyncio.create_task(_hear(line, receive))
    try:
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (telling, hearing):
            one.cancel()
        results = await asyncio.gather(telling, hearing, return_exceptions=True)
    ended: list[object] = list(results)
    for failure in ended:
        if isinstance(failure, Exception) and not isinstance(failure, (OSError, TimeoutError)):
            log.error("context.line_failed", exc_info=failure)
    ending = next((found for found in ended if isinstance(found, Ending)), None)
    if ending is not None:
        with contextlib.suppress(OSError, RuntimeError):
            await send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})
        return
    code = next((found for found in ended if isinstance(found, int)), 1006)
    if code not in NORMAL:
        await line.lost()


async def _hear(line: Line, receive: Receive) -> Ending | int:
    """Take answers; return the code of the closing, or why the follower is let go."""
    loop = asyncio.get_running_loop()
    second, count = loop.time(), 0
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1005)
        if loop.time() - second >= 1:
            second, count = loop.time(), 0
        count += 1
        text = message.get("text") or ""
        if count > FASTEST or len(text) > LONGEST:
            return Ending("Answer each event once, with id and status.", 1008)
        try:
            await line.answered(msgspec.json.decode(text))
        except (msgspec.DecodeError, InvalidRequest):
            return Ending("Answer with id and status, as JSON.", 1007)
