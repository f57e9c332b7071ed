"""Keys of what this domain stores, derived from the secret: never in the database."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache

from django.conf import settings

from hygie.kernel.security.secret import Sealer

OWNER = "sign_in"


def code_key() -> bytes:
    """Return the key under which one-time codes are fingerprinted."""
    return hmac.digest(str(settings.SECRET_KEY).encode(), b"hygie one-time codes 1", hashlib.sha256)


@cache
def factor_sealer() -> Sealer:
    """Return what seals the secrets of factors."""
    return Sealer(str(settings.SECRET_KEY), purpose="factors")


def seal(text: str) -> str:
    """Return a secret as it is stored."""
    return factor_sealer().seal(text.encode(), reader=OWNER)


def unseal(sealed: str) -> str:
    """Return a stored secret; a ValueError says that it was sealed under another key."""
    return factor_sealer().open(sealed, reader=OWNER).decode()
