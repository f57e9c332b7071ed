"""Check what a provider signed (OpenID Connect Core 1.0, sections 3.1.3.7 and 5.3.2; RFC 8725).

Every rule is written here once: pinned algorithms, issuer, audience, time, nonce, subject, level.
The rules do not look at what the token says of them: ``nonce_supported: false`` changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Never

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwe, jws
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from hygie.domains.federation.model.levels import check_level
from hygie.domains.federation.model.providers import Provider
from hygie.domains.federation.service.openid.metadata import Known
from hygie.kernel.errors import ConfigurationError, Forbidden

LEEWAY = 60
"""Seconds by which the provider's clock may differ."""
OLDEST = 600
"""Seconds after which an ID token is too old to sign anybody in."""
LONGEST = 128 * 1024
LONGEST_SUBJECT = 255
KEY_WRAPS, CONTENTS = (
    ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"),
    (
        "A128GCM",
        "A256GCM",
        "A128CBC-HS256",
        "A256CBC-HS512",
    ),
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must answer: the nonce that was sent (None in CIBA), when it is read."""

    nonce: str | None
    at: datetime


def check_id_token(known: Known, raw: str, expected: Expected) -> Json:
    """Return the claims of an ID token once every rule holds.

    Raises:
        Forbidden: one does not; nobody is signed in.
    """
    provider = known.provider
    claims = verified(known, raw)
    _check_origin(provider, claims)
    _check_time(claims, expected.at)
    if expected.nonce is not None:
        _check_nonce(claims.get("nonce"), expected.nonce)
    claims["acr"] = check_level(
        provider.kind, claims.get("acr"), asked=provider.acr, at=expected.at.date()
    )
    return claims


def check_access_token(claims: Json, raw: str, bearer: str) -> None:
    """Check that an access token came with this ID token, where the ID token says so.

    OpenID Connect Core 1.0, section 3.1.3.8: the left half of the hash that the signature uses.

    Raises:
        Forbidden: it came with another.
    """
    if "at_hash" not in claims:
        return
    size = str(jws.extract_compact(raw.encode()).headers()["alg"])[-3:]
    digest = hashlib.new(f"sha{size}", bearer.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if claims["at_hash"] != half:
        _refuse("the access token is not the one of the ID token")


def check_userinfo(known: Known, answer: bytes, kind: str, *, subject: str) -> Json:
    """Return the claims of userinfo, whose form is the one agreed with the provider.

    ``kind`` is the content type received; ``subject`` the ``sub`` of the ID token, which must be
    the same (OpenID Connect Core 1.0, section 5.3.2).

    Raises:
        Forbidden: it is unsigned, not encrypted, of another form, issuer, audience or subject.
    """
    provider = known.provider
    if len(answer) > LONGEST:
        _refuse("userinfo is too long")
    signed = kind.partition(";")[0].strip().lower() == "application/jwt"
    if provider.userinfo == "plain":
        if signed:
            _refuse("userinfo is of another form than was agreed")
        claims = _object(answer)
    else:
        if not signed:
            _refuse("userinfo is not signed")
        raw = _text(answer)
        claims = verified(
            known, _opened(provider, raw) if provider.userinfo == "encrypted" else raw
        )
        _check_origin(provider, claims)
    if claims.get("sub") != subject:
        _refuse("userinfo is about somebody else")
    return claims


def verified(known: Known, raw: str) -> Json:
    """Return the claims of a JWT signed by the provider, by a pinned algorithm.

    Raises:
        Forbidden: it is not.
    """
    allowed = known.provider.algorithms
    if len(raw) > LONGEST:
        _refuse("the token is too long")
    try:
        header = jws.extract_compact(raw.encode()).headers()
        if header.get("alg") not in allowed:
            _refuse("the token is signed by an algorithm that was not agreed")
        registry = JWSRegistry(algorithms=list(allowed), strict_check_header=False)
        found = jws.deserialize_compact(raw, known.keys(header.get("kid")), registry=registry)
    except (JoseError, ValueError) as wrong:
        raise _refusal("the signature of the token is not the provider's") from wrong
    return _object(found.payload)


def _opened(provider: Provider, raw: str) -> str:
    """Return the JWT inside a JWE made for us (RFC 7516)."""
    try:
        protected = jwe.decrypt_compact(
            raw,
            private_key(provider.decryption_key_file),
            # Header members nobody knows are ignored (RFC 7516, section 4): providers repeat
            # claims there. Those named by "crit" are still refused.
            registry=JWERegistry(algorithms=[*KEY_WRAPS, *CONTENTS], strict_check_header=False),
        )
    except (JoseError, ValueError) as wrong:
        raise _refusal("userinfo is not encrypted for us") from wrong
    return _text(protected.plaintext or b"")


def private_key(file: str) -> RSAKey | ECKey:
    """Return the private key of a PEM file.

    Raises:
        ConfigurationError: the file cannot be read, or holds no RSA or elliptic key.
    """
    try:
        pem = Path(file).read_bytes()
        known = load_pem_private_key(pem, password=None)
    except (OSError, ValueError, TypeError) as wrong:
        raise ConfigurationError(
            f"{file} holds no private key in PEM, without passphrase."
        ) from wrong
    kind = RSAKey if isinstance(known, RSAPrivateKey) else ECKey
    return kind.import_key(pem)


def _check_origin(provider: Provider, claims: Json) -> None:
    """Check who speaks and to whom; the same for ID tokens and signed userinfo."""
    if claims.get("iss") != provider.issuer:
        _refuse("the issuer is another")
    audience = claims.get("aud")
    named: Collection[object] = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in named:
        _refuse("the token is for somebody else")
    if (len(named) > 1 or "azp" in claims) and claims.get("azp") != provider.client_id:
        _refuse("the token was asked for by somebody else")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        _refuse("the token names nobody")


def _check_nonce(received: object, sent: str) -> None:
    if not isinstance(received, str) or not hmac.compare_digest(received.encode(), sent.encode()):
        _refuse("the nonce is not the one that was sent")


def _check_time(claims: Json, at: datetime) -> None:
    now = at.timestamp()
    expires, issued = _number(claims, "exp"), _number(claims, "iat")
    before = _number(claims, "nbf") if "nbf" in claims else now
    if now >= expires + LEEWAY or before > now + LEEWAY:
        _refuse("the token does not hold now")
    if not now - OLDEST - LEEWAY <= issued <= now + LEEWAY:
        _refuse("the token was not issued a moment ago")


def _number(claims: Json, name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        _refuse("the token does not say until when it holds")
    return float(value)


def _object(raw: bytes) -> Json:
    try:
        found = msgspec.json.decode(raw)
    except msgspec.DecodeError as wrong:
        raise _refusal("the claims cannot be read") from wrong
    if not isinstance(found, dict):
        _refuse("the claims cannot be read")
    return found


def _text(raw: bytes) -> str:
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError as wrong:
        raise _refusal("userinfo cannot be read") from wrong


def _refusal(why: str) -> Forbidden:
    return Forbidden(f"The answer of the identity provider is refused: {why}.")


def _refuse(why: str) -> Never:
    raise _refusal(why)
