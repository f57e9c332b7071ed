"""Seal a content: AES-256-GCM, bound to the place it belongs to.

A sealed content is a nonce of 96 random bits, the ciphertext and a tag of 128 bits. The additional
data is the place: patient, type, id, version, and a hash of the content under a key of the patient.
Moved elsewhere, or exchanged with another, it does not open.
"""

from __future__ import annotations

import hmac
import secrets
import struct
import uuid
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.port import NONCE_BYTES

HASH_BYTES = 16
OVERHEAD = NONCE_BYTES + 16
_PLACE = struct.Struct(">14siHH16sI")
_MARK = b"hygie-sealed-1"


class Place(NamedTuple):
    """Where a content belongs.

    Attributes:
        patient: surrogate number of the patient, 0 where there is none.
        rt: number of the resource type; 0 for what is no resource, such as a message.
        uid: id of the resource, or of the message.
        version: its version.
    """

    patient: int
    rt: int
    uid: uuid.UUID
    version: int


class Sealer:
    """One data key, ready for use."""

    __slots__ = ("_cipher", "_hashing")

    def __init__(self, key: bytes) -> None:
        """Take a data key of 32 bytes."""
        self._cipher = AESGCM(key)
        self._hashing = hmac.digest(key, b"hygie content hash", "sha256")

    def hash(self, content: bytes) -> bytes:
        """Return 16 bytes that only who has this key can compute: equality does not leak."""
        return hmac.digest(self._hashing, content, "sha256")[:HASH_BYTES]

    def seal(self, content: bytes, *, place: Place, version: int, content_hash: bytes) -> bytes:
        """Encrypt a content for its place; ``version`` is the data key's."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, about(place, version, content_hash))

    def unseal(self, sealed: bytes, *, place: Place, version: int, content_hash: bytes) -> bytes:
        """Return the content.

        Raises:
            Unavailable: it was damaged, exchanged, or moved from another place.
        """
        view = memoryview(sealed)
        try:
            return self._cipher.decrypt(
                view[:NONCE_BYTES], view[NONCE_BYTES:], about(place, version, content_hash)
            )
        except (InvalidTag, ValueError) as error:
            raise Unavailable(
                "An encrypted document is damaged or not in its place: restore it from a backup."
            ) from error


def about(place: Place, version: int, content_hash: bytes) -> bytes:
    """Return the additional data of a sealed content."""
    return (
        _PLACE.pack(_MARK, place.patient, version, place.rt, place.uid.bytes, place.version)
        + content_hash
    )
