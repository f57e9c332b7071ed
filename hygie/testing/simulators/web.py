"""Just enough of HTTP and HTML for the simulators: two languages, no JavaScript, one column."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MOST = 64 * 1024
STYLE = files("hygie.testing.simulators").joinpath("simulator.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_CSP = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
BANNER = {
    "fr": "Simulateur de démonstration : ceci n’est pas {name}. Personnes inventées.",
    "en": "Demonstration simulator: this is not {name}. Invented people.",
}
TITLE = {"fr": "Simulateur", "en": "Simulator"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: method, path below the simulator, query, form, headers."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def values(self) -> dict[str, str]:
        """Return the parameters, wherever they were sent."""
        return {**self.query, **self.form}

    @property
    def language(self) -> str:
        """Return ``fr`` or ``en``: as asked by ``ui_locales``, else by the browser."""
        wanted = self.values.get("ui_locales") or self.headers.get("accept-language", "fr")
        return "en" if wanted.lower().startswith("en") else "fr"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def told(what: object, *, status: int = 200, kind: str = "application/json") -> Reply:
    """Return a JSON answer."""
    return Reply(status, json.dumps(what).encode(), kind)


def wrong(error: str, *, status: int = 400) -> Reply:
    """Return an OAuth error (RFC 6749, section 5.2)."""
    return told({"error": error}, status=status)


def sent_to(address: str) -> Reply:
    """Return a redirect."""
    return Reply(302, headers={"location": address})


def page(name: str, language: str, *, title: str, body: str, status: int = 200) -> Reply:
    """Return a page whose banner says that it is a simulator; ``body`` is HTML already."""
    whole = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)} - {TITLE[language]} {escape(name)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><header><div><strong>"
        f"{escape(BANNER[language].format(name=name))}</strong></div></header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return Reply(status, whole.encode())


def hidden(values: Mapping[str, str]) -> str:
    """Return hidden fields."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in values.items()
    )


async def read(scope: Scope, receive: Receive, *, root: str) -> Asked:
    """Read a request below ``root``."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > MOST:
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    form = {}
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return Asked(
        method=scope["method"],
        path=scope["path"].removeprefix(root) or "/",
        query=dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"))),
        form=form,
        headers=headers,
    )


async def answer(send: Send, reply: Reply) -> None:
    """Send an answer; nothing of a simulator is kept by anybody."""
    headers = {
        "content-type": reply.kind,
        "content-length": str(len(reply.body)),
        "cache-control": "no-store",
        "content-security-policy": _CSP,
        "referrer-policy": "no-referrer",
        **reply.headers,
    }
    start: MutableMapping[str, Any] = {
        "type": "http.response.start",
        "status": reply.status,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
