"""Compile the search expressions of a resource type into closures over its Struct.

All paths of a type are merged into one tree, so that an element shared by several parameters
(``Observation.code`` by five of them) is reached once. Each node of the tree becomes a closure
that reads one attribute and hands what it finds to the closures below; the leaves are emitters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from hygie.kernel.errors import NotSupported
from hygie.kernel.fhir.search.branches import branches_of
from hygie.kernel.fhir.search.composites import composite
from hygie.kernel.fhir.search.elements import Attribute, Move, Way, resolve
from hygie.kernel.fhir.search.emitters import Emit, Wanted, emitter
from hygie.kernel.fhir.search.expression import Condition, ResolvesTo, Test, Where
from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.readers import reader
from hygie.kernel.fhir.search.registry import Kind, Parameter
from hygie.kernel.fhir.search.walking import walk

SERVER_OWNED = frozenset({"_id", "_lastUpdated"})
"""Parameters the store answers from columns; their values are not extracted."""


@dataclass(slots=True)
class _Node:
    below: dict[Move, _Node] = field(default_factory=dict)
    leaves: dict[tuple[Kind, str], list[Wanted]] = field(default_factory=dict)


def compile_type(some: Iterable[Parameter], zone: tzinfo) -> Callable[[Any], Extracted]:
    """Return the function that extracts some parameters, all of one resource type.

    Raises:
        NotSupported: an expression leads nowhere, or to a type its kind of search cannot read.
    """
    actions = tuple(_actions(some, zone))

    def run(resource: Any) -> Extracted:
        out = Extracted()
        for action in actions:
            action(out, resource)
        return out

    return run


def _actions(some: Iterable[Parameter], zone: tzinfo) -> list[Emit]:
    root, whole = _Node(), list[Emit]()
    for parameter in some:
        if not parameter.expression or parameter.code in SERVER_OWNED:
            continue
        if parameter.kind == "composite":
            whole += composite(parameter, zone)
            continue
        for branch in branches_of(parameter.expression, parameter.rt):
            if isinstance(branch, Condition):
                whole.append(_condition(parameter, branch))
            else:
                _plant(root, parameter, resolve(branch, parameter.rt), zone=zone)
    return [*_grow(root, zone), *whole]


def _plant(root: _Node, parameter: Parameter, ways: Iterable[Way], *, zone: tzinfo) -> None:
    planted = False
    for way in ways:
        if reader(parameter.kind, way.type, zone) is None:
            continue
        planted = True
        node, target = root, None
        for move in way.moves:
            if isinstance(move, ResolvesTo):
                target = move.type
            else:
                node = node.below.setdefault(move, _Node())
        node.leaves.setdefault((parameter.kind, way.type), []).append((parameter, target))
    if not planted:
        raise NotSupported(f"No element of {parameter!r} can be searched as a {parameter.kind}.")


def _grow(node: _Node, zone: tzinfo) -> list[Emit]:
    actions = []
    for (kind, fhir_type), wanted in node.leaves.items():
        emit = emitter(kind, fhir_type, tuple(wanted), zone)
        if emit is not None:
            actions.append(emit)
    for move, child in node.below.items():
        below = _grow(child, zone)
        actions.append(_reach(move, below[0] if len(below) == 1 else _each(tuple(below))))
    return actions


def _each(actions: tuple[Emit, ...]) -> Emit:
    def run(out: Extracted, element: Any) -> None:
        for action in actions:
            action(out, element)

    return run


def _reach(move: Move, below: Emit) -> Emit:
    match move:
        case Attribute(name, many=True):
            return _many(name, below)
        case Attribute(name, index=None):
            return _one(name, below)
        case Attribute(name, index=index):
            return _item(name, index or 0, below)
        case Where(field_name, value):
            return _where(field_name, value, below)
        case _:
            raise TypeError(move)


def _one(name: str, below: Emit) -> Emit:
    get = attrgetter(name)

    def run(out: Extracted, parent: Any) -> None:
        value = get(parent)
        if value is not UNSET:
            below(out, value)

    return run


def _many(name: str, below: Emit) -> Emit:
    get = attrgetter(name)

    def run(out: Extracted, parent: Any) -> None:
        values = get(parent)
        if values is not UNSET:
            for value in values:
                # A list of primitives holds null where only an extension stands.
                if value is not None:
                    below(out, value)

    return run


def _item(name: str, index: int, below: Emit) -> Emit:
    get = attrgetter(name)

    def run(out: Extracted, parent: Any) -> None:
        values = get(parent)
        if values is not UNSET and len(values) > index:
            below(out, values[index])

    return run


def _where(name: str, expected: str, below: Emit) -> Emit:
    get = attrgetter(name)

    def run(out: Extracted, element: Any) -> None:
        if get(element) == expected:
            below(out, element)

    return run


def _condition(parameter: Parameter, condition: Condition) -> Emit:
    tests = tuple(_test(test, parameter.rt) for test in condition.tests)

    def run(out: Extracted, resource: Any) -> None:
        out.present |= parameter.mask
        holds = all(test(resource) for test in tests)
        out.tokens.append((parameter, None, "true" if holds else "false"))

    return run


def _test(test: Test, rt: str) -> Callable[[Any], bool]:
    walks = tuple(walk(way) for way in resolve(test.path, rt))
    unwanted = test.differs_from

    def holds(resource: Any) -> bool:
        found = [value for reach in walks for value in reach(resource)]
        if unwanted is None:
            return bool(found)
        return all(value is not unwanted for value in found)

    return holds
