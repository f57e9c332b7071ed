"""An ``add-checkpoint`` request as it is read: old size, proof, empty line, checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature

from hygie.kernel.audit import note
from hygie.kernel.audit.merkle import is_consistent
from hygie.kernel.audit.note import Checkpoint, VerifierKey

MOST_PROOF_LINES = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Asked:
    """The request; ``signed`` is the whole note and ``text`` what is signed of it."""

    old_size: int
    proof: tuple[bytes, ...]
    signed: str
    text: str
    checkpoint: Checkpoint


def read(body: bytes) -> Asked | None:
    """Return the request, None where it is malformed."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    head, separator, signed = text.partition("\n\n")
    first, *lines = head.split("\n")
    old = _OLD.fullmatch(first)
    proof = note.hashes(lines)
    asked = signed_head(signed)
    if not separator or old is None or proof is None or asked is None:
        return None
    if len(proof) > MOST_PROOF_LINES:
        return None
    return replace(asked, old_size=int(old[1]), proof=tuple(proof))


def signed_head(signed: str) -> Asked | None:
    """Return a signed checkpoint as a request about it, None where it is none."""
    text, lines = note.split(signed)
    checkpoint = note.read_checkpoint(text)
    return Asked(0, (), signed, text, checkpoint) if checkpoint and lines else None


def is_signed(asked: Asked, key: VerifierKey) -> bool:
    """Return whether a key signed the checkpoint."""
    signature = note.find(note.split(asked.signed)[1], key.name, key.key_id)
    if signature is None:
        return False
    try:
        key.public.verify(signature, asked.text.encode())
    except InvalidSignature:
        return False
    return True


def is_proved(asked: Asked, old_root: bytes) -> bool:
    """Return whether the proof shows that the log begins with the tree of the old root."""
    checkpoint = asked.checkpoint
    if not asked.old_size:
        return not asked.proof
    return is_consistent(
        old_size=asked.old_size,
        old_root=old_root,
        size=checkpoint.size,
        root=checkpoint.root,
        proof=asked.proof,
    )
