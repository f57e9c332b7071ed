"""Tell where a resource departs from a profile.

Cardinality, fixed values, patterns, required bindings, slices told apart by value, types of
references, and invariants that compare two paths (profiling.html of FHIR R4). ``mustSupport``
binds a system, not a resource. A primitive that only says why it is absent counts as present,
as in extensibility.html#Special-Case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hygie.testing.profiles.definition import Element

Json = dict[str, Any]
_EQUALITY = re.compile(r"\s*([$%\w.]+)\s*=\s*([$%\w.]+)\s*")


def faults(resource: Json, profile: Element) -> list[str]:
    """Return what departs from the profile, one sentence each, led by the place.

    >>> profile = Element()
    >>> profile.below("action").pattern = "R"
    >>> faults({"resourceType": "AuditEvent", "action": "C"}, profile)
    ["AuditEvent.action: is not, or does not hold, 'R'"]
    """
    return list(_Check(resource).value(resource, profile, resource["resourceType"]))


class _Check:
    def __init__(self, resource: Json) -> None:
        self._resource = resource

    def value(self, value: Any, element: Element, where: str) -> Iterator[str]:
        for fault in _of_value(value, element):
            yield f"{where}: {fault}"
        for key, expression in element.invariants:
            if not self._is_true(expression, value):
                yield f"{where}: breaks {key}, {expression}"
        if isinstance(value, dict):
            for name, child in element.children.items():
                yield from self._values(_values(value, name), child, f"{where}.{name}")

    def _values(self, values: Sequence[Any], element: Element, where: str) -> Iterator[str]:
        yield from _counted(len(values), element, where)
        for number, value in enumerate(values):
            yield from self.value(value, element, f"{where}[{number}]" if number else where)
        if element.slices:
            yield from self._slices(values, element, where)

    def _slices(self, values: Sequence[Any], element: Element, where: str) -> Iterator[str]:
        outside = list(values)
        for name, one in element.slices.items():
            of_slice = [value for value in values if _is_of(value, one, element.discriminators)]
            outside = [value for value in outside if value not in of_slice]
            yield from self._values(of_slice, one, f"{where}:{name}")
        if element.closed and outside:
            yield f"{where}: {len(outside)} outside every slice"

    def _is_true(self, expression: str, this: Any) -> bool:
        sides = _EQUALITY.fullmatch(expression)
        if sides is None:
            raise ValueError(f"The invariant {expression} is not checked.")
        one, other = (self._follow(side, this) for side in sides.groups())
        return one == other

    def _follow(self, path: str, this: Any) -> list[Any]:
        root, *steps = path.split(".")
        found = [self._resource if root == "%resource" else this]
        for step in steps:
            found = [part for value in found for part in _values(value, step)]
        return found


def _of_value(value: Any, element: Element) -> Iterator[str]:
    if element.pattern is not None and not _holds(value, element.pattern):
        yield f"is not, or does not hold, {element.pattern!r}"
    if element.fixed is not None and value != element.fixed:
        yield f"is not exactly {element.fixed!r}"
    if element.members is not None and not _is_member(value, element):
        yield "is outside its required binding"
    if element.targets and not _names_one_of(value, element):
        yield f"refers to something else than {', '.join(sorted(element.targets))}"


def _counted(number: int, element: Element, where: str) -> Iterator[str]:
    if number < element.least:
        yield f"{where}: {number} where at least {element.least} are wanted"
    if element.most is not None and number > element.most:
        yield f"{where}: {number} where at most {element.most} are allowed"


def _values(value: Any, name: str) -> list[Any]:
    """Return the values of a child: none, one, or a list's; an absent primitive says why."""
    if not isinstance(value, dict):
        return []
    found = value.get(name, value.get(f"_{name}"))
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _is_of(value: Any, one: Element, discriminators: Sequence[str]) -> bool:
    return all(_agrees(value, one, path) for path in discriminators)


def _agrees(value: Any, one: Element, path: str) -> bool:
    values = [value]
    for step in [] if path == "$this" else path.split("."):
        one = one.children.get(step, Element())
        values = [part for each in values for part in _values(each, step)]
    wanted = one.fixed if one.fixed is not None else one.pattern
    if wanted is not None:
        return any(_holds(each, wanted) for each in values)
    return one.members is not None and any(_is_member(each, one) for each in values)


def _holds(value: Any, wanted: Any) -> bool:
    """Tell whether a value holds a pattern: all of it, and maybe more."""
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            name in value and _holds(value[name], part) for name, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(
            any(_holds(each, part) for each in value) for part in wanted
        )
    return bool(value == wanted)


def _is_member(value: Any, element: Element) -> bool:
    members = element.members or frozenset()
    codings = value.get("coding", [value]) if isinstance(value, dict) else []
    return any(
        (one.get("system", ""), code) in members
        for one in codings
        for code in (one.get("code", ""), "")
    )


def _names_one_of(value: Any, element: Element) -> bool:
    reference = value.get("reference")
    if reference is None or reference.startswith("#"):
        return value.get("type", next(iter(element.targets))) in element.targets
    steps = reference.partition("/_history/")[0].split("/")
    return len(steps) > 1 and steps[-2] in element.targets
