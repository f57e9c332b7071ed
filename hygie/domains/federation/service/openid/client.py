"""The authorization code flow with PKCE, and the logout that the provider asks for.

OpenID Connect Core 1.0, section 3.1; RFC 6749, 7636 (PKCE), 9207 (issuer of the answer);
OpenID Connect RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey, RSAKey

from hygie.domains.federation.model.providers import Kind, Provider
from hygie.domains.federation.service.openid.metadata import Known
from hygie.domains.federation.service.openid.network import WAIT, Json, get, prepare
from hygie.domains.federation.service.openid.tokens import (
    Expected,
    check_access_token,
    check_id_token,
    check_userinfo,
    private_key,
)
from hygie.kernel.errors import Forbidden, Unavailable

ENTROPY = 32
"""Random bytes of a state, a nonce and a verifier; FranceConnect asks for 32 characters."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in that has begun: what only this browser and this server know."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Proven:
    """What a provider proved: checked claims of the ID token and of userinfo.

    ``id_token`` is kept for the logout, which names the session to end.
    """

    provider: Provider
    subject: str
    acr: str
    claims: Json
    id_token: str


def begin(known: Known, *, redirect_uri: str, language: str = "fr") -> tuple[str, Attempt]:
    """Return the address to send the browser to, and what to remember for its return."""
    state, nonce, verifier = (secrets.token_urlsafe(ENTROPY) for _ in range(3))
    attempt = Attempt(state, nonce, verifier, redirect_uri)
    with session_of(known.provider, redirect_uri=redirect_uri) as session:
        address, _ = session.create_authorization_url(
            known.endpoint("authorization_endpoint"),
            state=attempt.state,
            code_verifier=attempt.verifier,
            nonce=attempt.nonce,
            acr_values=known.provider.acr,
            ui_locales=language,
            **_extra(known.provider),
        )
    return str(address), attempt


def finish(known: Known, answer: Mapping[str, str], attempt: Attempt, *, at: datetime) -> Proven:
    """Return who the provider says has come back, once everything it sent is checked.

    ``answer`` are the parameters of the return, whose ``state`` was looked up before.

    Raises:
        Forbidden: something is not as it must be; nobody is signed in.
        Unavailable: the provider does not answer.
    """
    check_answer(known, answer)
    token = _redeem(known, answer["code"], attempt)
    return proven(known, token, Expected(attempt.nonce, at))


def check_answer(known: Known, answer: Mapping[str, str]) -> None:
    """Check that an answer comes from the provider that was asked (RFC 9207: mix-up).

    Raises:
        Forbidden: it does not, or carries no code.
    """
    promised = known.metadata().get("authorization_response_iss_parameter_supported") is True
    if ("iss" in answer or promised) and answer.get("iss") != known.provider.issuer:
        raise Forbidden("The answer does not come from the provider that was asked.")
    if not answer.get("code"):
        raise Forbidden("The identity provider gave no code.")


def proven(known: Known, token: Json, expected: Expected) -> Proven:
    """Return what a token answer proves: ID token first, then userinfo of the same subject.

    Raises:
        Forbidden: a rule does not hold.
    """
    raw = token.get("id_token")
    bearer = token.get("access_token")
    if not isinstance(raw, str) or not isinstance(bearer, str):
        raise Forbidden("The identity provider gave no ID token.")
    claims = check_id_token(known, raw, expected)
    check_access_token(claims, raw, bearer)
    subject = claims["sub"]
    answer = get(
        known.provider,
        known.endpoint("userinfo_endpoint"),
        headers={"Authorization": f"Bearer {bearer}"},
    )
    if not answer.ok:
        raise Unavailable("The identity provider did not say who you are. Try again in a moment.")
    told = check_userinfo(
        known, answer.content, answer.headers.get("content-type", ""), subject=subject
    )
    return Proven(known.provider, subject, claims["acr"], {**claims, **told}, raw)


def logout_address(known: Known, id_token: str, *, back: str, state: str) -> str:
    """Return where to send the browser to end the session at the provider; empty where it has none.

    Source: OpenID Connect RP-Initiated Logout 1.0, section 2.
    """
    end = known.metadata().get("end_session_endpoint")
    if not isinstance(end, str) or not end:
        return ""
    asked = {"id_token_hint": id_token, "post_logout_redirect_uri": back, "state": state}
    return f"{end}{'&' if '?' in end else '?'}{urlencode(asked)}"


def session_of(provider: Provider, *, redirect_uri: str = "") -> OAuth2Session:
    """Return an Authlib session that authenticates as this client."""
    secret = _secret(provider)
    session = OAuth2Session(
        provider.client_id,
        secret,
        token_endpoint_auth_method=provider.authentication,
        scope=" ".join(provider.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        default_timeout=WAIT,
    )
    prepare(session, provider)
    if provider.authentication == "tls_client_auth":
        session.token_endpoint_auth_method = "none"  # noqa: S105  the certificate authenticates
    if provider.authentication == "private_key_jwt":
        session.register_client_auth_method(PrivateKeyJWT(alg=_algorithm(secret)))
    return session


def _redeem(known: Known, code: str, attempt: Attempt) -> Json:
    with session_of(known.provider, redirect_uri=attempt.redirect_uri) as session:
        return exchange(
            session,
            known.endpoint("token_endpoint"),
            grant_type="authorization_code",
            code=code,
            code_verifier=attempt.verifier,
        )


def exchange(session: OAuth2Session, address: str, **asked: str) -> Json:
    """Ask the token endpoint.

    Raises:
        Forbidden: it refuses.
        Unavailable: it does not answer.
    """
    try:
        return dict(session.fetch_token(address, **asked))
    except AuthlibBaseError as refused:
        raise Forbidden("The identity provider refused the sign-in. Start again.") from refused
    except (requests.RequestException, OSError, ValueError) as gone:
        raise Unavailable("The identity provider does not answer. Try again in a moment.") from gone


def _extra(provider: Provider) -> dict[str, str]:
    """Return what a kind of provider wants besides: FranceConnect its prompt."""
    citizens = {Kind.FRANCECONNECT, Kind.FRANCECONNECT_PLUS}
    return {"prompt": "login consent"} if provider.kind in citizens else {}


def _secret(provider: Provider) -> str | RSAKey | ECKey:
    """Return what authenticates this client: a secret, or the key that signs its assertions."""
    if provider.authentication == "private_key_jwt":
        return private_key(provider.key_file)
    if provider.secret_file:
        return Path(provider.secret_file).read_text("utf-8").strip()
    return ""


def _algorithm(key: object) -> str:
    curves = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
    return curves[key.curve_name] if isinstance(key, ECKey) else "RS256"
