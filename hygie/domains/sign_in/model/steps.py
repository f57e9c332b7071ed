"""Time-based one-time passwords (RFC 6238): which step a code belongs to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable

SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Steps before and after the present one that are accepted: telephones' clocks drift."""


def new_secret() -> str:
    """Return a new secret of 160 bits (RFC 4226, requirement 6), in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """Return the code of one step (RFC 4226, 5.3).

    >>> code_at(base64.b32encode(b"12345678901234567890").decode(), 1)
    '287082'
    """
    key = base64.b32decode(secret, casefold=True)
    mac = hmac.digest(key, struct.pack(">Q", step), hashlib.sha1)
    place = mac[-1] & 0x0F
    value = struct.unpack(">I", mac[place : place + 4])[0] & 0x7FFF_FFFF
    return f"{value % 10**DIGITS:0{DIGITS}}"


def accepted_step(secret: str, typed: str, *, now: float, after: int = -1) -> int | None:
    """Return the step of a code that may be accepted, None where there is none.

    Only a step greater than ``after``, the last one that was accepted: RFC 6238, 5.2 forbids a
    second acceptance. ``now`` is in seconds since 1970.
    """
    present = int(now) // SECONDS
    given = "".join(sign for sign in typed if sign.isdigit())
    same: Callable[[int], bool] = lambda step: hmac.compare_digest(code_at(secret, step), given)  # noqa: E731
    matching = [step for step in range(present - DRIFT, present + DRIFT + 1) if same(step)]
    fresh = [step for step in matching if step > after]
    return max(fresh, default=None)
