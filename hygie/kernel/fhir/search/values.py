r"""Read the values of search parameters as they are written in a URL (FHIR R4, search.html).

Commas separate alternatives, ``$`` the parts of a composite and ``|`` the parts of a token; a
backslash before one of them, or before itself, takes that meaning away (search.html#escaping).
Texts come here already percent-decoded. No error repeats what was searched for: it may be a
person's data.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, tzinfo
from decimal import Context, Decimal
from typing import Literal, NamedTuple, cast

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.fhir.search.dates import FIRST, LAST, PARIS, interval
from hygie.kernel.fhir.search.references import Ref, parse_ref

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_ESCAPED = re.compile(r"\\([,|$\\])")
_NUMBER = re.compile(r"[+-]?(\d{1,40})(\.\d{1,40})?([eE][+-]?\d{1,3})?\Z", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_EXACT = Context(prec=120)
_KILOMETRES = {
    "": Decimal(1),
    "km": Decimal(1),
    "m": Decimal("0.001"),
    "[mi_i]": Decimal("1.609344"),
}


class TokenValue(NamedTuple):
    """A token: system None means any and ``""`` means none; code None means any of the system."""

    system: str | None
    code: str | None


class DateValue(NamedTuple):
    """A prefix and the interval that the date covers, low included, high not, in UTC."""

    prefix: Prefix
    low: datetime
    high: datetime


class NumberValue(NamedTuple):
    """A prefix and a number.

    ``low`` (included) and ``high`` (not) are its implicit precision, which ``eq``, ``ne`` and
    ``ap`` compare with; the other prefixes compare with the exact ``value``.
    """

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """A number with a unit; ``system`` and ``code`` are None where any is meant."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None


class TypedIdentifier(NamedTuple):
    """The value of ``:of-type``: the system and code of the type, and the identifier's value."""

    system: str
    code: str
    value: str


class Near(NamedTuple):
    """A place in degrees and a distance in kilometres, None where the server may choose."""

    latitude: Decimal
    longitude: Decimal
    kilometres: Decimal | None


def split_or(text: str) -> list[str]:
    r"""Split alternatives at their commas; escapes stay for the parser of each.

    >>> split_or(r"a,b\,c")
    ['a', 'b\\,c']
    """
    return _split(text, ",")


def split_composite(text: str, name: str, *, parts: int) -> list[str]:
    r"""Split a composite value at its dollars.

    >>> split_composite("http://loinc.org|8480-6$gt140", "code-value-quantity", parts=2)
    ['http://loinc.org|8480-6', 'gt140']

    Raises:
        InvalidRequest: there are not as many parts as the parameter has.
    """
    found = _split(text, "$")
    if len(found) != parts or not all(found):
        raise _wrong(name, f"{parts} values joined by $")
    return found


def unescape(text: str) -> str:
    r"""Take the escapes away.

    >>> unescape(r"a\,b\\c\d")
    'a,b\\c\\d'

    Raises:
        InvalidRequest: the value holds a NUL, which no stored text can.
    """
    if "\0" in text:
        raise InvalidRequest("A search value holds the character U+0000; take it away.")
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def parse_token(text: str, name: str) -> TokenValue:
    r"""Read ``code``, ``system|code``, ``|code`` or ``system|``.

    >>> parse_token(r"http://a.org|x\|y", "code")
    TokenValue(system='http://a.org', code='x|y')
    """
    parts = [unescape(part) for part in _split(text, "|")]
    if not any(parts) or len(parts) > 2:  # noqa: PLR2004 - a system and a code
        raise _wrong(name, "code, system|code, |code or system|")
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    return TokenValue(parts[0], parts[1] or None)


def within(token: TokenValue, systems: Collection[str]) -> TokenValue:
    """Return the token as it is stored where the systems are implied, that is without system.

    Give ``Parameter.implicit_systems``.

    >>> within(TokenValue("http://hl7.org/fhir/administrative-gender", "male"),
    ...     ["http://hl7.org/fhir/administrative-gender"])
    TokenValue(system=None, code='male')
    """
    return TokenValue(None, token.code) if token.system in systems else token


def parse_typed_identifier(text: str, name: str) -> TypedIdentifier:
    """Read the value of ``:of-type``: ``system|code|value``, all three present."""
    parts = [unescape(part) for part in _split(text, "|")]
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - system, code and value
        raise _wrong(f"{name}:of-type", "type system|type code|identifier value")
    return TypedIdentifier(*parts)


def parse_reference(text: str, name: str) -> Ref:
    """Read ``id``, ``Type/id``, or an absolute or canonical address.

    >>> parse_reference("23", "subject")
    Ref(type=None, id='23', version=None, url=None)
    """
    plain = unescape(text)
    if _ID.match(plain):
        return Ref(None, plain)
    ref = parse_ref(plain)
    if ref is None:
        raise _wrong(name, "an id, Type/id, or an absolute address")
    return ref


