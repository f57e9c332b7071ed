"""A client proves itself by its key (RFC 7523; SMART App Launch 2.2.0, asymmetric clients).

Authlib reads the assertion with a fixed set of algorithms that lacks ours and bounds no ``exp``:
the whole check is done here, in the order that leaks least.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidClientError, OAuth2Request
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from django.db import connection
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from hygie.domains.authorization.model.apps import KEY_ALGORITHMS, Proof
from hygie.domains.authorization.model.assertions import fault_of
from hygie.domains.authorization.model.lifetimes import LEEWAY
from hygie.domains.authorization.orm import App
from hygie.domains.authorization.service.outbound import fetch_json
from hygie.domains.authorization.service.places import issuer, now
from hygie.kernel.errors import HygieError

LONGEST = 8 * 1024
FRESH = 300.0
"""Seconds for which keys fetched from an application's server are believed."""
SMALLEST_RSA = 2048
_INSERT = """
INSERT INTO authorization_used (app_id, digest, expires) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""
_fetched: dict[str, tuple[float, dict[str, Any]]] = {}


class KeyProof(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """``private_key_jwt`` with ES384 and RS384 only."""

    CLIENT_AUTH_METHOD = Proof.KEY.value

    def __call__(
        self, query_client: Callable[[str], App | None], request: OAuth2Request
    ) -> App | None:
        """Return the client whose key signed the assertion; None where there is none."""
        form = request.payload.data
        raw = form.get("client_assertion")
        if form.get("client_assertion_type") != self.CLIENT_ASSERTION_TYPE or not raw:
            return None
        client = _named(raw, query_client)
        if form.get("client_id") not in (None, "", client.client_id):
            raise refused("client_id is not the subject of the assertion")
        claims = _verified(raw, client)
        at = now()
        audiences = (f"{issuer()}/oauth/token", issuer())
        fault = fault_of(claims, client=client.client_id, audiences=audiences, at=at)
        if fault:
            raise refused(fault)
        _use_once(client, str(claims["jti"]), float(claims["exp"]))
        return client


def refused(why: str) -> InvalidClientError:
    """Return the refusal of an assertion."""
    return InvalidClientError(description=f"The client assertion is refused: {why}.")


def _named(raw: str, query_client: Callable[[str], App | None]) -> App:
    if len(raw) > LONGEST:
        raise refused("it is too long")
    try:
        payload = msgspec.json.decode(jws.extract_compact(raw.encode()).payload)
    except (JoseError, ValueError) as wrong:
        raise refused("it cannot be read") from wrong
    name = payload.get("sub") if isinstance(payload, dict) else None
    client = query_client(name) if isinstance(name, str) else None
    if client is None or client.proof != Proof.KEY:
        raise refused("no client proves itself so under this id")
    return client


def _verified(raw: str, client: App) -> dict[str, Any]:
    try:
        header = jws.extract_compact(raw.encode()).headers()
        algorithm = header.get("alg")
        if algorithm not in KEY_ALGORITHMS:
            raise refused(f"sign it with {' or '.join(KEY_ALGORITHMS)}")
        key = _key(client, header.get("kid"), str(algorithm))
        registry = JWSRegistry(algorithms=[str(algorithm)])
        found = jws.deserialize_compact(raw, key, registry=registry)
        return msgspec.json.decode(found.payload, type=dict[str, Any])
    except (JoseError, ValueError) as wrong:
        raise refused("its signature is not the client's") from wrong


def _key(client: App, kid: object, algorithm: str) -> Key:
    """Return the registered key of this id: no other one is tried."""
    if not isinstance(kid, str) or not kid:
        raise refused("its header names no key (kid)")
    found = _among(_registered(client), kid)
    if found is None and client.jwks_uri:
        found = _among(_registered(client, again=True), kid)
    wanted = ECKey if algorithm == "ES384" else RSAKey
    if not isinstance(found, wanted):
        raise refused("its key (kid) is not registered for this algorithm")
    return found


def _among(known: dict[str, Any], kid: str) -> Key | None:
    try:
        keys = KeySet.import_key_set(known).keys  # type: ignore[arg-type]  # of its own typed dict
    except (JoseError, ValueError, KeyError, TypeError) as wrong:
        raise refused("the registered keys cannot be read") from wrong
    return next((one for one in keys if one.kid == kid and not one.is_private), None)


def _registered(client: App, *, again: bool = False) -> dict[str, Any]:
    if not client.jwks_uri:
        return dict(client.jwks or {"keys": []})
    at, known = _fetched.get(client.jwks_uri, (float("-inf"), {}))
    age = time.monotonic() - at
    # A key that is new is asked for at once, but no stranger makes us ask again and again.
    if age > FRESH or (again and age > FRESH / 10):
        try:
            known = fetch_json(client.jwks_uri)
        except HygieError as gone:
            raise refused("the keys at its jwks_uri cannot be fetched") from gone
        _fetched[client.jwks_uri] = time.monotonic(), known
    return known


def _use_once(client: App, jti: str, expires: float) -> None:
    until = datetime.fromtimestamp(expires, UTC) + LEEWAY
    mark = hashlib.sha256(jti.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [client.pk, mark, until])
        if cursor.rowcount != 1:
            raise refused("its jti was used before")
