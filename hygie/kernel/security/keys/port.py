"""What Hygie asks of a key service, whichever it is: a file or a hardware module."""

from __future__ import annotations

from typing import NamedTuple, Protocol

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BITS = 128


class Wrapped(NamedTuple):
    """A data key encrypted by a key-encryption key.

    Attributes:
        version: which key-encryption key, from 1.
        text: nonce, ciphertext and tag of AES-256-GCM.
    """

    version: int
    text: bytes


class KeyPort(Protocol):
    """A service that holds key-encryption keys and never gives one out.

    ``about`` says what a data key is for; it must be the same to unwrap (additional data of
    AES-GCM), so that two wrapped keys cannot be swapped. Every call may raise ``Unavailable``:
    the service does not answer, lacks the version, or refuses what it is given.
    """

    @property
    def blocks(self) -> bool:
        """Tell whether calls wait for a device, and belong in a thread."""
        ...

    def versions(self) -> list[int]:
        """Return the versions the service holds, oldest first; the last one wraps."""
        ...

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        """Encrypt a data key with the newest version."""
        ...

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        """Return the data key."""
        ...

    def rotate(self) -> int:
        """Make a new version, which wraps from now on; return its number."""
        ...

    def destroy(self, version: int) -> None:
        """Destroy a version for ever; what it wrapped cannot be read again."""
        ...
