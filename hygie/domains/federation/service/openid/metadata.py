"""What a provider says of itself: endpoints (OpenID Connect Discovery 1.0) and keys (RFC 7517)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hygie.domains.federation.model.providers import Provider
from hygie.domains.federation.service.openid.network import Json, get, read_json
from hygie.kernel.errors import ConfigurationError, Unavailable

KEPT = 600.0
"""Seconds a provider's description is kept."""
PATIENCE = 60.0
"""Seconds between two looks for a key nobody knows: a forged ``kid`` must not make us knock."""
DISCOVERY = "/.well-known/openid-configuration"


@dataclass(slots=True)
class Known:
    """What this process knows of one provider; safe among the threads that serve pages.

    Attributes:
        clock: seconds that only go forward.
        fetches: how often the keys were fetched, for the tests.
    """

    provider: Provider
    clock: Callable[[], float] = time.monotonic
    fetches: int = 0
    _metadata: Json = field(default_factory=dict)
    _read_at: float = float("-inf")
    _keys: KeySet | None = None
    _looked_at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def metadata(self) -> Json:
        """Return the provider's description, with the endpoints that the settings override.

        Raises:
            ConfigurationError: it describes another issuer (OpenID Connect Discovery 1.0, 4.3).
            Unavailable: it cannot be read.
        """
        with self._lock:
            if self.clock() - self._read_at > KEPT:
                told = read_json(get(self.provider, self.provider.issuer.rstrip("/") + DISCOVERY))
                if told.get("issuer") != self.provider.issuer:
                    raise ConfigurationError("The provider describes itself as another issuer.")
                self._metadata = {**told, **self.provider.endpoints}
                self._read_at = self.clock()
            return self._metadata

    def endpoint(self, name: str) -> str:
        """Return the address of an endpoint, such as ``token_endpoint``.

        Raises:
            ConfigurationError: the provider has none.
        """
        found = self.metadata().get(name)
        if not isinstance(found, str) or not found:
            raise ConfigurationError(f"The provider has no {name}: name it in HYGIE_PROVIDERS.")
        return found

    def keys(self, kid: str | None) -> KeySet:
        """Return the provider's keys, read again where they do not hold one, rarely."""
        address = self.endpoint("jwks_uri")
        with self._lock:
            held = self._keys
            if held is not None and (_holds(held, kid) or not self._may_look()):
                return held
            if held is not None:
                self._looked_at = self.clock()
            self.fetches += 1
            self._keys = _read_keys(self.provider, address)
            return self._keys

    def _may_look(self) -> bool:
        return self.clock() - self._looked_at > PATIENCE


def _holds(keys: KeySet, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys.keys)


def _read_keys(provider: Provider, address: str) -> KeySet:
    told = read_json(get(provider, address))
    try:
        return KeySet.import_key_set(msgspec.convert(told, type=dict))  # type: ignore[arg-type]
    except (JoseError, KeyError, ValueError, TypeError) as wrong:
        raise Unavailable("The keys of the identity provider cannot be read.") from wrong
