"""Walk the FHIRPath of search parameters over plain JSON, one resource at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_CHOICE = re.compile(
    r"(boolean|code|date|dateTime|decimal|instant|integer|string|uri|Age|Attachment|CodeableConcept|"
    r"Coding|Duration|Identifier|Money|Period|Quantity|Range|Reference|SampledData|Timing)\Z",
    re.IGNORECASE,
)
_ABSTRACT = ("Resource", "DomainResource")


@dataclass(frozen=True, slots=True)
class Node:
    """A value found, and its type where the name of the element told it (``valueQuantity``)."""

    value: Any
    type: str = ""


def evaluate(expression: str, resource: Json, *, of: Json | None = None) -> list[Node]:
    """Return what an expression selects in a resource, or in the part ``of`` it."""
    start = resource if of is None else of
    if ".exists() and " in expression:
        path, _, _ = expression.partition(".exists()")
        found = evaluate(path, resource)
        return [Node(bool(found) and all(node.value is not False for node in found))]
    return [
        node
        for branch in split(expression, "|")
        for node in _branch(branch, start, resource["resourceType"])
    ]


def split(text: str, separator: str) -> list[str]:
    """Split at a separator that stands in no parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _branch(text: str, start: Json, rt: str) -> list[Node]:
    cast = re.fullmatch(r"\((?P<path>.+) as (?P<type>\w+)\)(?P<rest>\..+)?", text)
    if cast:
        text = f"{cast['path']}.as({cast['type']}){cast['rest'] or ''}"
    first, *steps = split(text, ".")
    if first[0].isupper():
        if first not in (rt, *_ABSTRACT):
            return []
    else:
        steps = [first, *steps]
    nodes = [Node(start)]
    for step in steps:
        nodes = [below for node in nodes for below in _step(node, step)]
    return nodes


def _step(node: Node, step: str) -> Iterator[Node]:
    call = re.fullmatch(r"(?P<name>as|where)\((?P<inner>.+)\)", step)
    if call is None:
        yield from _children(node.value, step)
    elif call["name"] == "as":
        if node.type.lower() == call["inner"].lower():
            yield node
    elif _holds(node.value, call["inner"]):
        yield node


def _holds(value: Any, condition: str) -> bool:
    target = re.fullmatch(r"resolve\(\) is (\w+)", condition)
    if target:
        return target_type(value) == target[1]
    name, _, expected = condition.partition("=")
    return bool(value.get(name.strip()) == expected.strip().strip("'"))


def target_type(reference: Json) -> str | None:
    """Return the type a reference points to: what it is written as, else what it declares."""
    written = re.search(r"(?:^|/)([A-Z][A-Za-z]+)/[\w.-]+(?:/_history/\d+)?$", literal(reference))
    return written[1] if written else reference.get("type")


def literal(reference: Json) -> str:
    """Return the address of a reference, empty where there is none."""
    return str(reference.get("reference", ""))


def _children(value: Any, name: str) -> Iterator[Node]:
    if not isinstance(value, dict):
        return
    if name in value:
        yield from _each(value[name], "")
        return
    for key in value:
        kind = key.removeprefix(name)
        if kind != key and _CHOICE.match(kind):
            yield from _each(value[key], kind)


def _each(value: Any, kind: str) -> Iterator[Node]:
    for item in value if isinstance(value, list) else [value]:
        if item is not None:
            yield Node(item, kind)
