"""Primitive types of R4 and the checks that the generated Structs call.

The lexical rules are those of the FHIR R4 page datatypes.html. A check raises :class:`Fault`;
msgspec adds the path and ``validate`` turns both into an OperationOutcome.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import zip_longest
from typing import Annotated, Any, NoReturn, TypeVar

from msgspec import UNSET, Meta

from hygie.kernel.fhir.names import RESOURCE_TYPES

T = TypeVar("T")
Some = Annotated[list[T], Meta(min_length=1)]
"""A JSON array; FHIR forbids empty ones."""

MOST_CHARACTERS = 1_048_576
"""The longest string or markdown (FHIR R4, datatypes.html#string)."""

String = Annotated[str, Meta(min_length=1, max_length=MOST_CHARACTERS)]
Date = DateTime = Instant = Time = String
Base64 = Xhtml = Annotated[str, Meta(min_length=1)]
Code = Annotated[str, Meta(pattern=r"^\S+(?:\s\S+)*\Z")]
Uri = Annotated[str, Meta(pattern=r"^\S+\Z")]
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")]
Oid = Annotated[str, Meta(pattern=r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+\Z")]
Uuid = Annotated[str, Meta(pattern=r"^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Integer = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
UnsignedInt = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PositiveInt = Annotated[int, Meta(ge=1, le=2**31 - 1)]

Concepts = frozenset[tuple[str, str]]
Texts = Sequence[str | None]

_DAY = r"(?!0000)[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_is_date = re.compile(rf"{_DAY})?)?", re.ASCII).fullmatch
_is_date_time = re.compile(rf"{_DAY}(?:T{_CLOCK}{_ZONE})?)?)?", re.ASCII).fullmatch
_is_instant = re.compile(
    rf"(?!0000)[0-9]{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T{_CLOCK}{_ZONE}", re.ASCII
).fullmatch
_is_time = re.compile(_CLOCK, re.ASCII).fullmatch
_rest_type = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?$|^([A-Z][A-Za-z]+)\?"
).search

_DAY_LENGTH = len("2024-02-29")
DECIMAL_DIGITS = 64
DECIMAL_EXPONENT = 300
_LARGEST = Decimal(10) ** DECIMAL_EXPONENT


class Fault(ValueError):
    """A rule that one element breaks. ``element`` is relative to the object being checked.

    ``readable`` is False when the text is not a value of its type at all (400), True when it is
    one that a rule of FHIR refuses (422).
    """

    def __init__(self, code: str, element: str, sentence: str, *, readable: bool = True) -> None:
        super().__init__(sentence)
        self.code = code
        self.element = element
        self.readable = readable


def missing(element: str) -> NoReturn:
    """Refuse the absence of a required element."""
    raise Fault("required", element, f"The element {element} is required; give it.")


def one_of(owner: Any, element: str, variants: Sequence[str], *, required: bool) -> None:
    """Check that at most one variant of a choice element is given, or exactly one."""
    given = [v for v in variants if _has(owner, v) or _has(owner, f"{v.rstrip('_')}_ext")]
    if len(given) > 1:
        raise Fault("structure", element, f"Give only one of {', '.join(given)}.")
    if required and not given:
        missing(element)


def _has(owner: Any, attribute: str) -> bool:
    return getattr(owner, attribute, UNSET) is not UNSET


def span(struct: type, first: str, last: str) -> slice:
    """Return the place of neighbouring fields in the tuple form of a Struct."""
    fields: tuple[str, ...] = struct.__struct_fields__  # type: ignore[attr-defined]
    return slice(fields.index(first), fields.index(last) + 1)


def paired(values: Any, extensions: Any, element: str) -> None:
    """Check an array of primitives beside the array of their extensions (json.html#primitive)."""
    left: list[Any] = [] if values is UNSET else values
    right: list[Any] = [] if extensions is UNSET else extensions
    if left and right and len(left) != len(right):
        sentence = f"{element} and _{element} must be arrays of the same length."
        raise Fault("structure", element, sentence, readable=False)
    holes = any(a is None and b is None for a, b in zip_longest(left, right))
    if holes:
        sentence = f"{element} holds a null without an extension beside it; remove the null."
        raise Fault("structure", element, sentence, readable=False)


@lru_cache(maxsize=1 << 16)
def _in_calendar(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def check_date(text: str, element: str) -> None:
    """Check a ``date``: YYYY, YYYY-MM or YYYY-MM-DD, in the calendar."""
    if not _is_date(text) or (len(text) == _DAY_LENGTH and not _in_calendar(text)):
        _unreadable(element, "a date such as 2024, 2024-02 or 2024-02-29")


def check_date_time(text: str, element: str) -> None:
    """Check a ``dateTime``: a date, or a date and time with seconds and zone."""
    if not _is_date_time(text) or (len(text) >= _DAY_LENGTH and not _in_calendar(text[:10])):
        _unreadable(element, "a dateTime such as 2024-02-29 or 2024-02-29T10:30:00+01:00")


def check_instant(text: str, element: str) -> None:
    """Check an ``instant``: a date and time with seconds and zone."""
    if not _is_instant(text) or not _in_calendar(text[:10]):
        _unreadable(element, "an instant such as 2024-02-29T10:30:00.000+01:00")


def check_time(text: str, element: str) -> None:
    """Check a ``time``: hh:mm:ss without zone."""
    if not _is_time(text):
        _unreadable(element, "a time such as 10:30:00")


def check_decimal(number: Decimal, element: str) -> None:
    """Check that a ``decimal`` has at most 64 digits and a power of ten within 300."""
    _, digits, exponent = number.as_tuple()
    small = isinstance(exponent, int) and exponent >= -DECIMAL_EXPONENT
    if not small or len(digits) > DECIMAL_DIGITS or not -_LARGEST < number < _LARGEST:
        _unreadable(element, f"a decimal of at most {DECIMAL_DIGITS} digits, below 1E300")


def check_base64_binary(text: str, element: str) -> None:
    """Check ``base64Binary``; white space is allowed in it."""
    compact = "".join(text.split()) if not text.isalnum() else text
    try:
        binascii.a2b_base64(compact, strict_mode=True)
    except ValueError:
        _unreadable(element, "base64 text with its padding")


def _unreadable(element: str, wanted: str) -> NoReturn:
    raise Fault("value", element, f"The element {element} must be {wanted}.", readable=False)


_html_start = re.compile(
    r"""\s*<div\b[^<>]*\bxmlns\s*=\s*(["'])http://www\.w3\.org/1999/xhtml\1[^<>]*>"""
).match
_html_danger = re.compile(
    r"</?(?:script|style|iframe|frame|frameset|object|embed|applet|form|input|button|base|link"
    r"|meta|svg|math)\b|<!(?!--)|<\?|<[^<>]*\bon[a-z]+\s*=|<[^<>]*\b(?:java|vb)script\s*:",
    re.IGNORECASE,
).search


def check_xhtml(text: str, element: str) -> None:
    """Check a narrative: one ``div`` of XHTML without active content (narrative.html).

    This refuses what is plainly wrong; pages still clean what they show.
    """
    if not _html_start(text) or not text.rstrip().endswith(("</div>", "/>")):
        sentence = f'{element} must be one <div xmlns="http://www.w3.org/1999/xhtml">...</div>.'
        raise Fault("value", element, sentence, readable=False)
    if _html_danger(text):
        raise Fault("invariant", element, f"{element} holds active content; remove it.")


def check_reference(reference: Any, allowed: frozenset[str], element: str) -> None:
    """Check that a Reference names a type among ``allowed``, when it names one at all."""
    text = reference.reference
    if text is not UNSET:
        if text.partition("/")[0] in allowed or text.startswith(("#", "urn:")):
            return
        named = _type_named(text)
    else:
        named = None
    if named is None and reference.type is not UNSET and reference.type in RESOURCE_TYPES:
        named = reference.type
    if named is not None and named not in allowed:
        wanted = ", ".join(sorted(allowed))
        raise Fault("value", element, f"{element} must refer to one of: {wanted}.")


def _type_named(text: str) -> str | None:
    """Return the resource type in a RESTful or conditional reference, else None."""
    found = _rest_type(text)
    if found is None:
        return None
    name = str(found[1] or found[2])
    return name if name in RESOURCE_TYPES or "://" not in text else None


def check_codeable_concept(concept: Any, allowed: Concepts, element: str) -> None:
    """Check a required binding: one coding at least is of the value set."""
    codings = () if concept.coding is UNSET else concept.coding
    if any((coding.system, coding.code) in allowed for coding in codings):
        return
    if codings or concept.extension is UNSET:
        systems = ", ".join(sorted({system for system, _ in allowed}))
        sentence = f"{element} needs a code of its required value set, from {systems}."
        raise Fault("code-invalid", element, sentence)


def _each(check: Callable[..., None]) -> Callable[..., None]:
    """Return the check of an array from the check of one value."""

    def check_all(values: Sequence[Any], *rest: Any) -> None:
        *middle, element = rest
        for place, value in enumerate(values):
            if value is not None:
                check(value, *middle, f"{element}[{place}]")

    return check_all


check_dates = _each(check_date)
check_date_times = _each(check_date_time)
check_instants = _each(check_instant)
check_times = _each(check_time)
check_decimals = _each(check_decimal)
check_base64_binarys = _each(check_base64_binary)
check_references = _each(check_reference)
check_codeable_concepts = _each(check_codeable_concept)
