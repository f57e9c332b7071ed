r"""Strict scan of JSON before and after it is decoded.

msgspec refuses bad syntax, NaN and bare control characters, but lets through duplicate members,
escaped control characters, decimals written as strings and any depth the stack can hold. The
scan closes these gaps without a second parse: cheap tests on the bytes find what *may* be wrong,
and only then :func:`inspect` parses again, exactly, to say what and where.

Why one encoding finds duplicates: a decoder keeps the last of two equal members, so what it built
encodes to fewer quotation marks than it read. No other difference in writing changes their
number, but ``\u0022``, which is inspected, and a decimal written as a string, which is refused.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate, repeat
from typing import Any, NoReturn

import msgspec

from hygie.kernel.errors import Malformed, TooLarge

MAX_BYTES = 64 * 1024 * 1024
"""Largest body read, in bytes. The HTTP face may set a lower limit."""
MAX_DEPTH = 100
"""Deepest nesting of objects and arrays; the deepest official example has 12."""
MAX_EXPONENT = 300

_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 16
_SIGNS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"{[]}"))
_suspect_escape = re.compile(rb"\\(?:u00(?:0|1|22)|u[dD][89a-fA-F]|[bf])").search
_unwanted = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]").search
_encode = msgspec.json.Encoder(decimal_format="number").encode


def scan(raw: bytes, *, max_bytes: int = MAX_BYTES) -> None:
    """Refuse bytes that are not safe JSON text, before they are decoded.

    Raises:
        TooLarge: the text is longer than ``max_bytes``.
        Malformed: it is not UTF-8, begins with a byte order mark, holds a control character or
            half a surrogate pair, or nests deeper than ``MAX_DEPTH``.
    """
    if len(raw) > max_bytes:
        raise TooLarge(f"The body is longer than {max_bytes} bytes; split it.")
    if raw.startswith(_BOM):
        raise Malformed("The text begins with a byte order mark; send UTF-8 without it.")
    if not raw.isascii():
        _check_utf8(raw)
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(raw)
    if b"\\" in raw and _suspect_escape(raw):
        inspect(raw)


def confirm(raw: bytes, decoded: Any) -> None:
    """Refuse what decoding lost: duplicate members, decimals as strings, empty objects.

    ``decoded`` is what a decoder built from ``raw``, with ``Decimal`` for fractional numbers. What
    it left as ``Raw`` is not looked into.

    Raises:
        Malformed: with the path of the fault.
    """
    encoded = _encode(decoded)
    if encoded.count(b'"') != raw.count(b'"') or b"{}" in encoded:
        inspect(raw, decoded)


def strict_loads(raw: bytes) -> Any:
    """Return the value of any JSON text, refused unless strict; fractions are ``Decimal``.

    For bodies that are not one FHIR resource: JSON Patch, CDS Hooks, tokens.

    Raises:
        Malformed: the text is not strict JSON.
    """
    scan(raw)
    return inspect(raw)


def inspect(raw: bytes, decoded: Any = None) -> Any:
    """Parse exactly, refuse the first fault with its path, and return the value.

    Raises:
        Malformed: a duplicate member, an empty object, a control character, half a surrogate
            pair, an absurd number, NaN, or, beside ``decoded``, a decimal written as a string.
    """
    try:
        value = json.loads(
            raw, object_pairs_hook=_object, parse_float=_fraction, parse_constant=_refuse_constant
        )
    except RecursionError:
        _refuse_depth()
    except ValueError as error:
        raise Malformed("The text is not JSON; correct its syntax.") from error
    _walk(value, decoded, "$")
    return value


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        sentence = f"Byte {error.start} is not UTF-8; send the text in UTF-8."
        raise Malformed(sentence) from error


def _check_depth(raw: bytes) -> None:
    """Follow the nesting outside strings, block by block, and stop as soon as it is too deep."""
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    depth, inside = 0, False
    for start in range(0, len(plain), _BLOCK):
        pieces = plain[start : start + _BLOCK].split(b'"')
        brackets = b"".join(pieces[inside::2]).translate(_SIGNS, _NOT_BRACKETS)
        inside ^= len(pieces) % 2 == 0
        levels = list(accumulate(memoryview(brackets).cast("b"), initial=depth))
        if max(levels) > MAX_DEPTH:
            _refuse_depth()
        depth = levels[-1]


def _refuse_depth() -> NoReturn:
    raise Malformed(f"The text nests deeper than {MAX_DEPTH} levels; flatten it.")


def _refuse_constant(_name: str) -> NoReturn:
    raise Malformed("NaN and Infinity are not JSON numbers; remove them.")


def _fraction(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise Malformed("A number is out of range; correct it.", expression=None)
    return number


class _Repeated(dict[str, Any]):
    """An object in which a member came twice; ``member`` is its name."""

    member = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated, seen = _Repeated(found), set[str]()
    for name, _ in pairs:
        if name in seen:
            repeated.member = name
        seen.add(name)
    return repeated


def _walk(value: Any, decoded: Any, path: str) -> None:
    """Refuse the first fault below ``path``; ``decoded`` is the typed twin where there is one."""
    if isinstance(decoded, msgspec.Raw):
        return
    if isinstance(value, str):
        _check_text(value, decoded, path)
    elif isinstance(value, dict):
        _check_members(value, path)
        for name, inner in value.items():
            _walk(inner, _twin(decoded, name), f"{path}.{name}")
    elif isinstance(value, list):
        twins = decoded if isinstance(decoded, list) else repeat(None, len(value))
        for place, (inner, twin) in enumerate(zip(value, twins, strict=True)):
            _walk(inner, twin, f"{path}[{place}]")


def _check_text(text: str, decoded: Any, path: str) -> None:
    if _unwanted(text):
        sentence = "A text holds a control character or half a surrogate pair; remove it."
        raise Malformed(sentence, expression=path)
    if isinstance(decoded, Decimal):
        raise Malformed("Write this decimal as a number, without quotes.", expression=path)


def _check_members(value: dict[str, Any], path: str) -> None:
    if isinstance(value, _Repeated):
        sentence = "A member is given twice in the same object; keep one."
        raise Malformed(sentence, expression=f"{path}.{value.member}")
    if not value:
        raise Malformed("An object is empty; remove it or fill it.", expression=path)
    if any(_unwanted(name) for name in value):
        raise Malformed("A member's name holds a control character; correct it.", expression=path)


def _twin(decoded: Any, name: str) -> Any:
    names = getattr(decoded, "__struct_encode_fields__", ())
    if name not in names:
        return None
    return getattr(decoded, decoded.__struct_fields__[names.index(name)])
