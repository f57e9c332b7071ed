"""The secret of an installation, and texts sealed with it that leave and come back in links."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from hygie.kernel.config import Settings

SECRET_BYTES = 32
_KEY_BYTES = 64


def secret_key(settings: Settings) -> str:
    """Return the secret of the settings, or the one in the data folder, created when absent.

    The file appears whole or not at all, so several processes may start at once.
    """
    if settings.secret:
        return settings.secret
    path = settings.data / "keys" / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".secret-{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(SECRET_BYTES), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


class Sealer:
    """Seals short texts for one purpose: nobody else can read, change or make them.

    AES-SIV (RFC 5297): the same text for the same reader is always sealed alike, and nothing is
    lost where a text is sealed twice.

    >>> sealer = Sealer("a secret of the installation", purpose="cursors")
    >>> sealer.open(sealer.seal(b"12", reader="Patient/1"), reader="Patient/1")
    b'12'
    """

    def __init__(self, secret: str, *, purpose: str) -> None:
        info = f"hygie {purpose} 1".encode()
        derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(secret.encode())
        self._cipher = AESSIV(derived)

    def seal(self, content: bytes, *, reader: str) -> str:
        """Return the content as a text for an address, which only the same reader may bring."""
        sealed = self._cipher.encrypt(content, [reader.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, text: str, *, reader: str) -> bytes:
        """Return the content.

        Raises:
            ValueError: it was not sealed here, or for somebody or something else.
        """
        try:
            sealed = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
            return self._cipher.decrypt(sealed, [reader.encode()])
        except InvalidTag as error:
            raise ValueError("the text was not sealed for this reader") from error
