"""Logical ids, their fixed-size keys and the part of the store they belong to.

A server id is a UUID. An id that somebody else chose may be any FHIR id (datatypes.html#id); its
key is then a UUID derived from it, and the text stands beside.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from functools import lru_cache

from hygie.kernel.errors import InvalidRequest

PARTS = 256
"""How many logical parts; fixed for ever, since ``part`` stands in every key."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a fresh logical id."""
    return str(uuid.uuid4())


def check_id(rid: str) -> str:
    """Return the id.

    Raises:
        InvalidRequest: it is not 1 to 64 letters, digits, hyphens and dots.
    """
    if not _ID.fullmatch(rid):
        raise InvalidRequest("An id is 1 to 64 letters, digits, hyphens and dots.")
    return rid


@lru_cache(maxsize=16_384)
def key_of(rid: str) -> tuple[uuid.UUID, str | None]:
    """Return the UUID key of a logical id, and the id itself where it is not that UUID.

    >>> key_of("6f1c3e0a-5a0e-4b43-9b0e-2f6d4c1f7a11")[1] is None
    True
    >>> key_of("example")
    (UUID('50d858e0-985e-8c7f-a041-8aaf0cc5ab58'), 'example')
    """
    if _UUID.fullmatch(rid):
        return uuid.UUID(rid), None
    digest = hashlib.sha256(rid.encode()).digest()[:16]
    derived = bytearray(digest)
    derived[6] = (derived[6] & 0x0F) | 0x80  # version 8, RFC 9562 section 5.8
    derived[8] = (derived[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(derived)), rid


def id_of(uid: uuid.UUID, rid: str | None) -> str:
    """Return the logical id from what is stored."""
    return rid if rid is not None else str(uid)


def part_of(uid: uuid.UUID) -> int:
    """Return the part, 0 to 255, of a patient's key or of a patientless resource's key."""
    return hashlib.blake2b(uid.bytes, digest_size=1, person=b"hygie-part").digest()[0]
