"""Bundles of answers, made of the stored bytes (FHIR R4, bundle.html)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import msgspec

from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import Issue
from hygie.kernel.fhir.outcome import outcome
from hygie.kernel.store.model import Found, HistoryEntry, HistoryPage, Stored, Written

Link = tuple[str, str]


def searchset(found: Found, rt: str, subset: Subset, *, base: str) -> bytes:
    """Return the Bundle of a search page."""
    address = f"{base}/{rt}"
    links = [("self", _with_query(address, found.self_query))]
    if found.next is not None:
        links.append(("next", _with_query(address, found.next)))
    entries = [
        _entry(
            entry.stored,
            subset.apply(entry.stored),
            f'"search":{{"mode":"{entry.mode}"}}'.encode(),
            base=base,
        )
        for entry in found.entries
    ]
    return bundle("searchset", entries, links=links, total=found.total)


def history_bundle(page: HistoryPage, path: str, asked: str, *, base: str) -> bytes:
    """Return the Bundle of a history page; ``asked`` is the query string it answers."""
    address = f"{base}/{path}"
    links = [("self", f"{address}?{asked}" if asked else address)]
    if page.next is not None:
        links.append(("next", f"{address}?{page.next}"))
    entries = [_history_entry(entry, base) for entry in page.entries]
    return bundle("history", entries, links=links, total=page.total)


def bundle(
    kind: str, entries: Iterable[bytes], *, links: Iterable[Link] = (), total: int | None = None
) -> bytes:
    """Return a Bundle from entries that are already JSON."""
    head: dict[str, object] = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"lastUpdated": instant(datetime.now(UTC))},
        "type": kind,
    }
    if total is not None:
        head["total"] = total
    named = [{"relation": relation, "url": url} for relation, url in links]
    if named:
        head["link"] = named
    joined = b",".join(entries)
    text = msgspec.json.encode(head)
    return text[:-1] + b',"entry":[' + joined + b"]}" if joined else text


def instant(moment: datetime) -> str:
    """Return a FHIR instant to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _entry(stored: Stored, body: bytes | None, last: bytes, *, base: str) -> bytes:
    url = msgspec.json.encode(f"{base}/{stored.reference}")
    resource = b',"resource":' + body if body else b""
    return b'{"fullUrl":' + url + resource + b"," + last + b"}"


def _history_entry(entry: HistoryEntry, base: str) -> bytes:
    stored = entry.stored
    url = stored.rt if entry.method == "POST" else stored.reference
    created = entry.method == "POST"
    status = "201" if created else "204" if entry.method == "DELETE" else "200"
    what = {
        "request": {"method": entry.method, "url": url},
        "response": {
            "status": status,
            "etag": f'W/"{stored.version}"',
            "lastModified": instant(stored.updated),
        },
    }
    return _entry(stored, stored.body, msgspec.json.encode(what)[1:-1], base=base)


def answer_entry(
    status: int,
    *,
    stored: Stored | None = None,
    body: bytes | None = None,
    issues: Iterable[Issue] = (),
    base: str,
) -> bytes:
    """Return one entry of a transaction-response or batch-response."""
    response: dict[str, object] = {"status": str(status)}
    if stored is not None:
        response["location"] = f"{base}/{stored.reference}/_history/{stored.version}"
        response["etag"] = f'W/"{stored.version}"'
        response["lastModified"] = instant(stored.updated)
    told = list(issues)
    if told:
        response["outcome"] = msgspec.Raw(outcome(told))
    parts = []
    if stored is not None and status < 300:  # noqa: PLR2004 - a success
        parts.append(b'"fullUrl":' + msgspec.json.encode(f"{base}/{stored.reference}"))
    if body:
        parts.append(b'"resource":' + body)
    parts.append(b'"response":' + msgspec.json.encode(response))
    return b"{" + b",".join(parts) + b"}"


def written_entry(written: Written, verb: str, *, minimal: bool, base: str) -> bytes:
    """Return the response entry of a write."""
    if verb == "DELETE":
        return answer_entry(204, base=base)
    status = 201 if written.created else 200
    body = None if minimal else written.stored.body
    return answer_entry(status, stored=written.stored, body=body, base=base)


def _with_query(address: str, query: str) -> str:
    return f"{address}?{urlencode(parse_qsl(query, keep_blank_values=True))}" if query else address
