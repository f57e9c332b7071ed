"""Signed tree heads: C2SP tlog-checkpoint in a signed note, with Ed25519.

The key is made at first start in ``data/keys/log-ed25519``. Whoever holds it can sign another
history: copy the public half and some heads where the operator cannot write.
"""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hygie.kernel.audit import note
from hygie.kernel.errors import ConfigurationError

KEY_FILE = "log-ed25519"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs the heads of one log.

    Attributes:
        origin: name of the log, which is also the name of its key; no space, no plus sign.
    """

    origin: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def key_id(self) -> bytes:
        """Return the four bytes that name the key in a note."""
        return note.key_id(self.origin, note.ED25519, self._public())

    @property
    def verifier_key(self) -> str:
        """Return the public key as signed-note tools read it: name, id, base64."""
        return note.verifier_key(self.origin, note.ED25519, self._public())

    def sign(self, size: int, root: bytes) -> str:
        """Return the checkpoint of a tree, signed."""
        text = note.checkpoint_text(self.origin, size, root)
        return f"{text}\n{self.line(text)}"

    def line(self, text: str) -> str:
        """Return the signature line of a note's text."""
        return note.line(self.origin, self.key_id + self.key.sign(text.encode()))

    def has_signed(self, checkpoint: str, *, size: int, root: bytes) -> bool:
        """Return whether a checkpoint is the one that this key signed for this tree."""
        text = note.checkpoint_text(self.origin, size, root)
        return checkpoint.startswith(f"{text}\n") and self.has_signed_note(checkpoint)

    def has_signed_note(self, signed: str) -> bool:
        """Return whether a note has a good signature of this key."""
        text, lines = note.split(signed)
        blob = note.find(lines, self.origin, self.key_id)
        if blob is None:
            return False
        try:
            self.key.public_key().verify(blob, text.encode())
        except InvalidSignature:
            return False
        return True

    def _public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()


def load_or_create_key(folder: Path, name: str = KEY_FILE) -> Ed25519PrivateKey:
    """Return the key of a file, made at first start; safe where two processes start at once.

    Raises:
        ConfigurationError: others may read the file, or it holds no Ed25519 key.
    """
    path = folder / name
    if not path.exists():
        _create(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(
            f"{path} can be read by others: run chmod 600 on it, and change the key if they did."
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no key: restore it from a backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} holds another kind of key than Ed25519.")
    return key


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as fresh:  # 0600
        fresh.write(pem)
        fresh.flush()
        os.fsync(fresh.fileno())
        try:
            path.hardlink_to(fresh.name)
        except FileExistsError:
            return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
