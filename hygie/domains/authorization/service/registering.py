"""Register an application, decide about it, end it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import transaction
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import (
    CHANGES,
    CIBA,
    CODE,
    CREDENTIALS,
    REFRESH,
    Audience,
    Proof,
    State,
    check_outbound,
    check_redirect,
    check_web,
)
from hygie.domains.authorization.orm import App, Family, Pairing
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service.places import now, realm
from hygie.kernel.errors import Conflict, InvalidRequest
from hygie.kernel.security.applications import Application
from hygie.kernel.security.scopes import is_clinical
from hygie.kernel.web import tokens as kernel
from hygie.kernel.web.tokens import check_scope

MOST_ADDRESSES = 10
_TEXTS = (
    *("name", "publisher", "contact", "purpose_fr", "purpose_en", "privacy_url", "reasons"),
    *("launch_uri", "logout_uri", "jwks_uri"),
)
_UNSTATED = ("jwks", "grants", "approved", "secret", "acts_as", "decided", "decided_by")
_MUST = ("name", "publisher", "contact", "purpose_fr", "purpose_en", "privacy_url")


@dataclass(frozen=True, slots=True)
class Registered:
    """A new registration; ``secret`` is shown once and kept nowhere, empty where there is none."""

    app: App
    secret: str


def register(form: Mapping[str, str], *, ciba: bool = False) -> Registered:
    """Keep a registration, which waits for a decision.

    Raises:
        InvalidRequest: with the field that is wrong.
    """
    given = {name: form.get(name, "").strip() for name in _TEXTS}
    missing = [name for name in _MUST if not given[name]]
    if missing:
        raise InvalidRequest(f"Fill in {', '.join(missing)}.")
    audience, proof = _one_of(Audience, form, "audience"), _one_of(Proof, form, "proof")
    app = App(
        realm=realm(),
        audience=audience,
        proof=proof,
        redirect_uris=[check_redirect(one) for one in _lines(form, "redirect_uris")],
        post_logout_uris=[check_redirect(one) for one in _lines(form, "post_logout_uris")],
        asked=_scope(form.get("asked", "").split()),
        jwks=_keys(form.get("jwks", "").strip()),
        grants=_grants(audience, ciba=ciba),
        signature="RS256" if form.get("signature") == "RS256" else "ES256",
        **given,
    )
    _check_is_whole(app)
    secret = secrets.token_urlsafe(32) if proof == Proof.SECRET else ""
    app.secret = digest(secret) if secret else None
    _check_lengths(app)
    app.save()
    return Registered(app, secret)


def decide(app: App, state: State, *, by: Any, reason: str = "", **chosen: Any) -> None:
    """Approve, refuse or end an application; ``chosen`` is what is approved of it.

    Raises:
        Conflict: it is in another state by now.
        InvalidRequest: a refusal gives no reason.
    """
    if state in (State.REFUSED, State.ENDED) and not reason.strip():
        raise InvalidRequest("Say why, in plain words: the integrator reads it.")
    with transaction.atomic():
        app = App.objects.select_for_update().get(pk=app.pk)
        if state not in CHANGES[State(app.state)]:
            raise Conflict("Somebody decided meanwhile; read again.")
        app.state, app.reason, app.decided, app.decided_by = state, reason.strip(), now(), by
        for name, value in chosen.items():
            setattr(app, name, value)
        app.save()
    if state == State.APPROVED:
        tell_engine(app)
    elif state == State.ENDED:
        end_all(app)


def tell_engine(app: App) -> None:
    """Let the engine know the application: its name, its secret's digest, its origins."""
    secret = bytes(app.secret) if app.secret is not None else None
    kernel.tell_engine(
        Application(app.client_id, app.name, secret, app.introspects, tuple(app.origins))
    )


def end_all(app: App) -> None:
    """End everything an application was given, by everybody."""
    Pairing.objects.filter(app=app, ended=None).update(ended=now())
    Family.objects.filter(app=app, ended=None).update(ended=now())
    kernel.end_application(app.client_id)


