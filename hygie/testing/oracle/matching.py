"""Decide whether one value answers one value searched for (FHIR R4, search.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hygie.kernel.fhir.search.registry import Parameter
from hygie.testing.oracle.paths import Json, Node, evaluate, target_type
from hygie.testing.oracle.values import READERS, Quantity, Span, fold, span, typed_identifiers

BASE = "http://oracle.test/fhir"
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_UCUM = "http://unitsofmeasure.org"
# Factor to a base unit and the base, by hand: the units the random records use.
_UNITS = {
    "g": (Fraction(1), "g"),
    "mg": (Fraction(1, 1000), "g"),
    "kg": (Fraction(1000), "g"),
    "m": (Fraction(1), "m"),
    "cm": (Fraction(1, 100), "m"),
    "mmol/L": (Fraction(1), "mmol/L"),
    "umol/L": (Fraction(1, 1000), "mmol/L"),
    "min": (Fraction(60), "s"),
    "h": (Fraction(3600), "s"),
    "a": (Fraction(31_557_600), "s"),
}


def fits(
    parameter: Parameter, modifier: str | None, value: str, *, resource: Json, now: datetime
) -> bool:
    """Tell whether a resource answers one value of a parameter; ``:not`` is the caller's."""
    nodes = evaluate(parameter.expression, resource)
    if modifier == "missing":
        return present(parameter, resource) != (value == "true")
    if parameter.kind == "composite":
        return any(
            _composite(parameter, value, resource, occurrence=node.value, now=now) for node in nodes
        )
    if modifier == "of-type":
        wanted = tuple(pieces(value, "|"))
        return any(found == wanted for node in nodes for found in typed_identifiers(node.value))
    if modifier == "identifier":
        logical = [Node(n.value["identifier"]) for n in nodes if "identifier" in n.value]
        return _any("token", value, logical, implicit=(), now=now)
    if parameter.kind == "string":
        return _string(modifier, unescape(value), nodes)
    if parameter.kind == "reference":
        return _reference(parameter, modifier, unescape(value), nodes)
    return _any(parameter.kind, value, nodes, implicit=parameter.implicit_systems, now=now)


def present(parameter: Parameter, resource: Json) -> bool:
    """Tell whether a resource has a value for a parameter."""
    nodes = evaluate(parameter.expression, resource)
    if parameter.kind != "composite":
        return any(_readable(parameter.kind, node) for node in nodes)
    return any(
        all(
            any(list(READERS[part.kind](found)) for found in _component(part, resource, node.value))
            for part in parameter.components
        )
        for node in nodes
    )


def _readable(kind: str, node: Node) -> bool:
    if kind == "reference":
        return True
    return bool(list(READERS[kind](node))) or isinstance(node.value, dict)


def _composite(
    parameter: Parameter, value: str, resource: Json, *, occurrence: Json, now: datetime
) -> bool:
    for part, wanted in zip(parameter.components, pieces(value, "$"), strict=True):
        found = _component(part, resource, occurrence)
        if part.kind == "string":
            matched = _string(None, unescape(wanted), found)
        elif part.kind == "reference":
            matched = any(_same(unescape(wanted), text) for n in found for text in _texts(n))
        else:
            matched = _any(part.kind, wanted, found, implicit=(), now=now)
        if not matched:
            return False
    return True


def _component(part: Any, resource: Json, occurrence: Json) -> list[Node]:
    whole = occurrence is resource
    return evaluate(part.expression, resource, of=None if whole else occurrence)


def _texts(node: Node) -> list[str]:
    return list(READERS["reference"](node))


def _string(modifier: str | None, value: str, nodes: Iterable[Node]) -> bool:
    texts = [text for node in nodes for text in READERS["string"](node)]
    if modifier == "exact":
        return value in texts
    if modifier == "contains":
        return any(fold(value) in fold(text) for text in texts)
    return any(fold(text).startswith(fold(value)) for text in texts)


def _reference(
    parameter: Parameter, modifier: str | None, value: str, nodes: Iterable[Node]
) -> bool:
    for node in nodes:
        kind = target_type(node.value) if isinstance(node.value, dict) else None
        if modifier is not None and kind != modifier:
            continue
        for text in _texts(node):
            local = text.removeprefix(f"{BASE}/").partition("/_history/")[0]
            if re.fullmatch(r"[A-Za-z0-9.-]{1,64}", value):
                if local == f"{kind}/{value}" and kind in parameter.targets:
                    return True
            elif _same(value, text):
                return True
    return False


