"""Follow the moves of a resolved path on real Structs, as plain Python closures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from hygie.kernel.fhir.search.elements import Attribute, Move, Way
from hygie.kernel.fhir.search.expression import Where

Walk = Callable[[Any], list[Any]]


def walk(way: Way) -> Walk:
    """Return the function that lists every element a way reaches from its start."""
    steps = tuple(_step(move) for move in way.moves)

    def run(start: Any) -> list[Any]:
        found = [start]
        for step in steps:
            found = [below for element in found for below in step(element)]
            if not found:
                break
        return found

    return run


def _step(move: Move) -> Callable[[Any], Iterable[Any]]:
    match move:
        case Attribute():
            return _children(move)
        case Where(field, value):
            return lambda element: (element,) if getattr(element, field) == value else ()
        case _:
            raise TypeError(move)


def _children(move: Attribute) -> Callable[[Any], Iterable[Any]]:
    get = attrgetter(move.name)

    def run(element: Any) -> Iterable[Any]:
        value = get(element)
        if value is UNSET:
            return ()
        if move.many:
            return [item for item in value if item is not None]
        if move.index is not None:
            return value[move.index : move.index + 1]  # type: ignore[no-any-return]
        return (value,)

    return run
