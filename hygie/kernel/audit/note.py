"""The text of signed notes and checkpoints (C2SP signed-note, tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hygie.kernel.errors import InvalidRequest

ED25519 = b"\x01"
COSIGNATURE = b"\x04"
_PUBLIC_SIZE = HASH_SIZE = 32
_LINE = re.compile("\N{EM DASH} ([^ +\n]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key as signed-note tools read it."""

    name: str
    key_id: bytes
    public: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says, signatures apart."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...]


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """Return the four bytes that name a key in a note."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def verifier_key(name: str, kind: bytes, public: bytes) -> str:
    """Return a public key in its text form: name, id, base64."""
    encoded = base64.b64encode(kind + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{encoded}"


def parse_key(text: str, kind: bytes = ED25519) -> VerifierKey:
    """Read a verifier key of one kind.

    Raises:
        InvalidRequest: it is malformed, or of another kind.
    """
    name, _, rest = text.strip().partition("+")
    stated, _, encoded = rest.partition("+")
    blob = _decoded(encoded) or b""
    is_named = name and " " not in name and len(name) <= _LONGEST_NAME
    if not is_named or blob[:1] != kind or len(blob) != 1 + _PUBLIC_SIZE:
        raise InvalidRequest("A verifier key is written name+id+base64, as `hygie` prints it.")
    if key_id(name, kind, blob[1:]).hex() != stated:
        raise InvalidRequest("The id of the verifier key is not the one of its name and bytes.")
    return VerifierKey(name, bytes.fromhex(stated), Ed25519PublicKey.from_public_bytes(blob[1:]))


def checkpoint_text(origin: str, size: int, root: bytes, *extensions: str) -> str:
    """Return what is signed of a tree head."""
    return "".join(f"{line}\n" for line in (origin, size, _encoded(root), *extensions))


def read_checkpoint(text: str) -> Checkpoint | None:
    """Return what the text of a note says as a checkpoint, None where it is none."""
    lines = text.removesuffix("\n").split("\n")
    root = _decoded(lines[2]) if lines[2:] else None
    if root is None or len(root) != HASH_SIZE or not _SIZE.fullmatch(lines[1]) or not lines[0]:
        return None
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def line(name: str, blob: bytes) -> str:
    """Return one signature line; ``blob`` is the key id and the signature."""
    return f"\N{EM DASH} {name} {_encoded(blob)}\n"


def split(signed: str) -> tuple[str, str]:
    """Return the text of a note, with its final newline, and its signature lines."""
    text, separator, lines = signed.rpartition("\n\n")
    return (f"{text}\n", lines) if separator else ("", "")


def find(lines: str, name: str, key_id: bytes) -> bytes | None:
    """Return the signature of one key among signature lines, None where it has none."""
    for signer, encoded in _LINE.findall(lines):
        blob = _decoded(encoded)
        if signer == name and blob is not None and blob[:4] == key_id:
            return blob[4:]
    return None


def hashes(lines: list[str]) -> list[bytes] | None:
    """Return the hashes of a proof, one base64 line each; None where one is none."""
    found = [_decoded(one) for one in lines]
    known = [one for one in found if one is not None and len(one) == HASH_SIZE]
    return known if len(known) == len(found) else None


def _encoded(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
