"""Requests for authorization: read, measured against every rule, and kept until their answer.

Sources: RFC 6749, section 4.1.1; OpenID Connect Core 1.0, section 3.1.2; RFC 9126 (pushed
requests); RFC 9207 (``iss`` in every answer); SMART App Launch 2.2.0, "Obtain authorization code".
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Never
from urllib.parse import urlencode, urlsplit, urlunsplit

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from django.db.models import Q

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import CODE, Audience
from hygie.domains.authorization.model.lifetimes import PUSHED, REQUEST
from hygie.domains.authorization.orm import App, Asked, Launch
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service.asking import Asking
from hygie.domains.authorization.service.grants import plain
from hygie.domains.authorization.service.places import fhir_base, issuer, now
from hygie.domains.authorization.service.server import server
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.security.scopes import is_clinical
from hygie.kernel.web.tokens import check_scope

PREFIX = "urn:ietf:params:oauth:request_uri:"
PROMPTS = ("none", "login", "consent")
_KEPT = (
    *("redirect_uri", "state", "nonce", "code_challenge", "scope", "acr_values"),
    *("max_age", "prompt", "login_hint"),
)
_REFUSED = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}
LONGEST_STATE = 500


class _Refused(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(plain(sentence), error=error)


def begin(values: Mapping[str, str]) -> str:
    """Keep a request of a browser; return the ticket with which it goes on.

    Raises:
        OAuth2Error: with where to send the refusal, or without an address to show it here.
    """
    if values.get("request_uri", "").startswith(PREFIX):
        return _fetch_pushed(values)
    app = _checked(values)
    return _keep(app, values, pushed=False)


def push(app: App, values: Mapping[str, str]) -> dict[str, Any]:
    """Keep a request that the application itself sent; return the address that names it.

    Raises:
        OAuth2Error: it breaks a rule.
    """
    asked = {**values, "client_id": app.client_id}
    try:
        _checked(asked)
    except OAuth2Error as wrong:
        wrong.redirect_uri = None  # the application hears of it at once, the browser never
        raise
    ticket = _keep(app, asked, pushed=True)
    return {"request_uri": PREFIX + ticket, "expires_in": int(PUSHED.total_seconds())}


def find(ticket: str) -> Asked:
    """Return the request of a ticket.

    Raises:
        InvalidRequest: it is unknown, answered, or too late.
    """
    found = (
        Asked.objects.filter(digest=digest(ticket), pushed=False, answered=None)
        .filter(expires__gt=now())
        .select_related("app", "launch")
        .first()
    )
    if found is None:
        raise InvalidRequest("This request is over. Go back to the application and start again.")
    return found


def refusal(asked: Asked, error: str, sentence: str) -> str:
    """Answer a request with a refusal; return the address that takes it to the application."""
    answered(asked)
    told = {"error": error, "error_description": plain(sentence)}
    return leave(asked.parameters["redirect_uri"], told, state=asked.parameters["state"])


def answered(asked: Asked) -> None:
    """Mark a request answered: it is answered once.

    Raises:
        InvalidRequest: it was answered meanwhile.
    """
    if not Asked.objects.filter(pk=asked.pk, answered=None).update(answered=now()):
        raise InvalidRequest("This request was answered. Start again from the application.")


def leave(redirect_uri: str, told: Mapping[str, str], *, state: str) -> str:
    """Return an address of the application with an answer, ``state`` and ``iss`` (RFC 9207)."""
    parts = urlsplit(redirect_uri)
    added = urlencode({**told, "state": state, "iss": issuer()} if state else {**told})
    query = f"{parts.query}&{added}" if parts.query else added
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _keep(app: App, values: Mapping[str, str], *, pushed: bool) -> str:
    ticket = secrets.token_urlsafe(32)
    Asked.objects.create(
        digest=digest(ticket),
        app=app,
        parameters={name: values[name] for name in _KEPT if name in values},
        pushed=pushed,
        launch=_launch(app, values),
        expires=now() + (PUSHED if pushed else REQUEST),
    )
    return ticket


def _fetch_pushed(values: Mapping[str, str]) -> str:
    """Return the ticket of a pushed request: fetched once, by the application that pushed it.

    Raises:
        OAuth2Error: it is unknown, of another, or was fetched.
    """
    ticket = values["request_uri"].removeprefix(PREFIX)
    mine = Q(digest=digest(ticket), app__client_id=values.get("client_id", ""))
    fresh = Asked.objects.filter(mine, pushed=True, expires__gt=now())
    if not fresh.update(pushed=False, expires=now() + REQUEST):
        raise _Refused("invalid_request_uri", "This request_uri is unknown, used or too old.")
    return ticket


def _checked(values: Mapping[str, str]) -> App:
    """Return the application of a request that keeps every rule.

    Raises:
        OAuth2Error: it breaks one; it names the address to tell only where that was registered.
    """
    asking = Asking(values)
    try:
        grant = server().get_consent_grant(asking)
    except InvalidRequest as wrong:
        grant = None
        error: OAuth2Error = InvalidScopeError(plain(str(wrong)))
    if grant is None:
        error.redirect_uri, error.state = values["redirect_uri"], values.get("state")
        raise error
    app: App = grant.request.client
    try:
        _check_rules(app, values, asking.scope)
    except OAuth2Error as wrong:
        wrong.redirect_uri, wrong.state = grant.redirect_uri, values.get("state")
        raise
    return app


def _check_rules(app: App, values: Mapping[str, str], scope: str) -> None:
    for name, error in _REFUSED.items():
        if name in values:
            raise _Refused(error, f"{name} is not supported; push the request instead.")
    if not app.check_grant_type(CODE) or app.audience == Audience.SERVICE:
        raise UnauthorizedClientError("This application signs nobody in.")
    if not 0 < len(values.get("state", "")) <= LONGEST_STATE:
        raise InvalidRequestError("Send a state that nobody can guess.")
    if values.get("response_mode", "query") != "query":
        raise InvalidRequestError("response_mode is query.")
    _check_openid(values, scope.split())
    _check_smart(values, scope.split())


def _check_openid(values: Mapping[str, str], scope: list[str]) -> None:
    if not scope:
        raise InvalidScopeError("Nothing of this scope is approved for this application.")
    nonce = values.get("nonce", "")
    # The clients of SMART send aud and no nonce; PKCE, which all must use, binds their code.
    wanted = words.OPENID in scope and not (values.get("aud") or values.get("resource"))
    if (wanted and not nonce) or len(nonce) > LONGEST_STATE:
        raise InvalidRequestError("Send a nonce with the scope openid.")
    prompts = values.get("prompt", "").split()
    if set(prompts) - set(PROMPTS) or ("none" in prompts and len(prompts) > 1):
        raise InvalidRequestError("prompt is none, or login and consent.")
    max_age = values.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdigit() and len(max_age) <= len("999999999")):
        raise InvalidRequestError("max_age is a number of seconds.")


def _check_smart(values: Mapping[str, str], scope: list[str]) -> None:
    clinical = [word for word in scope if is_clinical(word)]
    audience = values.get("aud") or values.get("resource") or ""
    if clinical and audience.rstrip("/") != fhir_base():
        raise InvalidRequestError("Send the FHIR base URL as aud: this token serves there only.")
    try:
        check_scope(tuple(clinical))
    except InvalidRequest as wrong:
        raise InvalidScopeError(plain(str(wrong))) from wrong
    if words.LAUNCH in scope and not values.get("launch"):
        _no_launch("Send the launch parameter that opened the application.")


def _launch(app: App, values: Mapping[str, str]) -> Launch | None:
    """Return the launch of a request, used up by it: it opens an application once.

    Raises:
        OAuth2Error: it is unknown, of another application, used, or too old.
    """
    given = values.get("launch")
    if not given:
        return None
    mine = Launch.objects.filter(digest=digest(given), app=app)
    if not mine.filter(used=None, expires__gt=now()).update(used=now()):
        error = InvalidRequestError("This launch is unknown, used or too old.")
        error.redirect_uri, error.state = values["redirect_uri"], values.get("state")
        raise error
    return mine.get()


def _no_launch(sentence: str) -> Never:
    raise InvalidRequestError(sentence)
