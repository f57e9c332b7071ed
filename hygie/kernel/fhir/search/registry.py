"""Know every search parameter of every resource type (FHIR R4, searchparameter-registry.html).

The facts come from two tables beside this file, both written by
``scripts/build_search_parameters.py``: ``definitions/parameters.json`` repeats what search needs of
the official SearchParameters, ``definitions/numbers.csv`` gives each its permanent number and bit.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import msgspec

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search.branches import branches_of

Kind = Literal[
    "string", "token", "reference", "date", "number", "quantity", "uri", "composite", "special"
]

ANY_TYPE = "Resource"
"""The type under which parameters of all resource types are numbered (``_id``, ``_tag``...)."""


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One part of a composite parameter, read from the element the composite stands on."""

    code: str
    kind: Kind
    expression: str


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One search parameter of one resource type. There is one object for each: compare with ``is``.

    Attributes:
        code: the name in the URL.
        rt: the resource type it was asked for, even when it is a parameter of all types.
        kind: the type of search; ``special`` ones are answered by the store without extraction,
            but ``near`` whose positions are extracted.
        expression: its FHIRPath, whole; empty for those that read no element (``_text``, ``_has``).
        targets: the resource types a reference may point to.
        components: the parts of a composite, in order.
        number: permanent, 1 to 32,767; parameters of all types have one number for all types.
        bit: permanent place in the presence bitmap of its type, 0 to 62.
        implicit_systems: the code systems that a bare code of this parameter belongs to; a token
            search may name one of them and matches the code stored without system.
        aliases: other parameters of the type that read the same elements in the same way.
        url: the canonical address of the definition; empty for ``_has`` and ``_list``.
    """

    code: str
    rt: str
    kind: Kind
    expression: str
    number: int
    bit: int
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    implicit_systems: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    url: str = ""

    def __repr__(self) -> str:
        return f"<{self.rt}.{self.code} {self.kind}>"

    @property
    def mask(self) -> int:
        """Return the presence bitmap with only this parameter's bit."""
        return 1 << self.bit


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``parameters.json``: an official SearchParameter, or one the store answers."""

    code: str
    base: tuple[str, ...]
    kind: Kind
    expression: str = ""
    url: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[tuple[str, Kind, str], ...] = ()
    implicit: dict[str, tuple[str, ...]] = {}


@cache
def parameters(rt: str) -> Mapping[str, Parameter]:
    """Return the parameters of a resource type by code, those of all types included.

    >>> parameters("Patient")["birthdate"].kind
    'date'
    >>> parameters("Patient")["_tag"].number == parameters("Observation")["_tag"].number
    True
    """
    places = _places()
    found = {}
    for row in rows():
        bases = [base for base in row.base if base in (rt, ANY_TYPE, "DomainResource")]
        if bases and (bases[0] != "DomainResource" or rt not in _NOT_DOMAIN):
            owner = rt if bases[0] == rt else ANY_TYPE
            found[row.code] = _parameter(row, rt, places[owner, row.code])
    return MappingProxyType(_with_aliases(found))


def parameter(rt: str, code: str) -> Parameter:
    """Return one parameter of a resource type.

    Raises:
        InvalidRequest: the type has no such parameter.
    """
    found = parameters(rt).get(code)
    if found is None:
        raise InvalidRequest(
            f"{rt} has no search parameter {code!r}; the CapabilityStatement lists those it has."
        )
    return found


def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the parameters that place each resource type in a compartment, by resource type.

    FHIR R4, compartmentdefinition.html. A type of no such compartment is absent.

    >>> compartment("Patient")["Observation"]
    ('subject', 'performer')
    """
    return _compartments()[name]


@cache
def rows() -> tuple[Row, ...]:
    """Return the table of definitions, in the order of the official registry."""
    text = files(__package__).joinpath("definitions/parameters.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=list[Row]))


@cache
def _compartments() -> dict[str, dict[str, tuple[str, ...]]]:
    text = files(__package__).joinpath("definitions/compartments.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, tuple[str, ...]]])


_NOT_DOMAIN = frozenset({"Bundle", "Binary", "Parameters"})


@cache
def _places() -> Mapping[tuple[str, str], tuple[int, int]]:
    text = files(__package__).joinpath("definitions/numbers.csv").read_text("ascii")
    return {
        (line["type"], line["code"]): (int(line["number"]), int(line["bit"]))
        for line in csv.DictReader(text.splitlines())
    }


def _parameter(row: Row, rt: str, place: tuple[int, int]) -> Parameter:
    number, bit = place
    return Parameter(
        code=row.code,
        rt=rt,
        kind=row.kind,
        expression=row.expression,
        number=number,
        bit=bit,
        targets=row.targets,
        components=tuple(Component(*part) for part in row.components),
        implicit_systems=row.implicit.get(rt, ()),
        url=row.url,
    )


def _with_aliases(found: dict[str, Parameter]) -> dict[str, Parameter]:
    same: dict[object, list[str]] = {}
    for one in found.values():
        if one.expression:
            same.setdefault(_reads(one), []).append(one.code)
    return {
        code: replace(one, aliases=tuple(other for other in same[_reads(one)] if other != code))
        if one.expression
        else one
        for code, one in found.items()
    }


def _reads(one: Parameter) -> tuple[object, ...]:
    return (
        one.kind,
        branches_of(one.expression, one.rt),
        tuple(p.expression for p in one.components),
    )