def _same(value: str, text: str) -> bool:
    shorter = [one.removeprefix(f"{BASE}/").partition("/_history/")[0] for one in (value, text)]
    return shorter[0] == shorter[1]


def _any(
    kind: str, value: str, nodes: Iterable[Node], *, implicit: tuple[str, ...], now: datetime
) -> bool:
    found = [each for node in nodes for each in READERS[kind](node)]
    if kind == "token":
        return any(_token(implicit, value, *each) for each in found)
    if kind == "uri":
        return unescape(value) in found
    prefix, rest = prefixed(value)
    if kind == "date":
        wanted = span(rest)
        if prefix == "ap":
            gap = max(abs(now - wanted[0]), abs(now - wanted[1])) / 10
            wanted = wanted[0] - gap, wanted[1] + gap
        return any(compare_dates(prefix, wanted, each) for each in found)
    if kind == "number":
        return any(compare_numbers(prefix, rest, Fraction(each)) for each in found)
    return any(_quantity(prefix, rest, each) for each in found)


def _token(implicit: tuple[str, ...], value: str, system: str | None, code: str | None) -> bool:
    parts = pieces(value, "|")
    if len(parts) == 1:
        return code == parts[0]
    systems = {system} if system else {"", *implicit}
    return parts[0] in systems and parts[1] in (code, "")


def compare_dates(prefix: str, wanted: Span, found: Span) -> bool:
    """Compare two half-open intervals (search.html#prefix)."""
    (low, high), (start, end) = wanted, found
    inside = low <= start and end <= high
    return {
        "eq": inside,
        "ne": not inside,
        "gt": end > high,
        "lt": start < low,
        "ge": end > high or inside,
        "le": start < low or inside,
        "sa": start >= high,
        "eb": end <= low,
        "ap": start < high and end > low,
    }[prefix]


def compare_numbers(prefix: str, text: str, found: Fraction, factor: Fraction | int = 1) -> bool:
    """Compare a number with one written in a search; ``factor`` brings that one to its unit."""
    value = Decimal(text)
    exponent = int(value.as_tuple().exponent)
    half = Fraction(10) ** exponent / 2
    if "e" in text.lower() and exponent > 0:
        half /= 10
    asked = Fraction(value)
    if prefix == "ap":
        half = max(half, abs(asked) / 10)
    close = (asked - half) * factor <= found < (asked + half) * factor
    asked *= factor
    return {
        "eq": close,
        "ap": close,
        "ne": not close,
        "gt": found > asked,
        "sa": found > asked,
        "lt": found < asked,
        "eb": found < asked,
        "ge": found >= asked,
        "le": found <= asked,
    }[prefix]


def _quantity(prefix: str, text: str, found: Quantity) -> bool:
    value, system, code, unit = found
    number, *asked = pieces(text, "|")
    if not asked:
        return compare_numbers(prefix, number, Fraction(value))
    wanted_system, wanted = asked
    mine, theirs = _UNITS.get(code or ""), _UNITS.get(wanted)
    convertible = system == _UCUM and wanted_system in (_UCUM, "") and mine and theirs
    if convertible and mine and theirs and mine[1] == theirs[1]:
        return compare_numbers(prefix, number, Fraction(value), theirs[0] / mine[0])
    if wanted_system:
        same = wanted_system == system and wanted in (code or "", "")
    else:
        same = wanted in (code, unit, "")
    return same and compare_numbers(prefix, number, Fraction(value))


def prefixed(value: str) -> tuple[str, str]:
    """Return the prefix, ``eq`` where there is none, and the rest."""
    match = _PREFIX.fullmatch(value)
    if match is None:
        raise ValueError(value)
    return match[1] or "eq", match[2]


def pieces(value: str, separator: str) -> list[str]:
    """Split at a separator that no backslash escapes; escapes stay but where ``|`` separates."""
    parts = [""]
    for piece in re.findall(r"\\.|.", value, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return [unescape(part) for part in parts] if separator == "|" else parts


def unescape(value: str) -> str:
    """Take the escapes away (search.html#escaping)."""
    return re.sub(r"\\([,|$\\])", r"\1", value)
