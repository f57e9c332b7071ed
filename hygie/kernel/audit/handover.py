"""Change of the log's key: a checkpoint that names the next key, signed by both (cross-signed).

The checkpoint has one extension line, ``next <verifier key>``. The old key vouches for the new
one, and the new one shows that it is there. Whoever follows the log from its first key follows
these; whoever keeps an old key after a change refuses what it signs later.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import note
from hygie.kernel.audit.checkpoint import KEY_FILE, Signer, load_or_create_key
from hygie.kernel.audit.note import Checkpoint, VerifierKey
from hygie.kernel.errors import InvalidRequest

if TYPE_CHECKING:
    from asyncpg import Connection

NEXT_FILE = f"{KEY_FILE}.next"
_EXTENSION = "next "
_HEAD = "SELECT size, root FROM trace_head ORDER BY size DESC LIMIT 1"
_INSERT = "INSERT INTO trace_key (size, key, handover) VALUES ($1, $2, $3)"


def cross_sign(old: Signer, new: Signer, *, size: int, root: bytes) -> str:
    """Return the checkpoint of a tree by which one key hands over to another."""
    extension = f"{_EXTENSION}{new.verifier_key}"
    text = note.checkpoint_text(old.origin, size, root, extension)
    return f"{text}\n{old.line(text)}{new.line(text)}"


def is_handed_to(new: Signer, handover: str, *, size: int, root: bytes) -> bool:
    """Return whether a handover of this tree names this key and is signed by it."""
    extension = f"{_EXTENSION}{new.verifier_key}"
    text = note.checkpoint_text(new.origin, size, root, extension)
    return handover.startswith(f"{text}\n") and new.has_signed_note(handover)


def next_key(checkpoint: Checkpoint) -> VerifierKey | None:
    """Return the key that a checkpoint hands over to, None for an ordinary checkpoint."""
    named = [one for one in checkpoint.extensions if one.startswith(_EXTENSION)]
    if len(named) != 1:
        return None
    try:
        key = note.parse_key(named[0].removeprefix(_EXTENSION))
    except InvalidRequest:
        return None
    return key if key.name == checkpoint.origin else None


async def rotate(connection: Connection, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> str:
    """Record the change of key after the last head; return the verifier key of the new one.

    Runs in the caller's transaction, which holds the row of ``trace_tree``.

    Raises:
        InvalidRequest: the log has no head yet, or its last head is a change of key already.
    """
    origin = await connection.fetchval("SELECT origin FROM trace_tree FOR UPDATE")
    head = await connection.fetchrow(_HEAD)
    changed = await connection.fetchval("SELECT max(size) FROM trace_key")
    if head is None or changed == head["size"]:
        raise InvalidRequest(
            "The key changes after an event that no other change follows: retry in a second."
        )
    signer = Signer(origin, new)
    if changed is None:  # the first key is named once, for who follows the changes later
        await connection.execute(_INSERT, 0, Signer(origin, old).verifier_key, "")
    signed = cross_sign(Signer(origin, old), signer, size=head["size"], root=head["root"])
    await connection.execute(_INSERT, head["size"], signer.verifier_key, signed)
    return signer.verifier_key


def prepare(folder: Path) -> Ed25519PrivateKey:
    """Make the next key beside the present one; one that an interrupted change left is taken."""
    return load_or_create_key(folder, NEXT_FILE)


def promote(folder: Path) -> None:
    """Put the next key in the place of the present one, which is gone then."""
    (folder / NEXT_FILE).replace(folder / KEY_FILE)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current_key(
    folder: Path, *, origin: str = "", handed_to: str | None = None
) -> Ed25519PrivateKey:
    """Return the key that signs now, made at first start.

    ``handed_to`` is the verifier key of the last change, if any: when the programme was cut
    between the change and the exchange of files, the exchange is done now.
    """
    key = load_or_create_key(folder)
    if handed_to in (None, Signer(origin, key).verifier_key):
        return key
    if (folder / NEXT_FILE).exists():
        prepared = load_or_create_key(folder, NEXT_FILE)
        if Signer(origin, prepared).verifier_key == handed_to:
            promote(folder)
            return prepared
    return key
