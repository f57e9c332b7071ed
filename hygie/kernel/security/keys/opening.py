"""Which key service serves: the token of ``HYGIE_KEYS``, else files of the data folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hygie.kernel.config import Settings
from hygie.kernel.database import folders
from hygie.kernel.security.keys.address import read_address
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.hsm import TokenKeys
from hygie.kernel.security.keys.port import KeyPort


def open_port(settings: Settings) -> KeyPort:
    """Return the key service of these settings; a first key is made where there is none.

    Raises:
        ConfigurationError: others may read a key or the PIN, or the token cannot be opened.
        Unavailable: the token does not answer.
    """
    if settings.keys:
        return _token(settings.keys)
    return FileKeys(kek_folder(settings.data))


def check_keys(settings: Settings) -> None:
    """Raise when the keys are not ready or not safe; before anything is served.

    Raises:
        ConfigurationError: with what to change.
        Unavailable: the token does not answer.
    """
    open_port(settings)


def kek_folder(data: Path) -> Path:
    """Return where the files of key-encryption keys are."""
    return folders.keys(data) / "kek"


@cache
def _token(address: str) -> KeyPort:
    # A process logs in to a token once.
    return TokenKeys(read_address(address))
