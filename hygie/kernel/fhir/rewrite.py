"""Replace strings at any depth of a resource, in its bytes.

Two uses: references of a transaction that name a placeholder, and large base64 texts that live
in the blob store. The member's key is searched as bytes: an unescaped ``"key"`` before a colon
can only be a key, because a quotation mark inside a string has a backslash before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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
"""Begins the placeholder of a blob; base64 has no colon."""

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


def detach_data(raw: bytes, threshold: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Move base64 texts of at least ``threshold`` characters out of a resource.

    Returns the resource with a placeholder in the place of each, and (placeholder, content) pairs
    once each. A text that would not be rebuilt to the same characters stays where it is.

    Raises:
        Malformed: a value already looks like a placeholder; only the store may write them.
    """
    if len(raw) < threshold and BLOB_MARK.encode() not in raw:
        return raw, []
    blobs: dict[str, bytes] = {}

    def move(text: bytes) -> bytes:
        if text[1:-1].startswith(BLOB_MARK.encode()):
            raise Malformed(f"A value cannot begin with {BLOB_MARK}; change it.")
        content = _canonical(text[1:-1]) if len(text) >= threshold + 2 else None
        if content is None:
            return text
        placeholder = BLOB_MARK + hashlib.sha256(content).hexdigest()
        blobs[placeholder] = content
        return msgspec.json.encode(placeholder)

    return _map_values(raw, BLOB_KEYS, move), list(blobs.items())


def attach_data(raw: bytes, fetch: Callable[[str], bytes]) -> bytes:
    """Return the resource with its base64 texts back; ``fetch`` gives a placeholder's content."""
    if BLOB_MARK.encode() not in raw:
        return raw

    def restore(text: bytes) -> bytes:
        if not text[1:-1].startswith(BLOB_MARK.encode()):
            return text
        return b'"' + base64.b64encode(fetch(text[1:-1].decode())) + b'"'

    return _map_values(raw, BLOB_KEYS, restore)


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
