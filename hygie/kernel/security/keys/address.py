"""Addresses of PKCS#11 tokens (RFC 7512), as ``HYGIE_KEYS`` gives them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from hygie.kernel.errors import ConfigurationError

SCHEME = "pkcs11:"
LABEL = "hygie-kek"


@dataclass(frozen=True, slots=True)
class Token:
    """Where the key-encryption keys are.

    Attributes:
        module: the shared library of the token's maker (``module-path``).
        token: label of the token.
        label: label that all versions share (``object``); the version is their ``CKA_ID``.
        pin: file that holds the PIN (``pin-source``), readable by its owner only.
    """

    module: Path
    token: str
    label: str
    pin: Path


def read_address(text: str) -> Token:
    """Return what a ``pkcs11:`` address says.

    >>> read_address("pkcs11:token=hygie?module-path=/usr/lib/hsm.so&pin-source=/etc/pin").token
    'hygie'

    Raises:
        ConfigurationError: it is not such an address, or lacks a part.
    """
    if not text.startswith(SCHEME):
        raise _unreadable()
    path, _, query = text.removeprefix(SCHEME).partition("?")
    found = dict(_pair(part) for part in [*path.split(";"), *query.split("&")] if part)
    try:
        return Token(
            module=Path(found["module-path"]),
            token=found["token"],
            label=found.get("object", LABEL),
            pin=Path(found["pin-source"].removeprefix("file:")),
        )
    except KeyError as error:
        raise _unreadable() from error


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, unquote(value)


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "HYGIE_KEYS is empty (keys in files of the data folder) or the address of a PKCS#11 "
        "token: pkcs11:token=LABEL?module-path=LIBRARY&pin-source=FILE."
    )
