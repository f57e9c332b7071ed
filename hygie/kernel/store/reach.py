"""Which resources belong to which, so that the labels of one reach the other.

A secret visit must not show through the appointment that led to it, the results it ordered or the
reimbursement that follows. ``definitions/label_reach.csv`` lists the references along which labels
go: a resource *takes* from what it refers to (an Observation from its Encounter), or *gives* to it
(a DiagnosticReport to its results). A reference is named by its search parameter, or by its element
where R4 has no parameter for it. What only cites another is left out: a problem list that a masked
document repeats stays readable.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from msgspec import UNSET

from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.references import Ref, localise, parse_ref
from hygie.kernel.fhir.search.registry import parameters
from hygie.kernel.security.labels import Label
from hygie.kernel.store import tokens
from hygie.kernel.store.columns import stored_name
from hygie.kernel.store.facts import PartyRef

REACHING = (
    Label.VERY_RESTRICTED
    | Label.MASKED_FROM_PROFESSIONALS
    | Label.HIDDEN_FROM_PATIENT
    | Label.HIDDEN_FROM_REPRESENTATIVES
)
"""The labels that reach what belongs to a resource."""


@dataclass(frozen=True, slots=True)
class Link:
    """A kind of reference along which labels go.

    Attributes:
        rt: type that holds the reference.
        name: what its tokens are hashed with.
        element: the element, where the reference has no search parameter.
        targets: types it may point to; empty for any.
        gives: True where the referring resource gives its labels, False where it takes.
        uri: True where it is written as an address and not as a Reference.
    """

    rt: str
    name: str
    element: str
    targets: frozenset[str]
    gives: bool
    uri: bool

    def token(self, rt: str, rid: str) -> int:
        """Return the token by which a resource that points to ``rt``/``rid`` is found."""
        if self.uri:
            return tokens.url_token(self.name, f"{rt}/{rid}")
        return tokens.reference_token(self.name, rt, rid)

    def may_name(self, rt: str) -> bool:
        """Tell whether it may point to a type."""
        return not self.targets or rt in self.targets


@cache
def links() -> tuple[Link, ...]:
    """Return every kind of reference along which labels go."""
    text = files(__package__).joinpath("definitions/label_reach.csv").read_text("utf-8")
    return tuple(_link(row) for row in csv.DictReader(text.splitlines()))


def _link(row: dict[str, str]) -> Link:
    rt, gives = row["type"], row["direction"] == "gives"
    if row["element"]:
        name, element = f"{rt}.{row['element']}", row["element"]
        return Link(rt, name, element, frozenset(), gives, uri=False)
    one = parameters(rt)[row["parameter"]]
    uri = one.kind == "uri"
    targets = frozenset({"Binary"} if uri else one.targets)
    # A parameter that may point anywhere lists every type.
    return Link(rt, stored_name(rt, one.code), "", targets, gives, uri)


@cache
def taken_by(rt: str) -> tuple[Link, ...]:
    """Return the references to a type whose holders take from it."""
    return tuple(one for one in links() if not one.gives and one.may_name(rt))


@cache
def given_to(rt: str) -> tuple[Link, ...]:
    """Return the references to a type whose holders give to it."""
    return tuple(one for one in links() if one.gives and one.may_name(rt))


@cache
def gifts_of(rt: str) -> tuple[Link, ...]:
    """Return the references by which a type gives."""
    return tuple(one for one in links() if one.gives and one.rt == rt)


@cache
def is_concerned(rt: str) -> bool:
    """Tell whether labels of others can reach a type."""
    return any(one.rt == rt for one in links() if not one.gives) or bool(given_to(rt))


@cache
def _taking(rt: str) -> frozenset[str]:
    return frozenset(one.name for one in links() if not one.gives and one.rt == rt)


def reaching(label: int) -> int:
    """Return the bits of a label that reach others."""
    return label & int(REACHING)


def givers(rt: str, found: Extracted) -> list[PartyRef]:
    """Return the resources of this server that a resource takes labels from, each once."""
    names = _taking(rt)
    if not names:
        return []
    named = [
        (ref.type, ref.id)
        for one, ref in found.references
        if ref.type and ref.id and ref.url is None and stored_name(rt, one.code) in names
    ]
    return list(dict.fromkeys(named))


def receivers(rt: str, found: Extracted) -> list[tuple[str, PartyRef]]:
    """Return the resources of this server that a resource gives labels to, by name of the link."""
    names = {link.name for link in gifts_of(rt)}
    named = [
        (stored_name(rt, one.code), (ref.type, ref.id))
        for one, ref in (found.references if names else ())
        if ref.type and ref.id and ref.url is None
    ]
    return list(dict.fromkeys(one for one in named if one[0] in names))


def unsearched(rt: str, resource: Any, *, base: str) -> Iterator[tuple[str, PartyRef]]:
    """Yield the references of elements without a search parameter, with the name they hash with."""
    for link in links():
        if link.rt != rt or not link.element:
            continue
        for one in _every(getattr(resource, link.element)):
            ref = _local(one.reference, base)
            if ref is not None and ref.type and ref.id:
                yield link.name, (ref.type, ref.id)


def local_addresses(rt: str, found: Extracted, *, base: str) -> list[int]:
    """Return the tokens of addresses that name a resource of this server by its full address."""
    names = {link.name for link in gifts_of(rt) if link.uri}
    named = [(stored_name(rt, one.code), uri) for one, uri in found.uris] if names else []
    return [
        tokens.url_token(name, f"{ref.type}/{ref.id}")
        for name, uri in named
        if name in names
        for ref in [_local(uri, base)]
        if ref is not None
    ]


def _every(value: Any) -> Iterable[Any]:
    if value is UNSET or value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _local(text: Any, base: str) -> Ref | None:
    if not isinstance(text, str):
        return None
    ref = parse_ref(text)
    if ref is None:
        return None
    local = localise(ref, base=base)
    return None if local.url is not None else local
