"""Replace strings at any depth of a resource, in its bytes.

Two uses: references of a transaction that name a placeholder, and base64 texts, which the store
keeps apart and encrypted. The member's key is searched as bytes: an unescaped ``"key"`` before a
colon can only be a key, because a quotation mark inside a string has a backslash before it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Mapping
from functools import cache

import msgspec

from hygie.kernel.errors import Malformed

REFERENCE_KEYS = frozenset({"reference", "url"})
"""Members that point to another resource: ``Reference.reference`` and ``Attachment.url``."""
BLOB_KEYS = frozenset({"data", "valueBase64Binary"})
"""Members that hold base64 text."""
BLOB_MARK = "hygie-blob:"
"""Begins the placeholder of a text that was cut out; base64 has no colon."""
ABSENT = (
    b'{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason",'
    b'"valueCode":"masked"}]}'
)
"""Stands beside a value that is not told (FHIR R4, extension-data-absent-reason.html)."""
_DECODED, _AS_WRITTEN = b"\x00", b"\x01"

_has_escaped_key = re.compile(rb'\\u00[0-9a-fA-F]{2}[^"\\]*"\s*:').search
_token = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:\s*)?')


def replace_strings(
    raw: bytes, values: Mapping[str, str], *, keys: Collection[str] = REFERENCE_KEYS
) -> bytes:
    """Return ``raw`` with each string of ``values`` replaced where it is the value of a key.

    >>> replace_strings(b'{"reference": "urn:uuid:1", "display": "urn:uuid:1"}',
    ...                 {"urn:uuid:1": "Patient/7"})
    b'{"reference": "Patient/7", "display": "urn:uuid:1"}'
    """
    if not values:
        return raw

    def renew(text: bytes) -> bytes:
        new = values.get(msgspec.json.decode(text))
        return text if new is None else msgspec.json.encode(new)

    return _map_values(raw, frozenset(keys), renew)


def check_is_unmarked(raw: bytes) -> None:
    """Check that a resource holds nothing that only the store may write.

    Raises:
        Malformed: it does.
    """
    if BLOB_MARK.encode() in raw:
        raise Malformed(f"The text {BLOB_MARK} cannot stand in a resource; change it.")


def may_hold_data(raw: bytes) -> bool:
    """Tell quickly whether a resource may hold base64 texts; False is certain."""
    return b'data"' in raw or b'64Binary"' in raw or b"\\u" in raw


def cut_data(raw: bytes) -> tuple[bytes, list[bytes]]:
    """Cut the base64 texts out of a resource.

    Returns the resource with a numbered placeholder in the place of each, and the contents in the
    order of their numbers, each once. A content is decoded where encoding gives the same text
    again, else it is the text as it was written; its first byte says which.

    Raises:
        Malformed: a value already looks like a placeholder; only the store may write them.
    """
    check_is_unmarked(raw)
    if not may_hold_data(raw):
        return raw, []
    numbers: dict[bytes, int] = {}

    def move(text: bytes) -> bytes:
        if text == b'""':
            return text
        decoded = _canonical(text[1:-1])
        content = _AS_WRITTEN + text[1:-1] if decoded is None else _DECODED + decoded
        number = numbers.setdefault(content, len(numbers))
        return b'"%b%d"' % (BLOB_MARK.encode(), number)

    return _map_values(raw, BLOB_KEYS, move), list(numbers)


def text_of(content: bytes) -> bytes:
    """Return the text that was cut out as this content."""
    if content[:1] == _AS_WRITTEN:
        return content[1:]
    return base64.b64encode(memoryview(content)[1:])


def attach_data(raw: bytes, fetch: Callable[[str], bytes]) -> bytes:
    """Return the resource with its texts back; ``fetch`` gives the text of a placeholder."""
    # Nothing that is stored holds the mark but placeholders: no need to read the JSON.
    pieces = raw.split(BLOB_MARK.encode())
    whole = [pieces[0]]
    for piece in pieces[1:]:
        end = piece.index(b'"')
        whole += (fetch(piece[:end].decode()), piece[end:])
    return b"".join(whole)


def withhold_data(raw: bytes) -> bytes:
    """Return the resource without the texts that were cut out, saying that they are not told.

    >>> withhold_data(b'{"id":"1","data":"hygie-blob:0"}')[:37]
    b'{"id":"1","_data":{"extension":[{"url'
    """
    pieces, place, key = [], 0, None
    for token in _token.finditer(raw):
        if token[2] is not None:
            key = token
        elif key is not None and token[1][1:].startswith(BLOB_MARK.encode()):
            name = msgspec.json.encode("_" + msgspec.json.decode(key[1], type=str))
            pieces += [raw[place : key.start()], name, b":", ABSENT]
            place = token.end()
    return b"".join([*pieces, raw[place:]])


def _canonical(text: bytes) -> bytes | None:
    """Return the content of a base64 text if encoding it gives the same text again."""
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return None
    return content if base64.b64encode(content) == text else None


def _map_values(raw: bytes, keys: frozenset[str], renew: Callable[[bytes], bytes]) -> bytes:
    """Pass each string value of ``keys``, with its quotation marks, through ``renew``."""
    if b"\\" in raw and _has_escaped_key(raw):
        return _map_exactly(raw, keys, renew)
    return _pair(keys).sub(lambda match: match[1] + renew(match[2]), raw)


@cache
def _pair(keys: frozenset[str]) -> re.Pattern[bytes]:
    names = b"|".join(re.escape(key.encode()) for key in sorted(keys))
    return re.compile(rb'((?<!\\)"(?:%b)"\s*:\s*)("[^"\\]*(?:\\.[^"\\]*)*")' % names)


def _map_exactly(raw: bytes, keys: frozenset[str], renew: Callable[[bytes], bytes]) -> bytes:
    """Do the same where a key is written with escapes, by reading every string."""
    pieces, place, owned_at = [], 0, -1
    for token in _token.finditer(raw):
        if token[2] is not None:
            named = msgspec.json.decode(token[1]) in keys
            owned_at = token.end() if named else -1
        elif token.start() == owned_at:
            pieces += [raw[place : token.start()], renew(token[1])]
            place = token.end()
    return b"".join([*pieces, raw[place:]])
