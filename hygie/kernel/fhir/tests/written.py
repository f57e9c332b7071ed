"""Resources written in every way JSON allows: white space, order, escapes, forms of numbers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

space = st.sampled_from(["", " ", "\n", "\t  ", "\r\n"])
numbers = st.sampled_from(
    ["1.10", "1.00E2", "100.00", "0.010", "1.50e-3", "12345678901234567890.12", "-0.0", "7"]
)
letters = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
)
names = letters.filter(lambda name: name not in {"resourceType", "id", "meta"})


@st.composite
def strings(draw: st.DrawFn, values: st.SearchStrategy[str] = letters) -> str:
    """Return a JSON string, plain or with escapes."""
    text = json.dumps(draw(values), ensure_ascii=draw(st.booleans()))
    return text.replace("/", "\\/") if draw(st.booleans()) else text


def joined(draw: st.DrawFn, parts: list[str], ends: str) -> str:
    inner = ",".join(f"{draw(space)}{part}{draw(space)}" for part in parts)
    return f"{ends[0]}{inner or draw(space)}{ends[1]}"


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    """Return any JSON value as text."""
    kind = draw(st.integers(0, 4 if depth else 2))
    if kind == 0:
        return draw(strings())
    if kind == 1:
        return draw(numbers)
    if kind == 2:
        return draw(st.sampled_from(["true", "false"]))
    if kind == 3:
        items = [draw(values(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
        return joined(draw, items, "[]")
    return draw(objects(depth - 1))


@st.composite
def objects(draw: st.DrawFn, depth: int = 2) -> str:
    """Return a JSON object as text, without duplicate names."""
    chosen = draw(st.lists(names, unique=True, max_size=4))
    members = [member(draw, name, draw(values(depth))) for name in chosen]
    return joined(draw, members, "{}")


def member(draw: st.DrawFn, name: str, value: str) -> str:
    key = draw(strings(st.just(name)))
    return f"{key}{draw(space)}:{draw(space)}{value}"


@st.composite
def resources(draw: st.DrawFn) -> bytes:
    """Return a resource with or without id and meta, its members in any order."""
    members = [member(draw, "resourceType", '"Basic"')]
    if draw(st.booleans()):
        members.append(member(draw, "id", '"old"'))
    if draw(st.booleans()):
        meta = [member(draw, "profile", draw(values()))]
        if draw(st.booleans()):
            meta.append(member(draw, "versionId", '"0"'))
        if draw(st.booleans()):
            meta.append(member(draw, "lastUpdated", '"2000"'))
        if draw(st.booleans()):
            meta.append(member(draw, "tag", '[ {"code": "x"} ]'))
        members.append(member(draw, "meta", joined(draw, draw(st.permutations(meta)), "{}")))
    others = draw(st.lists(names, unique=True, max_size=4))
    members += [member(draw, name, draw(values())) for name in others]
    text = joined(draw, draw(st.permutations(members)), "{}")
    return f"{draw(space)}{text}{draw(space)}".encode()


def read(raw: bytes) -> Any:
    """Return the value with its numbers as they are written."""
    return json.loads(raw, parse_float=str, parse_int=str)
