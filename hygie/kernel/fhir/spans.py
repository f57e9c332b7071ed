"""Where the members of a JSON object stand in its bytes."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import msgspec

_key = re.compile(rb'[\s,]*("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*').match
_open = re.compile(rb"\s*\{").match
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Span(NamedTuple):
    """One member: ``start`` is its key's first quote, ``value`` and ``end`` bound its value."""

    start: int
    value: int
    end: int


def spans(raw: bytes, wanted: Collection[str] | None = None) -> dict[str, Span]:
    """Return the place of each member of the JSON object in ``raw``, in written order.

    ``raw`` is valid JSON without duplicate members, as ``scan`` and ``confirm`` leave it. With
    ``wanted``, the walk ends at the last of these names, which mostly stand first.

    >>> text = b'{ "a" : [1, 2] , "b":"x"}'
    >>> [text[s.start : s.end] for s in spans(text).values()]
    [b'"a" : [1, 2]', b'"b":"x"']
    """
    opening = _open(raw)
    place = opening.end() if opening else 0
    members = _members.decode(raw)
    left = len(members) if wanted is None else sum(name in members for name in wanted)
    found = {}
    for name, value in members.items():
        if not left:
            break
        key = _key(raw, place)
        if key is None:
            raise ValueError("the text is not a JSON object")
        place = key.end() + len(memoryview(value))
        found[name] = Span(key.start(1), key.end(), place)
        left -= wanted is None or name in wanted
    return found
