"""What a client assertion must say (RFC 7523, section 3; SMART App Launch 2.2.0)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from hygie.domains.authorization.model.lifetimes import ASSERTION, LEEWAY

LONGEST_JTI = 255


def fault_of(
    claims: Mapping[str, object], *, client: str, audiences: Collection[str], at: datetime
) -> str:
    """Return what is wrong with the claims of an assertion, empty for nothing.

    ``audiences`` are the addresses that mean this server; an assertion for several is refused.
    """
    audience, jti = claims.get("aud"), claims.get("jti")
    named = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != client or claims.get("sub") != client:
        return "iss and sub must both be the client id"
    if len(named) != 1 or named[0] not in audiences:
        return "aud must be the token endpoint or the issuer, and nothing else"
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        return "jti is missing or too long"
    return _fault_of_time(claims, at.timestamp())


def _fault_of_time(claims: Mapping[str, object], now: float) -> str:
    leeway, expires = LEEWAY.total_seconds(), _number(claims.get("exp"))
    if expires is None:
        return "exp is missing"
    if expires + leeway <= now:
        return "it expired"
    if expires > now + ASSERTION.total_seconds() + leeway:
        return "exp is more than five minutes ahead"
    for name in ("nbf", "iat"):
        since = _number(claims.get(name, now))
        if since is None or since > now + leeway:
            return f"{name} is in the future"
    return ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
