"""The keys of the provider: made ahead, published before use, sealed on the disk, then forgotten.

Source: OpenID Connect Core 1.0, section 10.1.1 (rotation of asymmetric signing keys).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from hygie.domains.authorization.model.apps import SIGNATURES
from hygie.domains.authorization.model.lifetimes import PUBLISHED_AFTER, PUBLISHED_BEFORE, SIGNING
from hygie.domains.authorization.orm import SigningKey
from hygie.domains.authorization.service.places import issuer, now
from hygie.kernel.errors import InvalidRequest, Unavailable
from hygie.kernel.security.keys import NO_PATIENT, Place
from hygie.kernel.web.bridge import ask, repository

Json = dict[str, Any]
_LOCK = 0x6F696463
"""Advisory lock of whoever makes keys."""
_REMEMBERED = 300.0
"""Seconds an unsealed key stays in memory."""
_open: dict[uuid.UUID, tuple[float, ECKey | RSAKey]] = {}


def sign(claims: Mapping[str, object], *, algorithm: str, kind: str = "JWT") -> str:
    """Return a JWT signed by the key that signs now; ``kind`` is its ``typ``."""
    kept = _current(algorithm)
    header = {"alg": algorithm, "kid": str(kept.pk), "typ": kind}
    return jwt.encode(header, dict(claims), _unsealed(kept), [algorithm])


def published() -> Json:
    """Return the public keys (RFC 7517): the one that signs, the next and the last one."""
    kept = list(SigningKey.objects.filter(retires__gt=now()).order_by("starts"))
    if not kept:
        rotate(now())
        return published()
    return {"keys": [one.public for one in kept]}


def read_hint(token: str) -> Json:
    """Return the claims of an ID token of ours, expired or not (``id_token_hint``).

    Raises:
        InvalidRequest: it is not ours.
    """
    try:
        keys = KeySet.import_key_set(published())  # type: ignore[arg-type]  # of its own typed dict
        registry = JWSRegistry(algorithms=list(SIGNATURES))
        found = msgspec.json.decode(
            jws.deserialize_compact(token, keys, registry=registry).payload, type=dict[str, Any]
        )
    except (JoseError, ValueError) as wrong:
        raise InvalidRequest("id_token_hint is no ID token of this provider.") from wrong
    if found.get("iss") != issuer():
        raise InvalidRequest("id_token_hint is of another provider.")
    return found


def rotate(at: datetime) -> int:
    """Make the next keys where it is time, forget those that retired; return how many were made."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        SigningKey.objects.filter(retires__lte=at).delete()
        return sum(_make_next(algorithm, at) for algorithm in SIGNATURES)


def _make_next(algorithm: str, at: datetime) -> bool:
    last = SigningKey.objects.filter(algorithm=algorithm).order_by("-ends").first()
    if last is not None and last.ends - at > PUBLISHED_BEFORE:
        return False
    starts = last.ends if last is not None and last.ends > at else at
    name = uuid.uuid4()
    key = _generated(algorithm, str(name))
    raw = msgspec.json.encode(key.as_dict(private=True))
    SigningKey.objects.create(
        id=name,
        algorithm=algorithm,
        public=key.as_dict(private=False),
        sealed=ask(repository().keyring.seal(raw, _place(name))),
        starts=starts,
        ends=starts + SIGNING,
        retires=starts + SIGNING + PUBLISHED_AFTER,
    )
    return True


def _generated(algorithm: str, kid: str) -> ECKey | RSAKey:
    said = {"use": "sig", "alg": algorithm, "kid": kid}
    if algorithm == "RS256":
        return RSAKey.generate_key(2048, said)  # type: ignore[arg-type]  # of its own typed dict
    return ECKey.generate_key("P-256", said)  # type: ignore[arg-type]  # as above


def _current(algorithm: str) -> SigningKey:
    at = now()
    signing = SigningKey.objects.filter(algorithm=algorithm, starts__lte=at, ends__gt=at)
    found = signing.order_by("-starts").first()
    if found is None:
        rotate(at)
        found = signing.order_by("-starts").first()
    if found is None:
        raise Unavailable("The provider has no key to sign with; retry in a moment.")
    return found


def _unsealed(kept: SigningKey) -> ECKey | RSAKey:
    until, key = _open.get(kept.pk, (0.0, None))
    if key is not None and until > time.monotonic():
        return key
    raw = ask(repository().keyring.unseal(bytes(kept.sealed), _place(kept.pk)))
    read = msgspec.json.decode(raw)
    key = RSAKey.import_key(read) if kept.algorithm == "RS256" else ECKey.import_key(read)
    _open[kept.pk] = time.monotonic() + _REMEMBERED, key
    return key


def _place(name: uuid.UUID) -> Place:
    return Place(NO_PATIENT, 0, name, 1)