def parse_date(text: str, name: str, *, zone: tzinfo = PARIS) -> DateValue:
    """Read ``[prefix]YYYY[-MM[-DD[Thh:mm[:ss[.fraction]][zone]]]]``.

    >>> parse_date("ge2024", "birthdate").prefix
    'ge'
    """
    prefix, rest = _prefix(unescape(text))
    try:
        low, high = interval(rest, zone)
    except ValueError as error:
        form = "[prefix]YYYY-MM-DD or [prefix]YYYY-MM-DDThh:mm:ss+hh:mm with + written %2B"
        raise _wrong(name, form) from error
    return DateValue(prefix, low, high)


def approximate_date(value: DateValue, *, now: datetime) -> tuple[datetime, datetime]:
    """Return the interval of ``ap``: wider by a tenth of the gap between now and the date."""
    gap = max(abs(now - value.low), abs(now - value.high)) / 10
    low = value.low - gap if value.low - FIRST > gap else FIRST
    high = value.high + gap if LAST - value.high > gap else LAST
    return low, high


def parse_number(text: str, name: str) -> NumberValue:
    """Read a number; its digits give its precision.

    >>> parse_number("100", "probability")[2:]
    (Decimal('99.5'), Decimal('100.5'))
    """
    prefix, rest = _prefix(unescape(text))
    return NumberValue(prefix, *_precise(rest, name, "[prefix]number", prefix=prefix))


def parse_quantity(text: str, name: str) -> QuantityValue:
    """Read ``[prefix]number``, ``[prefix]number|system|code`` or ``[prefix]number||code``.

    >>> parse_quantity("5.4e-3|http://unitsofmeasure.org|g", "value-quantity").high
    Decimal('0.00545')
    """
    form = "[prefix]number, [prefix]number|system|code or [prefix]number||code"
    number, *unit = (unescape(part) for part in _split(text, "|"))
    if len(unit) not in (0, 2):
        raise _wrong(name, form)
    prefix, rest = _prefix(number)
    system, code = unit or (None, None)
    return QuantityValue(
        prefix, *_precise(rest, name, form, prefix=prefix), system or None, code or None
    )


def parse_uri(text: str, name: str) -> str:
    """Read a uri, compared as a whole and with case."""
    plain = unescape(text)
    if not plain or any(character.isspace() for character in plain):
        raise _wrong(name, "a uri without spaces")
    return plain


def parse_string(text: str, name: str) -> str:
    """Read a text; fold it, or not for ``:exact``, before comparing."""
    plain = unescape(text)
    if not plain.strip():
        raise _wrong(name, "a text")
    return plain


def parse_missing(text: str, name: str) -> bool:
    """Read the value of ``:missing``."""
    if text not in ("true", "false"):
        raise _wrong(f"{name}:missing", "true or false")
    return text == "true"


def parse_near(text: str, name: str) -> Near:
    """Read ``latitude|longitude[|distance[|unit]]`` (FHIR R4, location.html#positional).

    >>> parse_near("48.85|2.35|5|km", "near").kilometres
    Decimal('5')
    """
    form = "latitude|longitude|distance|unit with unit km, m or [mi_i]"
    parts = [unescape(part) for part in _split(text, "|")]
    if not 2 <= len(parts) <= 4 or not all(_NUMBER.match(part) for part in parts[:3]):  # noqa: PLR2004
        raise _wrong(name, form)
    latitude, longitude, *distance = (Decimal(part) for part in parts[:3])
    unit = _KILOMETRES.get(parts[3] if len(parts) > 3 else "")  # noqa: PLR2004 - the fourth
    if unit is None or abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004 - degrees
        raise _wrong(name, form)
    return Near(latitude, longitude, distance[0] * unit if distance else None)


def _split(text: str, separator: str) -> list[str]:
    if "\\" not in text:
        return text.split(separator)
    parts, escaped = [""], False
    for character in text:
        if character == separator and not escaped:
            parts.append("")
            continue
        parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts


def _prefix(text: str) -> tuple[Prefix, str]:
    if text[:2] in PREFIXES:
        return cast("Prefix", text[:2]), text[2:]
    return "eq", text


def _precise(
    text: str, name: str, form: str, *, prefix: Prefix
) -> tuple[Decimal, Decimal, Decimal]:
    match = _NUMBER.match(text)
    if match is None:
        raise _wrong(name, form)
    value = Decimal(text)
    exponent = int(value.as_tuple().exponent)
    if exponent > 0 and match[2] is None:
        # search.html#number gives 1e2 the range from 95 to 105, ten times finer than its one digit.
        exponent -= 1
    half = Decimal(5).scaleb(exponent - 1, _EXACT)
    if prefix == "ap":
        half = max(half, abs(value) / 10)
    return value, _EXACT.subtract(value, half), _EXACT.add(value, half)


def _wrong(name: str, form: str) -> InvalidRequest:
    return InvalidRequest(f"The search parameter {name} cannot be read; write it as {form}.")
