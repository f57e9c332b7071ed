"""What is hidden changes no page: the portals, asked before and after it is written.

A page is compared if it is the same when it is asked twice with nothing written between: pages that
tell the hour, or one's own visits, are not.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

import pytest

from hygie.kernel.security.caller import SYSTEM
from hygie.testing import stories
from hygie.testing.differential.population import (
    Json,
    document,
    encounter,
    labelled,
    observation,
)
from hygie.testing.portal import Site

MOST = 45
"""Pages of one person that are asked."""
_LINK = re.compile(r'href="([^"#]+)"')
_CHANGING = re.compile(
    rb'(name="csrfmiddlewaretoken" value=")[^"]+|(nonce=")[^"]+|(data-(?:now|csrf)=")[^"]+'
)
_LEAVES = (
    "logout",
    "sortir",
    "sign-out",
    "deconnexion",
    "export",
    "/static/",
    "language",
    "langue",
)
Page = tuple[int, bytes]
_CHANCE = random.Random(2)  # noqa: S311 - test data
NORA, TOM, STRANGER = f"Patient/{stories.NORA}", f"Patient/{stories.TOM}", "Patient/p-stranger"
HELPER, MOTHER = f"lucie for {stories.NORA}", f"lucie for {stories.TOM}"
ROUNDS: dict[str, tuple[tuple[str, ...], list[Json]]] = {
    "a stranger with a record": (
        ("nora", "paul", "lucie", HELPER, "dr.petit", "marc.vidal"),
        [
            {"resourceType": "Patient", "id": "p-stranger", "name": [{"family": "Martin"}]},
            observation(_CHANCE, "p-other", STRANGER),
            encounter(_CHANCE, "p-visit", STRANGER),
        ],
    ),
    "a result to be announced": (
        ("nora", HELPER),
        [{**observation(_CHANCE, "p-waiting", NORA), **labelled("INVISIBLE_PATIENT")}],
    ),
    "a masked document": (
        ("marc.vidal", "jade.colin", "dr.lang"),
        [
            {
                **document(_CHANCE, "p-masked", NORA),
                "author": [{"reference": "Practitioner/p-somebody"}],
                **labelled("MASQUE_PS"),
            }
        ],
    ),
    "a secret visit of a minor": (
        ("nora", "lucie", MOTHER, "paul"),
        [
            {
                **encounter(_CHANCE, "p-secret", TOM),
                **labelled("INVISIBLE_REPRESENTANTS_LEGAUX"),
            }
        ],
    ),
}
"""What is written, and who may not notice."""


@pytest.mark.parametrize("name", ROUNDS)
def test_what_is_hidden_changes_no_page(name: str, site: Site) -> None:
    readers, resources = ROUNDS[name]
    changed, compared, asked = changes(site, readers, resources)
    assert not changed
    assert compared > asked // 2


def test_what_may_be_seen_changes_a_page(site: Site) -> None:
    """The test above would pass of pages that show nothing."""
    changed, _, _ = changes(site, ("nora",), [observation(_CHANCE, "p-seen", NORA)])
    assert changed


def changes(
    site: Site, readers: tuple[str, ...], resources: list[Json]
) -> tuple[list[tuple[str, str]], int, int]:
    """Return the pages that writing changes, how many were compared, and how many were asked."""
    crawled = {who: crawl(site, who) for who in readers}
    first = {who: fetch(site, who, urls) for who, urls in crawled.items()}
    again = {who: fetch(site, who, urls) for who, urls in crawled.items()}
    try:
        for one in resources:
            write(site, one)
        after = {who: fetch(site, who, urls) for who, urls in crawled.items()}
    finally:
        for one in reversed(resources):
            write(site, one, delete=True)
    pages = [(who, url) for who, urls in crawled.items() for url in urls]
    steady = [(who, url) for who, url in pages if first[who][url] == again[who][url]]
    changed = [(who, url) for who, url in steady if after[who][url] != first[who][url]]
    return changed, len(steady), len(pages)


def write(site: Site, one: Json, *, delete: bool = False) -> None:
    repository = site.platform.repository
    assert repository is not None
    rt, rid = one["resourceType"], one["id"]
    if delete:
        done = repository.delete(SYSTEM, rt, rid)
    else:
        done = repository.update(SYSTEM, rt, rid, json.dumps(one).encode())
    asyncio.run_coroutine_threadsafe(done, site.loop).result(20)


def crawl(site: Site, who: str) -> list[str]:
    """Return the addresses that the links of one person lead to, from the home page on."""
    client, waiting, seen = site.client(who), ["/"], dict.fromkeys(["/"])
    while waiting and len(seen) < MOST:
        url = waiting.pop(0)
        answer = client.get(url, follow=True)
        if "html" not in answer.get("content-type", "") or answer.streaming:
            continue
        for link in links(url, answer.content.decode()):
            if link not in seen:
                seen[link] = None
                waiting.append(link)
    return list(seen)[:MOST]


def links(url: str, text: str) -> Iterable[str]:
    for found in _LINK.findall(text):
        parts = urlsplit(urljoin(url, found.replace("&amp;", "&")))
        address = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if not parts.netloc and not any(one in address for one in _LEAVES):
            yield address


def fetch(site: Site, who: str, urls: Iterable[str]) -> dict[str, Page]:
    client = site.client(who)
    return {url: told(client.get(url)) for url in urls}


def told(answer: object) -> Page:
    streaming = getattr(answer, "streaming", False)
    body = b"" if streaming else getattr(answer, "content", b"")
    return getattr(answer, "status_code", 0), _CHANGING.sub(rb"\1\2\3", body)
