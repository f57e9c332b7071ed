"""Write the values of one element into an Extracted, for all the parameters that stand on it.

The common elements have an emitter of their own because a write runs them for each resource; the
others share one built on ``readers``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from msgspec import UNSET

from hygie.kernel.fhir.search.extracted import Extracted
from hygie.kernel.fhir.search.readers import Reader, identifier, inline_resource, reader
from hygie.kernel.fhir.search.references import Ref, parse_ref
from hygie.kernel.fhir.search.registry import Kind, Parameter

Emit = Callable[[Extracted, Any], None]

Wanted = tuple[Parameter, str | None]
"""A parameter, and the resource type its references must point to, or None for any."""

_LISTS = {
    "token": "tokens",
    "reference": "references",
    "string": "strings",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "uri": "uris",
    "special": "positions",
}


def emitter(kind: Kind, fhir_type: str, wanted: tuple[Wanted, ...], zone: tzinfo) -> Emit | None:
    """Return what writes an element of a type, or None when the kind of search skips the type."""
    if (kind, fhir_type) == ("reference", "Reference"):
        return _reference(wanted)
    if (kind, fhir_type) == ("reference", "Resource"):
        return _inline(tuple(parameter for parameter, _ in wanted))
    some = tuple(parameter for parameter, _ in wanted)
    own = _OWN.get((kind, fhir_type))
    if own is not None:
        return own(some)
    read = reader(kind, fhir_type, zone)
    return None if read is None else _plain(read, some, into=_LISTS[kind])


def mask_of(some: tuple[Parameter, ...]) -> int:
    """Return the presence bitmap of several parameters."""
    mask = 0
    for parameter in some:
        mask |= parameter.mask
    return mask


def _plain(read: Reader, some: tuple[Parameter, ...], *, into: str) -> Emit:
    mask = mask_of(some)

    def emit(out: Extracted, value: Any) -> None:
        out.present |= mask
        target = getattr(out, into)
        for entry in read(value):
            for parameter in some:
                target.append((parameter, *entry))

    return emit


def _codeable_concept(some: tuple[Parameter, ...]) -> Emit:
    mask = mask_of(some)
    coded = _coding(some)

    def emit(out: Extracted, value: Any) -> None:
        out.present |= mask
        if value.coding is not UNSET:
            for one in value.coding:
                coded(out, one)

    return emit


def _coding(some: tuple[Parameter, ...]) -> Emit:
    mask = mask_of(some)

    def emit(out: Extracted, value: Any) -> None:
        out.present |= mask
        system, code = value.system, value.code
        system = None if system is UNSET else system
        if code is not UNSET or system is not None:
            code = None if code is UNSET else code
            for parameter in some:
                out.tokens.append((parameter, system, code))

    return emit


def _identifier(some: tuple[Parameter, ...]) -> Emit:
    mask = mask_of(some)

    def emit(out: Extracted, value: Any) -> None:
        out.present |= mask
        for entry in identifier(value):
            for parameter in some:
                out.tokens.append((parameter, *entry))
        if value.type is not UNSET:
            _identifier_type(out, value, some)

    return emit


def _identifier_type(out: Extracted, value: Any, some: tuple[Parameter, ...]) -> None:
    kind = value.type
    if kind.coding is UNSET or value.value is UNSET:
        return
    for one in kind.coding:
        if one.code is not UNSET:
            system = None if one.system is UNSET else one.system
            out.typed_identifiers.extend(
                (parameter, system, one.code, value.value) for parameter in some
            )


def _reference(wanted: tuple[Wanted, ...]) -> Emit:
    def emit(out: Extracted, value: Any) -> None:
        literal = value.reference
        ref = None if literal is UNSET else parse_ref(literal)
        kind = _target_type(ref, value)
        for parameter, target in wanted:
            if target is not None and target != kind:
                continue
            out.present |= 1 << parameter.bit
            if ref is not None:
                out.references.append((parameter, ref))
            if value.identifier is not UNSET:
                out.reference_identifiers.extend(
                    (parameter, system, text)
                    for system, text in identifier(value.identifier)
                    if text is not None
                )

    return emit


def _inline(some: tuple[Parameter, ...]) -> Emit:
    """Write a resource held inside another for the parameters that may point to its type."""

    def emit(out: Extracted, value: Any) -> None:
        for (ref,) in inline_resource(value):
            for parameter in some:
                if ref.type in parameter.targets:
                    out.present |= parameter.mask
                    out.references.append((parameter, ref))

    return emit


def _target_type(ref: Ref | None, value: Any) -> str | None:
    """Return the type a reference points to: what it is written as, else what it declares."""
    if ref is not None and ref.type is not None:
        return ref.type
    declared = value.type
    return None if declared is UNSET else str(declared)


_OWN: dict[tuple[str, str], Callable[[tuple[Parameter, ...]], Emit]] = {
    ("token", "CodeableConcept"): _codeable_concept,
    ("token", "Coding"): _coding,
    ("token", "Identifier"): _identifier,
}
