"""Small pages for when the portals cannot answer: complete in themselves, without Django."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

REFRESH = 3
"""Seconds after which a waiting browser asks again; no JavaScript is needed for that."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What one page says, in French then in English, as plain text without markup.

    ``again`` tells that the same address will soon answer.
    """

    status: int
    title: str
    french: str
    english: str
    again: bool = False


STARTING = Notice(
    503,
    "Hygie démarre",
    "Hygie démarre. Cette page se recharge seule dans quelques secondes.",
    "Hygie is starting. This page reloads by itself in a few seconds.",
    again=True,
)
FAILED = Notice(
    503,
    "Hygie ne répond pas",
    "Hygie n’a pas pu démarrer. La personne qui l’exploite en trouve la raison dans le journal.",
    "Hygie could not start. The operator finds the reason in the journal.",
)
NOT_SERVED = Notice(
    404,
    "Page absente",
    "Cette adresse ne sert que les logiciels, par FHIR. Les pages sont à une autre adresse.",
    "This address serves software only, through FHIR. The pages are at another address.",
)

_PAGE = """<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{title}</title>
<style>body{{font:1.2rem/1.5 sans-serif;max-width:34em;margin:3em auto;padding:0 1em}}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{french}</p>
<p lang="en">{english}</p>
</main>
</body>
</html>
"""


async def send_notice(send: Send, notice: Notice, *, head: bool = False) -> None:
    """Send the page of a notice; ``head`` sends its headers only."""
    refresh = f'<meta http-equiv="refresh" content="{REFRESH}">\n' if notice.again else ""
    body = _PAGE.format(
        refresh=refresh, title=notice.title, french=notice.french, english=notice.english
    ).encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if notice.again:
        headers.append((b"retry-after", str(REFRESH).encode()))
    await send({"type": "http.response.start", "status": notice.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