def approved_scope(app: App, ticked: Sequence[str]) -> list[str]:
    """Return what an administrator approves of what was asked: nothing else can be ticked."""
    return [word for word in app.asked if word in ticked]


def calls_from(origin: str) -> bool:
    """Tell whether pages of an approved application call from this origin."""
    apps = App.objects.filter(state=State.APPROVED, realm=realm(), proof=Proof.NONE)
    return any(origin in one.origins for one in apps)


def _grants(audience: str, *, ciba: bool) -> list[str]:
    if audience == Audience.SERVICE:
        return [CREDENTIALS]
    return [CODE, REFRESH, *([CIBA] if ciba else [])]


def _check_is_whole(app: App) -> None:
    """Refuse a registration whose parts do not go together.

    Raises:
        InvalidRequest: with what is missing.
    """
    if not app.asked:
        raise InvalidRequest("List the scopes that the application asks for.")
    service = app.audience == Audience.SERVICE
    if service and app.proof != Proof.KEY:
        raise InvalidRequest("A service proves itself by its key.")
    if not service and not app.redirect_uris:
        raise InvalidRequest("Give a redirect address.")
    if (app.proof == Proof.KEY) == (not app.jwks and not app.jwks_uri):
        raise InvalidRequest("Give keys, by value or by address, for private_key_jwt only.")
    if app.launch_uri and words.LAUNCH not in app.asked:
        raise InvalidRequest("An application that is launched asks for the scope launch.")
    _check_addresses(app)


def _check_addresses(app: App) -> None:
    check_web(app.privacy_url)
    if app.launch_uri:
        check_web(app.launch_uri)
    for address in (app.logout_uri, app.jwks_uri):
        if address:
            check_outbound(address, realm=app.realm)


def _check_lengths(app: App) -> None:
    from django.core.exceptions import ValidationError  # noqa: PLC0415  as models are

    try:
        app.clean_fields(exclude=_UNSTATED)
    except ValidationError as wrong:
        raise InvalidRequest(f"Correct {', '.join(sorted(wrong.message_dict))}.") from wrong


def _scope(asked: Sequence[str]) -> list[str]:
    named = [word for word in asked if not is_clinical(word) and word != words.INTROSPECTION]
    unknown = [word for word in named if not words.names_no_data(word)]
    if unknown:
        raise InvalidRequest(f"{unknown[0]} is no scope of this provider.")
    if len(asked) > words.MOST:
        raise InvalidRequest("There are too many scopes.")
    check_scope(tuple(asked))
    return list(dict.fromkeys(asked))


def _keys(text: str) -> dict[str, Any] | None:
    """Return public keys that an assertion may be signed with (RFC 7517).

    Raises:
        InvalidRequest: they cannot be read, one is private, too weak or has no ``kid``.
    """
    if not text:
        return None
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
        keys = KeySet.import_key_set(given).keys  # type: ignore[arg-type]  # of its own typed dict
    except (msgspec.DecodeError, JoseError, ValueError, KeyError, TypeError) as wrong:
        raise InvalidRequest("The keys are no JSON Web Key Set.") from wrong
    for raw, key in zip(given["keys"], keys, strict=True):
        strong = (isinstance(key, ECKey) and raw.get("crv") == "P-384") or isinstance(key, RSAKey)
        if key.is_private or not raw.get("kid") or not strong:
            raise InvalidRequest("Give public keys with a kid: EC P-384 (ES384) or RSA (RS384).")
    return given


def _lines(form: Mapping[str, str], name: str) -> list[str]:
    found = form.get(name, "").split()
    if len(found) > MOST_ADDRESSES:
        raise InvalidRequest(f"Give at most {MOST_ADDRESSES} addresses.")
    return list(dict.fromkeys(found))


def _one_of(kind: Any, form: Mapping[str, str], name: str) -> str:
    try:
        return str(kind(form.get(name, "")).value)
    except ValueError as wrong:
        raise InvalidRequest(f"Choose {name}.") from wrong
