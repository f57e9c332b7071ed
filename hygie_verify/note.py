"""Signed tree heads: C2SP signed-note and tlog-checkpoint, with Ed25519 keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519 = 1
_SIGNATURE = re.compile("\N{EM DASH} ([^ +\n]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]*")
_HEAD_LINES = 3
_HASH_SIZE = 32


class Refused(Exception):
    """A key or a checkpoint that cannot be accepted; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head whose signature was verified."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, ``name+id+base64`` in the form of signed-note tools."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key.

        Raises:
            Refused: it is malformed, of another kind, or its id is not its own.
        """
        name, _, rest = text.strip().partition("+")
        stated, _, encoded = rest.partition("+")
        blob = _decode(encoded)
        if not name or len(blob) != _HASH_SIZE + 1 or blob[0] != _ED25519:
            raise Refused("the verifier key is not an Ed25519 key of the form name+id+base64")
        key_id = hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
        if key_id.hex() != stated:
            raise Refused("the id of the verifier key is not the one of its name and bytes")
        return cls(name, key_id, Ed25519PublicKey.from_public_bytes(blob[1:]))

    def open(self, checkpoint: str) -> Head:
        """Return the head of a signed checkpoint; lines of other signers are ignored.

        Raises:
            Refused: malformed, not signed by this key, or signed wrongly.
        """
        text, separator, signatures = checkpoint.rpartition("\n\n")
        signed = f"{text}\n"
        if not separator or not self._has_signed(signed, signatures):
            raise Refused("no signature of the trusted key")
        lines = text.split("\n")
        if len(lines) < _HEAD_LINES or not _SIZE.fullmatch(lines[1]):
            raise Refused("the signed text is not a checkpoint")
        root = _decode(lines[2])
        if len(root) != _HASH_SIZE:
            raise Refused("the root of the checkpoint is not a SHA-256 hash")
        return Head(lines[0], int(lines[1]), root)

    def _has_signed(self, text: str, signatures: str) -> bool:
        for name, encoded in _SIGNATURE.findall(signatures):
            blob = _decode(encoded)
            if name != self.name or blob[:4] != self.key_id:
                continue
            try:
                self.public.verify(blob[4:], text.encode())
            except InvalidSignature:
                raise Refused("the signature of the trusted key is wrong") from None
            return True
        return False


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("base64 was expected") from None
