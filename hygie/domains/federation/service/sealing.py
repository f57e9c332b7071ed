"""What is kept of an outside identity between two pages, encrypted with our own key."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.secret import Sealer, secret_key
from hygie.kernel.web.bridge import platform


def seal(what: object, *, reader: str) -> str:
    """Return something as a sealed text, for one reader such as ``case``."""
    return _sealer(secret_key(platform().settings)).seal(msgspec.json.encode(what), reader=reader)


def unseal(text: str, *, reader: str) -> Any:
    """Return what was sealed.

    Raises:
        InvalidRequest: it was sealed by another installation, or for another reader.
    """
    try:
        return msgspec.json.decode(
            _sealer(secret_key(platform().settings)).open(text, reader=reader)
        )
    except ValueError as other:
        raise InvalidRequest("This sign-in is over. Start again.") from other


@lru_cache(maxsize=2)
def _sealer(secret: str) -> Sealer:
    return Sealer(secret, purpose="outside identity")
