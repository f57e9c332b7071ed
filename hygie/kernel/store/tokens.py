"""Hashed tokens: the 64-bit values that token, reference and uri searches compare.

The hashed text is versioned by the ``person`` of BLAKE2b: changing a form means a new version and a
reindex. Forms of a token parameter (FHIR R4, search.html#token): ``system|code``, ``|code`` (no
system), ``code`` alone whatever the system, ``system|`` whatever the code.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

_VERSION = b"hygie-token-1"
_ANY = "\x1e"


@lru_cache(maxsize=65_536)
def token(*parts: str) -> int:
    """Return the signed 64-bit hash of a tuple of texts."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8, person=_VERSION).digest()
    return int.from_bytes(digest, "big", signed=True)


def code_token(param: str, system: str, code: str) -> int:
    """Return the token of ``system|code``; an empty system is the form ``|code``."""
    return token(param, system, code)


def any_system(param: str, code: str) -> int:
    """Return the token of ``code`` alone."""
    return token(param, _ANY, code)


def any_code(param: str, system: str) -> int:
    """Return the token of ``system|``."""
    return token(param, system, _ANY)


def typed_identifier(param: str, system: str, code: str, value: str) -> int:
    """Return the token of ``:of-type`` (system|code|value)."""
    return token(param, "of-type", system, code, value)


def reference_token(param: str, rt: str, rid: str) -> int:
    """Return the token of a literal reference to a resource of this server."""
    return token(param, "ref", rt, rid)


def url_token(param: str, url: str) -> int:
    """Return the token of an absolute or canonical reference, or of a uri."""
    return token(param, "url", url)


def reference_identifier(param: str, system: str, value: str) -> int:
    """Return the token of a logical reference, for ``:identifier``."""
    return token(param, "ref-id", system, value)


def reference_identifier_any(param: str, value: str) -> int:
    """Return the token of a logical reference by its value, whatever the system."""
    return token(param, "ref-id", _ANY, value)


def composite_token(param: str, *components: int) -> int:
    """Return the token of a composite whose components are all tokens."""
    return token(param, "composite", *(str(component) for component in components))


def unit_token(system: str, code: str, name: str = "") -> int:
    """Return the token of a unit, as kept in ``s_number.unit``; 0 where there is no unit.

    ``name`` is the unit as people read it, where it is not the code: it can be searched too.
    """
    if not code:
        return 0
    return token("unit", system, code, name) if name else token("unit", system, code)
