"""Read in a transaction which former versions its author says are to be removed from access.

FHIR has a word for it: a Provenance whose ``entity`` has the role ``removal`` ("the entity that is
removed from accessibility", R4, valueset-provenance-entity-role.html). Where a transaction replaces
a resource and brings a Provenance that removes a version of it, the former versions are withdrawn
(``withdrawing``). Who may replace a resource may delete it, which withdraws as much: this opens
nothing to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from hygie.kernel.fhir.search.references import localise, parse_ref
from hygie.kernel.store.bundles import Part

REMOVAL = "removal"


class _What(msgspec.Struct):
    reference: str = ""


class _Entity(msgspec.Struct):
    role: str = ""
    what: _What = msgspec.field(default_factory=_What)


class _Provenance(msgspec.Struct):
    entity: list[_Entity] = msgspec.field(default_factory=list)


_provenance = msgspec.json.Decoder(_Provenance)


def with_removals(parts: tuple[Part, ...], *, base: str) -> tuple[Part, ...]:
    """Return the entries of a transaction, marked where they replace what is to be removed."""
    removed = {
        place for part in parts if part.rt == "Provenance" for place in _removed(part, base=base)
    }
    return tuple(
        replace(part, withdraws=True)
        if part.verb == "PUT" and (part.rt, part.rid) in removed
        else part
        for part in parts
    )


def _removed(part: Part, *, base: str) -> Iterator[tuple[str | None, str | None]]:
    if part.raw is None:
        return
    try:
        entities = _provenance.decode(part.raw).entity
    except msgspec.DecodeError:
        # What is wrong with it is told where it is written.
        return
    for one in entities:
        ref = parse_ref(one.what.reference) if one.role == REMOVAL else None
        local = localise(ref, base=base) if ref is not None else None
        if local is not None and local.url is None and local.version is not None:
            yield local.type, local.id
