"""Keys of a simulator and what it signs, with the faults that negative tests switch on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

Json = dict[str, Any]
HOUR = 3600


class Keys:
    """ES256 keys of a simulator, in a file that every worker reads; the last one signs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        if not file.exists():
            self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on; the one before is still published."""
        kept = self._all()[-1:] if self._file.exists() else []
        fresh = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".new")
        part.write_bytes(
            msgspec.json.encode(
                [*(one.as_dict(private=True) for one in kept), fresh.as_dict(private=True)]
            )
        )
        part.rename(self._file)

    def current(self) -> ECKey:
        """Return the key that signs."""
        return self._all()[-1]

    def published(self) -> Json:
        """Return the public keys (RFC 7517)."""
        return {"keys": [one.as_dict(private=False) for one in self._all()]}

    def _all(self) -> list[ECKey]:
        return [ECKey.import_key(one) for one in msgspec.json.decode(self._file.read_bytes())]


def signed(keys: Keys, claims: Json, *, faults: AbstractSet[str] = frozenset()) -> str:
    """Return a JWT; a fault may sign it by nobody, by a guess, or by a key of somebody else."""
    key = keys.current()
    payload = msgspec.json.encode(claims)
    if "alg-none" in faults:
        return f"{_part({'alg': 'none'})}.{_base64(payload)}."
    if "alg-hs256" in faults:  # the public key taken for a shared secret (RFC 8725, section 2.1)
        start = f"{_part({'alg': 'HS256', 'kid': key.kid})}.{_base64(payload)}"
        mark = hmac.new(key.as_pem(private=False), start.encode(), hashlib.sha256).digest()
        return f"{start}.{_base64(mark)}"
    if "other-key" in faults:
        other = ECKey.generate_key("P-256")
        return jws.serialize_compact({"alg": "ES256", "kid": key.kid}, payload, other)
    kid = "nobody-knows" if "unknown-kid" in faults else key.kid
    return jws.serialize_compact({"alg": "ES256", "kid": kid, "typ": "JWT"}, payload, key)


def _part(header: Json) -> str:
    return _base64(msgspec.json.encode(header))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def encrypted(raw: str, public: bytes) -> str:
    """Return a JWT in a JWE for the owner of an RSA key (FranceConnect+: RSA-OAEP, A256GCM)."""
    header = {"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}
    key = RSAKey.import_key(public)
    return jwe.encrypt_compact(header, raw, key, algorithms=["RSA-OAEP", "A256GCM"])


def faulty(claims: Json, faults: AbstractSet[str]) -> Json:
    """Return the claims of an ID token with the faults that are switched on."""
    changed = dict(claims)
    now = int(time.time())
    changes: dict[str, Json] = {
        "low-acr": {"acr": "eidas1"},
        "unknown-acr": {"acr": "eidas9"},
        "wrong-nonce": {"nonce": "somebody-elses"},
        "nonce-unsupported": {"nonce": "somebody-elses", "nonce_supported": False},
        "wrong-issuer": {"iss": "https://elsewhere.example.org"},
        "wrong-audience": {"aud": "somebody-else"},
        "wrong-azp": {"aud": [claims["aud"], "other"], "azp": "other"},
        "expired": {"exp": now - HOUR},
        "old": {"iat": now - HOUR},
        "future": {"nbf": now + HOUR},
        "no-subject": {"sub": ""},
        "other-access-token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    }
    removed = {"no-acr": "acr", "no-nonce": "nonce", "no-expiry": "exp"}
    for fault in faults & set(changes):
        changed |= changes[fault]
    for fault in faults & set(removed):
        changed.pop(removed[fault], None)
    return changed
