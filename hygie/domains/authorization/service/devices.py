"""CIBA, poll mode: an application asks, the person answers on another device.

Source: OpenID Connect Client-Initiated Backchannel Authentication 1.0, sections 7 and 11. A hint
that names nobody is answered like any other and expires: no application learns who has an account.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
    grants,
)
from authlib.oauth2.rfc6749.grants.base import TokenEndpointMixin
from django.contrib.auth import get_user_model
from django.db.models import Q

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import CIBA
from hygie.domains.authorization.model.levels import level_asked
from hygie.domains.authorization.model.lifetimes import CIBA as VALID
from hygie.domains.authorization.model.lifetimes import CIBA_INTERVAL, LEEWAY
from hygie.domains.authorization.orm import App, Ciba
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service import tokens
from hygie.domains.authorization.service.asking import Asking
from hygie.domains.authorization.service.grants import PROOFS, allowed_scope, standing_account
from hygie.domains.authorization.service.places import now
from hygie.domains.authorization.service.signing import read_hint

LONGEST_MESSAGE = 64
_MESSAGE = re.compile(r"[\w .,:;!?'’()/+-]*")


class _Waiting(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    error = "authorization_pending"
    description = "The person has not answered yet."


class _TooFast(OAuth2Error):  # type: ignore[misc]  # as above
    error = "slow_down"
    description = "Wait five seconds between two questions."


class _Expired(OAuth2Error):  # type: ignore[misc]  # as above
    error = "expired_token"
    description = "The person did not answer in time; ask again."


class _BadMessage(OAuth2Error):  # type: ignore[misc]  # as above
    error = "invalid_binding_message"
    description = "Send at most 64 letters, digits and plain signs."


class CibaGrant(grants.BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # as above
    """The application asks whether the person has answered."""

    GRANT_TYPE = CIBA
    TOKEN_ENDPOINT_AUTH_METHODS = PROOFS[:2]

    def validate_token_request(self) -> None:
        """Find the request, under a lock, and refuse until it is granted.

        Raises:
            OAuth2Error: it is unknown, of another, too early, refused or expired.
        """
        client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(CIBA):
            raise UnauthorizedClientError("This application may not ask on another device.")
        name = self.request.form.get("auth_req_id", "")
        found = (
            Ciba.objects.select_for_update(of=("self",))
            .filter(digest=digest(name), app=client)
            .select_related("family__app", "family__account")
            .first()
        )
        if found is None or found.used is not None:
            raise InvalidGrantError("auth_req_id is unknown or was used.")
        _check_is_ready(found)
        self._asked = found

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Issue what was granted, once."""
        asked, family = self._asked, self._asked.family
        account = standing_account(family) if family else None
        if family is None or account is None:
            raise AccessDeniedError
        asked.used = now()
        asked.save(update_fields=["used"])
        answer = tokens.answer(family, family.scope, grant=CIBA, account=account)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def _check_is_ready(asked: Ciba) -> None:
    before, asked.polled = asked.polled, now()
    asked.save(update_fields=["polled"])
    if asked.refused:
        raise AccessDeniedError
    if asked.expires <= now():
        raise _Expired
    if asked.family is None:
        early = CIBA_INTERVAL - LEEWAY / 30
        if before is not None and now() - before < early:
            raise _TooFast
        raise _Waiting


def ask_person(app: App, request: Asking) -> dict[str, Any]:
    """Keep a request for a person; return what the application polls with.

    Raises:
        OAuth2Error: the request cannot be read, or may not be made.
    """
    form = request.form
    if not app.check_grant_type(CIBA):
        raise UnauthorizedClientError("This application may not ask on another device.")
    scope = allowed_scope(app, form.get("scope", ""))
    if words.OPENID not in scope or words.wants_patient(scope):
        raise InvalidScopeError("Ask for openid, and for no patient.")
    hints = [name for name in ("login_hint", "id_token_hint") if form.get(name)]
    if len(hints) != 1:
        raise InvalidRequestError("Send login_hint or id_token_hint, one of them.")
    message = form.get("binding_message", "")
    if len(message) > LONGEST_MESSAGE or not _MESSAGE.fullmatch(message):
        raise _BadMessage
    name = secrets.token_urlsafe(32)
    Ciba.objects.create(
        digest=digest(name),
        app=app,
        account=_named(app, hints[0], form[hints[0]]),
        scope=scope,
        message=message,
        level=level_asked(form.get("acr_values", "")),
        expires=now() + VALID,
    )
    return {
        "auth_req_id": name,
        "expires_in": int(VALID.total_seconds()),
        "interval": int(CIBA_INTERVAL.total_seconds()),
    }


def _named(app: App, hint: str, value: str) -> Any:
    """Return the account that a hint names; None for nobody, or for somebody of another portal."""
    if hint == "id_token_hint":
        value = str(read_hint(value).get("sub", ""))
    model: Any = get_user_model()
    who = Q(username__iexact=value) | Q(fhir_reference=value)
    found = model.objects.filter(who, is_active=True, kind=app.audience)[:2]
    return found[0] if len(found) == 1 else None


def waiting_for(account: Any) -> list[Ciba]:
    """Return the requests that an account has not answered, newest first."""
    asked = Ciba.objects.filter(account=account, family=None, refused=False, expires__gt=now())
    return list(asked.select_related("app").order_by("-made"))
