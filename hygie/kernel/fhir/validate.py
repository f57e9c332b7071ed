"""Read one FHIR R4 resource: scan, decode and check in one pass over the bytes.

Which status a refusal has:

- 400 (:class:`Malformed`): the parser cannot accept the text. It is not strict JSON, it holds an
  unknown element or resource type, an empty array, object or string, a null, a JSON value of the
  wrong kind, or a text that is no value of its datatype (``2023-02-30`` is not a date).
- 422 (:class:`Unprocessable`): the text can be read and breaks a rule of FHIR. A required
  element is missing, a code is outside its required binding, two variants of a choice element
  are given, a reference names a type that its element does not allow, a contained resource
  contains another, a narrative holds active content.

Each refusal has one issue, the first fault met, whose ``expression`` leads to the element. No
sentence repeats a value from the resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from hygie.kernel.errors import HygieError, Issue, Malformed, Unprocessable
from hygie.kernel.fhir.names import RESOURCE_TYPES, unknown_type
from hygie.kernel.fhir.refusals import below, located, refusal
from hygie.kernel.fhir.scan import MAX_BYTES, confirm, scan
from hygie.kernel.fhir.structs import decoder

UNSET = msgspec.UNSET
_leading_type = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Za-z]{1,64})"').match


class Parsed(msgspec.Struct, frozen=True):
    """A valid resource: its typed form for rules and search, its bytes for the store."""

    resource_type: str
    resource: Any
    raw: bytes


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - the JSON name


def parse(
    raw: bytes, *, expect: str | None = None, nested: bool = True, max_bytes: int = MAX_BYTES
) -> Parsed:
    """Return the resource in ``raw``, or refuse it.

    ``expect`` is the resource type that the address names. With ``nested=False`` the resources
    in Bundle entries and Parameters are only looked at far enough to know that they are
    resources; their owner parses each.

    >>> parse(b'{"resourceType": "Patient", "birthDate": "1956-05-27"}').resource.birthDate
    '1956-05-27'

    Raises:
        Malformed: see the module's text.
        Unprocessable: same.
        TooLarge: the text is longer than ``max_bytes``.
    """
    try:
        scan(raw, max_bytes=max_bytes)
        resource_type = type_of(raw)
    except Malformed as error:
        raise located(error, _guess(raw)) from error
    if expect is not None and resource_type != expect:
        sentence = f"The address names the type {expect}, the body another; correct one."
        raise Malformed(sentence, expression=resource_type)
    return Parsed(resource_type, _read(raw, resource_type, nested=nested), raw)


def _guess(raw: bytes) -> str | None:
    found = _leading_type(raw[:200])
    return found[1].decode() if found else None


def type_of(raw: bytes) -> str:
    """Return the ``resourceType`` of a JSON object without decoding the rest.

    Raises:
        Malformed: it is not an object, or names no resource type of R4.
    """
    found = _leading_type(raw)
    if found is not None:
        name = found[1].decode()
    else:
        try:
            name = msgspec.json.decode(raw, type=_Head).resourceType
        except msgspec.ValidationError as error:
            sentence = "The body must be a JSON object with a resourceType."
            raise Malformed(sentence, expression="$") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise refusal(error, None) from error
    if name not in RESOURCE_TYPES:
        raise unknown_type()
    return name


def _read(raw: bytes, resource_type: str, *, nested: bool, contained: bool = False) -> Any:
    """Decode and check; the place where FHIRPath invariants join is after the inner resources."""
    try:
        resource = decoder(resource_type).decode(raw)
        confirm(raw, resource)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refusal(error, resource_type) from error
    except Malformed as error:
        raise located(error, resource_type) from error
    for place, inner in _inner(resource):
        _read_inner(inner, place, nested=nested, contained=contained)
    return resource


def _inner(resource: Any) -> Iterator[tuple[str, msgspec.Raw]]:
    """Return the resources inside another, each with its FHIRPath."""
    name = type(resource).__name__
    for place, raw in enumerate(_list(resource, "contained")):
        yield f"{name}.contained[{place}]", raw
    if name == "Bundle":
        for place, entry in enumerate(_list(resource, "entry")):
            if entry.resource is not UNSET:
                yield f"Bundle.entry[{place}].resource", entry.resource
            if entry.response is not UNSET and entry.response.outcome is not UNSET:
                yield f"Bundle.entry[{place}].response.outcome", entry.response.outcome
    elif name == "Parameters":
        yield from _in_parameters(_list(resource, "parameter"), "Parameters.parameter")


def _in_parameters(parameters: list[Any], stem: str) -> Iterator[tuple[str, msgspec.Raw]]:
    for place, parameter in enumerate(parameters):
        if parameter.resource is not UNSET:
            yield f"{stem}[{place}].resource", parameter.resource
        yield from _in_parameters(_list(parameter, "part"), f"{stem}[{place}].part")


def _list(owner: Any, attribute: str) -> list[Any]:
    found = getattr(owner, attribute, UNSET)
    return [] if found is UNSET else found


def _read_inner(raw: msgspec.Raw, place: str, *, nested: bool, contained: bool) -> None:
    is_contained = ".contained[" in place
    if is_contained and contained:
        sentence = "A contained resource cannot contain another; put both in the outer resource."
        raise Unprocessable(sentence, issues=[Issue("invariant", sentence, place)])
    text = bytes(raw)
    try:
        name = type_of(text)
        if nested or is_contained:
            _read(text, name, nested=nested, contained=is_contained)
    except HygieError as error:
        raise below(error, place) from error
