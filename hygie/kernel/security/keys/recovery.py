"""The recovery key: opens backups where neither the machine nor its keys are left.

32 random bytes in ``data/keys/recovery``, drawn at the first backup, written so that a person can
copy them from paper: base32 in groups of four.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hygie.kernel.database import folders
from hygie.kernel.errors import ConfigurationError, InvalidRequest
from hygie.kernel.security.keys.file import check_is_private
from hygie.kernel.security.keys.port import KEY_BYTES, NONCE_BYTES

MARK = "hygie-recovery-1"
GROUP = 4


class RecoveryKey:
    """A recovery key."""

    def __init__(self, key: bytes) -> None:
        """Take 32 bytes."""
        self._key = key
        self._cipher = AESGCM(key)

    @property
    def name(self) -> str:
        """Return eight characters by which a backup says which key opens it."""
        return hashlib.sha256(b"hygie recovery key" + self._key).hexdigest()[:8]

    @property
    def text(self) -> str:
        """Return the line that is kept on paper.

        >>> RecoveryKey(bytes(32)).text[:32]
        'hygie-recovery-1 AAAA-AAAA-AAAA-'
        """
        letters = base64.b32encode(self._key).decode().rstrip("=")
        groups = (letters[at : at + GROUP] for at in range(0, len(letters), GROUP))
        return f"{MARK} {'-'.join(groups)}"

    def wrap(self, key: bytes) -> bytes:
        """Encrypt the key of an archive."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, MARK.encode())

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key of an archive.

        Raises:
            InvalidRequest: it was damaged.
        """
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], MARK.encode())
        except (InvalidTag, ValueError) as error:
            raise InvalidRequest("The beginning of the archive is damaged.") from error


def recovery_file(data: Path) -> Path:
    """Return where an installation keeps its recovery key."""
    return folders.keys(data) / "recovery"


def load_or_draw(data: Path) -> RecoveryKey:
    """Return the recovery key of an installation, drawn where there is none.

    Raises:
        ConfigurationError: others may read the file, or it holds no such key.
    """
    path = recovery_file(data)
    if not path.exists():
        text = RecoveryKey(secrets.token_bytes(KEY_BYTES)).text
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".recovery-") as fresh:
            fresh.write(f"{text}\n")
            fresh.flush()
            os.fsync(fresh.fileno())
            if not path.exists():
                path.hardlink_to(fresh.name)
    check_is_private(path)
    return read_recovery(path)


def read_recovery(path: Path) -> RecoveryKey:
    """Return the recovery key of a file, typed from paper or copied.

    Raises:
        ConfigurationError: it cannot be read, or a letter is wrong.
    """
    try:
        text = path.read_text("utf-8").strip()
        letters = "".join(text.upper().removeprefix(MARK.upper()).split()).replace("-", "")
        key = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise ConfigurationError(
            f"{path} holds no recovery key: its line is {MARK} and groups of four letters."
        ) from error
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"The recovery key of {path} is too short: a group is missing.")
    return RecoveryKey(key)
