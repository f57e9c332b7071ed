"""Key-encryption keys as files of 32 random bytes: the key service of an embedded installation.

::

    data/keys/kek/0001    mode 0600; the highest number wraps, the others only unwrap
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hygie.kernel.errors import ConfigurationError, Unavailable
from hygie.kernel.security.keys.port import KEY_BYTES, NONCE_BYTES, Wrapped

OTHERS = 0o077


class FileKeys:
    """Wraps with AES-256-GCM under keys of a folder that its owner alone may read."""

    blocks = False

    def __init__(self, folder: Path) -> None:
        """Take the folder; the first version is made where there is none.

        Raises:
            ConfigurationError: others may read a key, or a file holds none.
        """
        self.folder = folder
        self._ciphers: dict[int, AESGCM] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_is_private(folder)
        if not self.versions():
            _create(self._path(1))
        for version in self.versions():
            self._ciphers[version] = self._read(version)

    def versions(self) -> list[int]:
        """Return the numbers of the files."""
        try:
            names = [entry.name for entry in os.scandir(self.folder)]
        except OSError as error:
            raise Unavailable(
                f"The folder of keys {self.folder} cannot be read ({error.strerror})."
            ) from error
        return sorted(int(name) for name in names if name.isdecimal())

    def wrap(self, key: bytes, *, about: bytes) -> Wrapped:
        """Encrypt a data key with the newest version."""
        versions = self.versions()
        if not versions:
            raise Unavailable(f"{self.folder} holds no key: restore the archive of keys.")
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = nonce + self._cipher(versions[-1]).encrypt(nonce, key, about)
        return Wrapped(versions[-1], text)

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        """Return the data key."""
        nonce, text = wrapped.text[:NONCE_BYTES], wrapped.text[NONCE_BYTES:]
        try:
            return self._cipher(wrapped.version).decrypt(nonce, text, about)
        except InvalidTag as error:
            raise Unavailable(
                "A wrapped key is damaged or belongs to another: restore the archive of keys."
            ) from error

    def rotate(self) -> int:
        """Make the next version; two programmes that do so at once make one."""
        version = max(self.versions(), default=0) + 1
        _create(self._path(version))
        return version

    def destroy(self, version: int) -> None:
        """Overwrite the file, then remove it; backups of it end with their retention."""
        self._ciphers.pop(version, None)
        path = self._path(version)
        if path.exists():
            with path.open("r+b") as stream:
                stream.write(secrets.token_bytes(KEY_BYTES))
                stream.flush()
                os.fsync(stream.fileno())
            path.unlink()
            _sync(self.folder)

    def _cipher(self, version: int) -> AESGCM:
        # A file that is gone stops its use at once, whatever is still in memory.
        if not self._path(version).exists():
            self._ciphers.pop(version, None)
            raise Unavailable(
                f"Key-encryption key {version} is not in {self.folder}: restore the archive of "
                "keys."
            )
        if version not in self._ciphers:
            self._ciphers[version] = self._read(version)
        return self._ciphers[version]

    def _read(self, version: int) -> AESGCM:
        path = self._path(version)
        check_is_private(path)
        try:
            key = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"The key {path} cannot be read ({error.strerror}): start Hygie as the user it "
                "belongs to."
            ) from error
        if len(key) != KEY_BYTES:
            raise ConfigurationError(f"{path} holds no key of {KEY_BYTES} bytes: restore it.")
        return AESGCM(key)

    def _path(self, version: int) -> Path:
        return self.folder / f"{version:04}"


def check_is_private(path: Path) -> None:
    """Raise when others may open a file or folder of secrets.

    Raises:
        ConfigurationError: with what to run.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from error
    if mode & OTHERS:
        wanted = "700" if path.is_dir() else "600"
        raise ConfigurationError(
            f"{path} can be read by others: run chmod {wanted} on it, and hygie keys rotate if "
            "they did."
        )


def _create(path: Path) -> None:
    """Write 32 random bytes, whole or not at all; who comes second takes what the first made."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".kek-") as fresh:  # mode 0600
        fresh.write(secrets.token_bytes(KEY_BYTES))
        fresh.flush()
        os.fsync(fresh.fileno())
        try:
            path.hardlink_to(fresh.name)
        except FileExistsError:
            return
    _sync(path.parent)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
