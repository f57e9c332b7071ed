"""Cosignatures of checkpoints (C2SP tlog-cosignature, ``cosignature/v1`` with Ed25519)."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import note
from hygie.kernel.audit.note import VerifierKey

_TIME_SIZE = 8


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Signs, as a witness, what it saw and when."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier_key(self) -> str:
        """Return the public key in its text form, of type 4."""
        return note.verifier_key(self.name, note.COSIGNATURE, self._public())

    def line(self, text: str, *, at: int) -> str:
        """Return the signature line of a checkpoint's text, at a time in seconds since 1970."""
        blob = at.to_bytes(_TIME_SIZE, "big") + self.key.sign(_message(text, at))
        key_id = note.key_id(self.name, note.COSIGNATURE, self._public())
        return note.line(self.name, key_id + blob)

    def _public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()


def cosigned_at(key: VerifierKey, text: str, lines: str) -> int | None:
    """Return when a witness cosigned a checkpoint's text, in seconds since 1970.

    None where it did not, or its signature is wrong.
    """
    blob = note.find(lines, key.name, key.key_id)
    if blob is None:
        return None
    at = int.from_bytes(blob[:_TIME_SIZE], "big")
    try:
        key.public.verify(blob[_TIME_SIZE:], _message(text, at))
    except InvalidSignature:
        return None
    return at


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
