"""Profiles as trees of constraints, read from differential StructureDefinitions.

A profile is laid over the profiles it derives from; what the base resource says is the affair of
:mod:`hygie.kernel.fhir.validate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Codings = frozenset[tuple[str, str]]
"""System and code of each member of a value set; an empty code stands for all of a system."""

BASE = "http://hl7.org/fhir/StructureDefinition/"
KNOWN = frozenset(
    {"id", "path", "sliceName", "min", "max", "slicing", "type", "binding", "constraint",
     "mustSupport", "short", "comment", "definition", "requirements", "alias", "mapping"}
)  # fmt: skip
"""What an element may say besides its pattern; the last ones bind nobody who writes."""


@dataclass(slots=True)
class Element:
    """What one element, or one slice of it, must be.

    Attributes:
        least: fewest values.
        most: most values; None for no bound.
        pattern: what each value holds at least; None where there is none.
        fixed: what each value is, exactly; None where there is none.
        members: the codings of a required binding; None where there is none.
        targets: the resource types that a reference may name; empty for any.
        invariants: key and expression.
        discriminators: paths that tell the slices apart, from the value.
        closed: whether a value outside every slice is a fault.
        children: by name of the element.
        slices: by name of the slice.
    """

    least: int = 0
    most: int | None = None
    pattern: Any = None
    fixed: Any = None
    members: Codings | None = None
    targets: frozenset[str] = frozenset()
    invariants: tuple[tuple[str, str], ...] = ()
    discriminators: tuple[str, ...] = ()
    closed: bool = False
    children: dict[str, Element] = field(default_factory=dict)
    slices: dict[str, Element] = field(default_factory=dict)

    def below(self, path: str) -> Element:
        """Return the element of a path such as ``entity:patient.what``, made where it was not."""
        found = self
        for step in path.split(".") if path else ():
            name, _, slice_name = step.partition(":")
            found = found.children.setdefault(name, Element())
            if slice_name:
                found = found.slices.setdefault(slice_name, Element())
        return found


@dataclass(frozen=True, slots=True)
class Profiles:
    """The profiles and value sets of a folder, by canonical URL."""

    profiles: Mapping[str, Json]
    members: Mapping[str, Codings]

    @classmethod
    def read(cls, folder: Path) -> Profiles:
        """Read every StructureDefinition, ValueSet and CodeSystem of a folder."""
        found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
        return cls(
            {one["url"]: one for one in found if one["resourceType"] == "StructureDefinition"},
            {
                one["url"]: frozenset(_members(one))
                for one in found
                if one["resourceType"] == "ValueSet"
            },
        )

    def tree(self, url: str) -> Element:
        """Return the constraints of a profile and of those it derives from.

        Raises:
            KeyError: the profile, one it derives from or a value set is not in the folder.
            ValueError: the profile says what :mod:`hygie.testing.profiles.check` cannot check.
        """
        definition = self.profiles[url]
        base = definition["baseDefinition"]
        tree = Element() if base.startswith(BASE) else self.tree(base)
        for given in definition["differential"]["element"]:
            self._apply(tree.below(given["id"].partition(".")[2]), given)
        return tree

    def _apply(self, element: Element, given: Json) -> None:
        for name, value in given.items():
            if name.startswith("pattern"):
                element.pattern = value
            elif name.startswith("fixed"):
                element.fixed = value
            elif name not in KNOWN:
                raise ValueError(f"{given['id']} says {name}, which is not checked.")
        element.least = max(element.least, given.get("min", 0))
        if given.get("max", "*") != "*":
            element.most = int(given["max"])
        binding = given.get("binding", {})
        if binding.get("strength") == "required":
            element.members = self.members[binding["valueSet"]]
        targets = [url for one in given.get("type", ()) for url in one.get("targetProfile", ())]
        element.targets = frozenset(url.removeprefix(BASE) for url in targets) or element.targets
        element.invariants += tuple(
            (one["key"], one["expression"])
            for one in given.get("constraint", ())
            if one["severity"] == "error"
        )
        if "slicing" in given:
            _slice(element, given["slicing"], given["id"])


def _slice(element: Element, slicing: Json, where: str) -> None:
    for one in slicing["discriminator"]:
        if one["type"] not in ("value", "pattern"):
            raise ValueError(f"{where} is sliced by {one['type']}, which is not checked.")
    element.discriminators = tuple(one["path"] for one in slicing["discriminator"])
    element.closed = slicing["rules"] == "closed"


def _members(value_set: Json) -> Iterator[tuple[str, str]]:
    for one in value_set["compose"]["include"]:
        for concept in one.get("concept", [{"code": ""}]):
            yield one["system"], concept["code"]
