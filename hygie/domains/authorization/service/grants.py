"""The grants of the token endpoint, each used once under a lock of its row.

Authlib carries the protocol; what it would keep in clear, or read without a lock, is done here.
Sources: RFC 6749, RFC 7636, RFC 9700 (sections 2.1.1, 4.5, 4.14), CIBA Core 1.0.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    grants,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import CODE, CREDENTIALS, REFRESH, Audience, Proof
from hygie.domains.authorization.orm import Asked, Code, Family, Refresh
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service import tokens
from hygie.domains.authorization.service.people import is_online
from hygie.domains.authorization.service.places import now
from hygie.kernel.errors import InvalidRequest

PROOFS = [Proof.KEY.value, Proof.SECRET.value, Proof.NONE.value]


class S256(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE by SHA-256, for every client; ``plain`` and nothing are refused alike."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without ``code_challenge`` and ``code_challenge_method=S256``."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("Send code_challenge with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # as above
    """A code for tokens: once, within a minute, by the one it was made for."""

    TOKEN_ENDPOINT_AUTH_METHODS = PROOFS

    def query_authorization_code(self, code: str, client: Any) -> Code | None:
        """Return the code and mark it used, whatever comes next; a second use ends its tokens."""
        found = (
            Code.objects.select_for_update(of=("self",))
            .filter(digest=digest(code), family__app=client)
            .select_related("family__app", "family__account")
            .first()
        )
        if found is None:
            return None
        if found.used is not None:
            tokens.end([found.family])
            return None
        found.used = now()
        found.save(update_fields=["used"])
        return found if found.expires > now() and found.family.ended is None else None

    def authenticate_user(self, authorization_code: Code) -> Any:
        """Return the person, None once their account is closed."""
        return standing_account(authorization_code.family)

    def generate_token(self, *, user: Any, **_: Any) -> dict[str, Any]:
        """Issue what was granted."""
        code: Code = self.request.authorization_code
        return tokens.answer(
            code.family, code.family.scope, grant=CODE, account=user, nonce=code.nonce
        )

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: what is kept of it was kept where it was issued."""

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Do nothing: a used code is kept to notice that it comes back."""


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # as above
    """A refresh token for the next one; one that comes back ends the whole family."""

    TOKEN_ENDPOINT_AUTH_METHODS = PROOFS

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        """Return the token and mark it used; a second use ends everything that came from it."""
        found = (
            Refresh.objects.select_for_update(of=("self",))
            .filter(digest=digest(refresh_token), family__app=self.request.client)
            .select_related("family__app", "family__account", "family__pairing")
            .first()
        )
        if found is None:
            return None
        if found.used is not None:
            tokens.end([found.family])
            return None
        found.used = now()
        found.save(update_fields=["used"])
        return found if found.expires > now() and _stands(found.family) else None

    def _validate_token_scope(self, token: Refresh) -> None:
        self._scope = _narrowed(token.family, self.request.payload.scope)

    def authenticate_user(self, refresh_token: Refresh) -> Any:
        """Return the person.

        Raises:
            InvalidGrantError: their account is closed.
        """
        account = standing_account(refresh_token.family)
        if account is None:
            raise InvalidGrantError("The account is closed.")
        return account

    def issue_token(self, user: Any, refresh_token: Refresh) -> dict[str, Any]:
        """Issue the next tokens; the refresh token keeps the whole scope of the consent."""
        return tokens.answer(refresh_token.family, self._scope, grant=REFRESH, account=user)

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: what is kept of it was kept where it was issued."""

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        """Do nothing: it was marked used when it came."""


class ServiceGrant(grants.ClientCredentialsGrant):  # type: ignore[misc]  # as above
    """A service that runs without a person (SMART Backend Services): by its key only."""

    TOKEN_ENDPOINT_AUTH_METHODS = (Proof.KEY.value,)

    def validate_token_request(self) -> None:
        """Refuse what is no service, or has no account to act as, or asks for nothing approved.

        Raises:
            UnauthorizedClientError: the operator did not bind it to an account.
            InvalidScopeError: nothing of the scope is approved.
        """
        super().validate_token_request()
        app = self.request.client
        if app.audience != Audience.SERVICE or app.acts_as is None or not app.acts_as.is_active:
            raise UnauthorizedClientError("This application is bound to no account.")
        asked = self.request.payload.scope or ""
        self._scope = allowed_scope(app, asked)
        if app.introspects and words.INTROSPECTION in asked.split():
            self._scope.append(words.INTROSPECTION)
        if not self._scope:
            raise InvalidScopeError("Nothing of this scope is approved.")

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """Issue a token."""
        return tokens.service_answer(self.request.client, self._scope)

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: what is kept of it was kept where it was issued."""

    GRANT_TYPE = CREDENTIALS


def allowed_scope(app: Any, asked: str) -> list[str]:
    """Return the words of a scope that are asked and approved.

    Raises:
        InvalidScopeError: one is not written as the standard writes it, or there are too many.
    """
    if len(asked.split()) > words.MOST:
        raise InvalidScopeError("There are too many scopes.")
    try:
        return list(app.get_allowed_scope(asked).split())
    except InvalidRequest as wrong:
        raise InvalidScopeError(plain(str(wrong))) from wrong


def standing_account(family: Family) -> Any:
    """Return the account of a consent, None where it was closed."""
    account = family.account
    return account if account is not None and account.is_active else None


def already_answered(asked: Asked) -> bool:
    """Tell whether a request was answered or came too late."""
    return asked.answered is not None or asked.expires <= now()


def plain(sentence: str) -> str:
    """Return a sentence that an error description may hold (RFC 6749, section 5.2)."""
    return "".join(c for c in sentence if " " <= c <= "~" and c not in '"\\')


def _stands(family: Family) -> bool:
    if family.ended is not None or family.until <= now() or family.app.state != "approved":
        return False
    if words.OFFLINE not in family.scope:
        return is_online(family.visit)
    return family.pairing is None or family.pairing.ended is None


def _narrowed(family: Family, asked: str | None) -> list[str]:
    """Return the scope of a refresh: never more than was granted, nor than is approved now."""
    approved = set(words.allowed(family.scope, family.app.approved, *words.FOR_PEOPLE))
    held = [word for word in family.scope if word in approved]
    if not asked:
        return held
    try:
        wanted = list(words.allowed(asked.split(), held, *words.FOR_PEOPLE))
        grown = not words.covers(held, asked.split())
    except InvalidRequest as wrong:
        raise InvalidScopeError(plain(str(wrong))) from wrong
    if grown or not wanted:
        raise InvalidScopeError("A refresh asks for nothing that was not granted.")
    return wanted
