"""Enumerate value sets whose codes are wholly known from the definitions themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Codes = dict[tuple[str, str], None]
"""Ordered set of (system, code)."""


class NotEnumerable(Exception):
    """The codes are defined elsewhere (MIME types, UCUM, languages...)."""


class ValueSets:
    """Value sets and code systems by canonical address."""

    def __init__(self, resources: list[Json]) -> None:
        self._sets = {r["url"]: r for r in resources if r["resourceType"] == "ValueSet"}
        self._systems = {r["url"]: r for r in resources if r["resourceType"] == "CodeSystem"}

    def codes(self, canonical: str) -> Codes:
        """Return every (system, code) of a value set, in definition order.

        Raises:
            NotEnumerable: some codes are not in the definitions.
        """
        url = canonical.partition("|")[0]
        compose = self._sets.get(url, {}).get("compose")
        if compose is None:
            raise NotEnumerable(url)
        found: Codes = {}
        for part in compose["include"]:
            found.update(self._part(part))
        for part in compose.get("exclude", ()):
            for key in self._part(part):
                found.pop(key, None)
        return found

    def _part(self, part: Json) -> Codes:
        if "system" not in part:
            imported = [self.codes(url) for url in part["valueSet"]]
            return {key: None for key in imported[0] if all(key in other for other in imported)}
        system = part["system"]
        if "concept" in part:
            return {(system, concept["code"]): None for concept in part["concept"]}
        definition = self._systems.get(system)
        if definition is None or definition["content"] != "complete":
            raise NotEnumerable(system)
        roots = definition.get("concept", [])
        for condition in part.get("filter", ()):
            roots = _select(roots, condition)
        return {(system, code): None for code in _walk(roots)}


def _select(concepts: list[Json], condition: Json) -> list[Json]:
    """Apply an ``is-a`` filter; any other needs a terminology service."""
    if condition["op"] != "is-a" or condition["property"] != "concept":
        raise NotEnumerable(condition["op"])
    for concept in concepts:
        if concept["code"] == condition["value"]:
            return [concept]
        below = _select(concept.get("concept", []), condition)
        if below:
            return below
    return []


def _walk(concepts: list[Json]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _walk(concept.get("concept", []))
