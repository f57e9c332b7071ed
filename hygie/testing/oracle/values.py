"""Read the search values of plain JSON (FHIR R4, search.html, one section for each kind)."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hygie.testing.oracle.paths import Json, Node, literal

PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NAME = ("text", "family", "given", "prefix", "suffix")
_ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")
_IGNORED = str.maketrans(dict.fromkeys("-'\N{RIGHT SINGLE QUOTATION MARK},.;_", " "))

Span = tuple[datetime, datetime]


def fold(text: str) -> str:
    """Return a text without case, accents, ligatures, punctuation and double spaces."""
    text = text.casefold().replace("œ", "oe").replace("æ", "ae").translate(_IGNORED)
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def tokens(node: Node) -> Iterator[tuple[str | None, str | None]]:
    """Yield the (system, code) pairs of a value."""
    value = node.value
    if isinstance(value, bool):
        yield None, str(value).lower()
    elif isinstance(value, str):
        yield None, value
    elif "coding" in value:
        for coding in value["coding"]:
            yield from tokens(Node(coding))
    elif value.keys() & {"system", "code", "value"}:
        yield value.get("system"), value.get("code", value.get("value"))


def strings(node: Node) -> Iterator[str]:
    """Yield the texts of a value; each part of a name or an address on its own."""
    if isinstance(node.value, str):
        yield node.value
        return
    for name in {*_NAME, *_ADDRESS} & node.value.keys():
        part = node.value[name]
        yield from part if isinstance(part, list) else [part]


def references(node: Node) -> Iterator[str]:
    """Yield the address of a reference or of a canonical."""
    text = node.value if isinstance(node.value, str) else literal(node.value)
    if text and not text.startswith("#"):
        yield text


def dates(node: Node) -> Iterator[Span]:
    """Yield the interval of a date, a period or a timing."""
    value = node.value
    if isinstance(value, str):
        if node.type.lower() not in ("string", "code", "uri"):
            yield span(value)
    elif value.keys() & {"start", "end"}:
        yield (
            span(value["start"])[0] if "start" in value else FIRST,
            span(value["end"])[1] if "end" in value else LAST,
        )
    elif "event" in value:
        spans = [span(event) for event in value["event"]]
        yield min(low for low, _ in spans), max(high for _, high in spans)


def numbers(node: Node) -> Iterator[Decimal]:
    """Yield a number, or both ends of a range."""
    if isinstance(node.value, dict):
        for end in ("low", "high"):
            if end in node.value:
                yield node.value[end]["value"]
    elif not isinstance(node.value, str | bool):
        yield Decimal(node.value)


Quantity = tuple[Decimal, str | None, str | None, str | None]


def quantities(node: Node) -> Iterator[Quantity]:
    """Yield value, system, code and unit of a quantity, or of both ends of a range."""
    value = node.value
    if not isinstance(value, dict):
        return
    for part in (value, value.get("low", {}), value.get("high", {})):
        if "value" in part:
            yield part["value"], part.get("system"), part.get("code"), part.get("unit")


def uris(node: Node) -> Iterator[str]:
    """Yield a uri as it is written."""
    yield node.value


def typed_identifiers(identifier: Json) -> Iterator[tuple[str | None, str, str]]:
    """Yield (type system, type code, value)."""
    for coding in identifier.get("type", {}).get("coding", []):
        if "code" in coding and "value" in identifier:
            yield coding.get("system"), coding["code"], identifier["value"]


READERS: dict[str, Callable[[Node], Iterator[Any]]] = {
    "token": tokens,
    "string": strings,
    "reference": references,
    "date": dates,
    "number": numbers,
    "quantity": quantities,
    "uri": uris,
}


def span(text: str) -> Span:
    """Return the interval a date covers, its end not included."""
    if "T" in text:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=PARIS)
        clock = text.partition("T")[2]
        if re.match(r"\d\d:\d\d(?!:)", clock):
            return moment, moment.astimezone(UTC) + timedelta(minutes=1)
        fraction = re.search(r"\.(\d+)", clock)
        digits = min(len(fraction[1]), 6) if fraction else 0
        return moment, moment.astimezone(UTC) + timedelta(microseconds=10 ** (6 - digits))
    year, month, day = (int(part) for part in (f"{text}-0-0").split("-")[:3])
    first = datetime(year, month or 1, day or 1, tzinfo=PARIS)
    if day:
        length = 1
    elif month:
        length = calendar.monthrange(year, month)[1]
    else:
        length = 366 if calendar.isleap(year) else 365
    after = (first.replace(tzinfo=None) + timedelta(days=length)).replace(tzinfo=PARIS)
    return first, after
