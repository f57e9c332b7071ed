"""A tiny application for the supervisor's tests: it only tells the published state."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from hygie.kernel.config import Settings
from hygie.kernel.database import state

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def application(settings: Settings) -> Callable[..., Awaitable[None]]:
    async def answer(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await receive()
        now = state.read(settings.data)
        status = 200 if now.status == "ready" else 503
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = json.dumps(asdict(now)).encode()
        await send({"type": "http.response.body", "body": body})

    return answer
