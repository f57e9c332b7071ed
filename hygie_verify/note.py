"""Signed tree heads and cosignatures: C2SP signed-note, tlog-checkpoint, tlog-cosignature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_ED25519, _COSIGNATURE = 1, 4
_SIGNATURE = re.compile("\N{EM DASH} ([^ +\n]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]*")
_HEAD_LINES = 3
_HASH_SIZE, _TIME_SIZE = 32, 8
_NEXT = "next "


class Refused(Exception):
    """A key, a checkpoint or a signature that cannot be accepted; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head; ``extensions`` are the lines that follow its root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key, ``name+id+base64`` in the form of signed-note tools."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey
    is_witness: bool = False

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key, of a log or of a witness.

        Raises:
            Refused: it is malformed, of another kind, or its id is not its own.
        """
        name, _, rest = text.strip().partition("+")
        stated, _, encoded = rest.partition("+")
        blob = _decode(encoded)
        is_known = len(blob) == _HASH_SIZE + 1 and blob[0] in (_ED25519, _COSIGNATURE)
        if not name or not is_known:
            raise Refused("the verifier key is not an Ed25519 key of the form name+id+base64")
        key_id = hashlib.sha256(name.encode() + b"\n" + blob).digest()[:4]
        if key_id.hex() != stated:
            raise Refused("the id of the verifier key is not the one of its name and bytes")
        public = Ed25519PublicKey.from_public_bytes(blob[1:])
        return cls(name, key_id, public, is_witness=blob[0] == _COSIGNATURE)

    def open(self, checkpoint: str) -> Head:
        """Return the head of a signed checkpoint; lines of other signers are ignored.

        Raises:
            Refused: malformed, not signed by this key, or signed wrongly.
        """
        text, signatures = split(checkpoint)
        signature = self._signature(signatures)
        if not text or signature is None:
            raise Refused("no signature of the trusted key")
        if not self._is_good(signature, text.encode()):
            raise Refused("the signature of the trusted key is wrong")
        return read_head(text)

    def next_of(self, checkpoint: str) -> VerifierKey:
        """Return the key that this one hands over to, by a checkpoint that both signed.

        Raises:
            Refused: it is no handover, or one of both did not sign it.
        """
        named = [one for one in self.open(checkpoint).extensions if one.startswith(_NEXT)]
        if len(named) != 1:
            raise Refused("the checkpoint names no next key")
        key = VerifierKey.parse(named[0].removeprefix(_NEXT))
        if key.name != self.name or key.is_witness:
            raise Refused("the next key is not one of this log")
        key.open(checkpoint)
        return key

    def cosigned_at(self, checkpoint: str, lines: str) -> int | None:
        """Return when this witness cosigned a checkpoint, in seconds since 1970; None if never.

        Raises:
            Refused: it stands there as if it had, and its signature is wrong.
        """
        signature = self._signature(lines)
        if signature is None:
            return None
        at = int.from_bytes(signature[:_TIME_SIZE], "big")
        message = f"cosignature/v1\ntime {at}\n{split(checkpoint)[0]}".encode()
        if not self._is_good(signature[_TIME_SIZE:], message):
            raise Refused(f"the cosignature of {self.name} is wrong")
        return at

    def _signature(self, lines: str) -> bytes | None:
        for name, encoded in _SIGNATURE.findall(lines):
            blob = _decode(encoded)
            if name == self.name and blob[:4] == self.key_id:
                return blob[4:]
        return None

    def _is_good(self, signature: bytes, message: bytes) -> bool:
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def split(checkpoint: str) -> tuple[str, str]:
    """Return what is signed of a note, and its signature lines."""
    text, separator, signatures = checkpoint.rpartition("\n\n")
    return (f"{text}\n", signatures) if separator else ("", "")


def read_head(text: str) -> Head:
    """Return the head that a text says, whoever signed it.

    Raises:
        Refused: the text is not a checkpoint.
    """
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < _HEAD_LINES or not _SIZE.fullmatch(lines[1]):
        raise Refused("the signed text is not a checkpoint")
    root = _decode(lines[2])
    if len(root) != _HASH_SIZE:
        raise Refused("the root of the checkpoint is not a SHA-256 hash")
    return Head(lines[0], int(lines[1]), root, tuple(lines[3:]))


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("base64 was expected") from None
