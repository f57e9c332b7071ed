"""Whole searches in memory: clauses, order, totals, includes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hygie.kernel.fhir.search.registry import Parameter, parameters
from hygie.testing.oracle.matching import BASE, compare_dates, fits, pieces, prefixed
from hygie.testing.oracle.paths import Json, evaluate
from hygie.testing.oracle.values import READERS, fold, span

Key = tuple[str, str]
"""Resource type and id."""
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Every match in its order, and what is included with all of them."""

    matches: list[Key]
    included: set[Key]


@dataclass(slots=True)
class Oracle:
    """The current resources, in the order they were first created."""

    resources: dict[Key, Json] = field(default_factory=dict)
    updated: dict[Key, datetime] = field(default_factory=dict)
    order: list[Key] = field(default_factory=list)

    def put(self, resource: Json, at: datetime) -> None:
        """Store the current version of a resource."""
        key = (resource["resourceType"], resource["id"])
        if key not in self.order:
            self.order.append(key)
        self.resources[key] = resource
        self.updated[key] = at

    def delete(self, key: Key) -> None:
        """Forget a resource; its place in the order is kept for when it comes back."""
        del self.resources[key]

    def search(self, rt: str, pairs: Pairs, *, now: datetime) -> Answer:
        """Return what a search must answer."""
        clauses = [pair for pair in pairs if pair[0].partition(":")[0] not in _INSTRUCTIONS]
        matches = [
            key
            for key in self.order
            if key in self.resources
            and key[0] == rt
            and all(self._answers(key, name, value, now) for name, value in clauses)
        ]
        keys = [part for name, value in pairs if name == "_sort" for part in value.split(",")]
        for sort in reversed(keys):
            matches = self._sorted(matches, sort)
        included: set[Key] = set()
        for name, value in pairs:
            if name == "_include":
                included |= self._include(matches, value)
            elif name == "_revinclude":
                included |= self._revinclude(matches, value)
        return Answer(matches, included - set(matches))

    def _answers(self, key: Key, name: str, value: str, now: datetime) -> bool:
        code, _, modifier = name.partition(":")
        values = pieces(value, ",")
        if code == "_id":
            return key[1] in values
        if code == "_lastUpdated":
            return any(self._changed(key, one) for one in values)
        parameter = parameters(key[0])[code]
        plain = None if modifier in ("", "not") else modifier
        resource = self.resources[key]
        found = any(fits(parameter, plain, one, resource=resource, now=now) for one in values)
        return found != (modifier == "not")

    def _changed(self, key: Key, value: str) -> bool:
        prefix, rest = prefixed(value)
        at = self.updated[key]
        return compare_dates(prefix, span(rest), (at, at + timedelta(milliseconds=1)))

    def _sorted(self, matches: list[Key], sort: str) -> list[Key]:
        code, down = sort.removeprefix("-"), sort.startswith("-")
        values = {key: self._sort_value(key, code, down=down) for key in matches}
        known = [key for key in matches if values[key] is not None]
        known.sort(key=lambda key: values[key], reverse=down)
        return [*known, *(key for key in matches if values[key] is None)]

    def _sort_value(self, key: Key, code: str, *, down: bool) -> Any:
        if code == "_id":
            return key[1]
        if code == "_lastUpdated":
            return self.updated[key]
        parameter = parameters(key[0])[code]
        found = values_of(parameter, self.resources[key])
        if parameter.kind == "string":
            found = [fold(text) for text in found]
        elif parameter.kind == "date":
            found = [high if down else low for low, high in found]
        elif parameter.kind == "quantity":
            found = [each[0] for each in found]
        return (max if down else min)(found, default=None)

    def _include(self, matches: list[Key], value: str) -> set[Key]:
        _, code, *target = value.split(":")
        found = {
            key
            for match in matches
            for key in local_targets(parameters(match[0])[code], self.resources[match])
            if not target or key[0] == target[0]
        }
        return found & self.resources.keys()

    def _revinclude(self, matches: list[Key], value: str) -> set[Key]:
        source, code, *_ = value.split(":")
        return {
            key
            for key, resource in self.resources.items()
            if key[0] == source and local_targets(parameters(source)[code], resource) & {*matches}
        }


def values_of(parameter: Parameter, resource: Json) -> list[Any]:
    """Return the search values of a parameter that is no composite."""
    nodes = evaluate(parameter.expression, resource)
    return [value for node in nodes for value in READERS[parameter.kind](node)]


def local_targets(parameter: Parameter, resource: Json) -> set[Key]:
    """Return the resources of this server that a reference parameter points to."""
    found = set()
    for text in values_of(parameter, resource):
        local = text.removeprefix(f"{BASE}/").partition("/_history/")[0].split("/")
        if len(local) == 2 and local[0][:1].isupper():  # noqa: PLR2004 - type and id
            found.add((local[0], local[1]))
    return found


_INSTRUCTIONS = {"_sort", "_count", "_total", "_summary", "_include", "_revinclude"}
