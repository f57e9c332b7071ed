"""Resolve the paths of search expressions against the types of FHIR R4.

``definitions/elements.json`` holds, for each type and backbone element, the type of every child:
``"Period"`` for one, ``"Coding*"`` for a list, ``"x:Quantity,string"`` for a choice such as
``value[x]``. ``scripts/build_search_parameters.py`` writes it from the StructureDefinitions, so
that compiling a type reads one small table and not the definitions themselves.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.search.expression import As, Field, Item, Path, ResolvesTo, Step, Where


@dataclass(frozen=True, slots=True)
class Attribute:
    """Read one attribute of a Struct; ``index`` picks one element of a list."""

    name: str
    many: bool = False
    index: int | None = None


Move = Attribute | Where | ResolvesTo


@dataclass(frozen=True, slots=True)
class Way:
    """One concrete way down a path: the moves, and the FHIR type at the end."""

    moves: tuple[Move, ...]
    type: str


def resolve(path: Path, start: str) -> tuple[Way, ...]:
    """Return every way that a path can take from a type: one for each type of a choice.

    >>> from hygie.kernel.fhir.search.expression import Field, Path
    >>> [way.type for way in resolve(Path("Patient", (Field("deceased"),)), "Patient")]
    ['boolean', 'dateTime']

    Raises:
        NotSupported: the path leads nowhere in R4.
    """
    ways = [Way((), start)]
    for step in path.steps:
        ways = [further for way in ways for further in _advance(way, step)]
    if not ways:
        raise NotSupported(f"A search expression has no element in {start}: {path}.")
    return tuple(ways)


def owners() -> frozenset[str]:
    """Return every type and backbone element that has children."""
    return frozenset(_table())


def children(owner: str) -> tuple[Attribute, ...]:
    """Return the attributes of a type or backbone element, one for each type of a choice."""
    return tuple(move for name in _table()[owner] for move, _ in _children(owner, name))


def attribute_name(element: str) -> str:
    """Return the Struct attribute of an element: Python's keywords get an underscore.

    >>> attribute_name("class"), attribute_name("status")
    ('class_', 'status')
    """
    return f"{element}_" if keyword.iskeyword(element) else element


def _advance(way: Way, step: Step) -> list[Way]:
    match step:
        case Field(name):
            return [Way((*way.moves, move), kind) for move, kind in _children(way.type, name)]
        case As(kind):
            return [way] if way.type.lower() == kind.lower() else []
        case Where(field, value):
            return [
                Way((*way.moves, Where(move.name, value)), way.type)
                for move, _ in _children(way.type, field)
            ]
        case ResolvesTo():
            return [Way((*way.moves, step), way.type)] if way.type == "Reference" else []
        case Item(index):
            *before, last = way.moves
            if not isinstance(last, Attribute) or not last.many:
                return []
            return [Way((*before, Attribute(last.name, many=False, index=index)), way.type)]


def _children(owner: str, name: str) -> list[tuple[Attribute, str]]:
    written = _table().get(owner, {}).get(name)
    if written is None:
        return []
    if written.startswith("x:"):
        kinds = written[2:].split(",")
        return [(Attribute(f"{name}{kind[0].upper()}{kind[1:]}"), kind) for kind in kinds]
    many = written.endswith("*")
    return [(Attribute(attribute_name(name), many), written.rstrip("*"))]


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("definitions/elements.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])
