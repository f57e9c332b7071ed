"""The authorization server: Authlib's, on our tables."""

from __future__ import annotations

from functools import cache
from typing import Any

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from hygie.domains.authorization.model.apps import Proof, State
from hygie.domains.authorization.orm import App, Family, Refresh
from hygie.domains.authorization.orm.apps import digest
from hygie.domains.authorization.service import tokens
from hygie.domains.authorization.service.asking import Asking
from hygie.domains.authorization.service.devices import CibaGrant
from hygie.domains.authorization.service.grants import (
    PROOFS,
    S256,
    CodeGrant,
    RefreshGrant,
    ServiceGrant,
)
from hygie.domains.authorization.service.places import realm
from hygie.domains.authorization.service.proving import KeyProof
from hygie.kernel.web import tokens as kernel


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Knows the approved applications of this realm; keeps no token itself."""

    def query_client(self, client_id: str) -> App | None:
        """Return an approved application of this realm."""
        found = App.objects.filter(client_id=client_id, realm=realm(), state=State.APPROVED)
        return found.select_related("acts_as").first()

    def create_oauth2_request(self, request: Asking) -> Asking:
        """Return the request: it was read once, where it came in."""
        return request

    def validate_requested_scope(self, scope: str) -> None:
        """Refuse a request that asks for nothing; each grant measures the rest.

        Raises:
            InvalidScopeError: there is no scope.
        """
        if not scope:
            raise InvalidScopeError("Send a scope.")


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # as above
    """RFC 7009: an application gives back a token of its own."""

    CLIENT_AUTH_METHODS = PROOFS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Any:
        """Return the token, an access token of this client as its text; None for others."""
        del token_type_hint
        found = Refresh.objects.filter(digest=digest(token_string)).select_related("family__app")
        refresh = found.first()
        return refresh if refresh is not None else _Access.of(token_string)

    def revoke_token(self, token: Any, request: Any) -> None:
        """End the consent of a refresh token, or one access token."""
        del request
        if isinstance(token, _Access):
            kernel.take_back(token.text)
        else:
            tokens.end([token.family])


class _Access:
    """An access token that stands, and whose it is."""

    def __init__(self, text: str, client_id: str) -> None:
        self.text, self._client_id = text, client_id

    @classmethod
    def of(cls, text: str) -> _Access | None:
        facts = kernel.facts_of(text)
        return cls(text, facts.client) if facts is not None else None

    def check_client(self, client: App) -> bool:
        return self._client_id == client.client_id


@cache
def server() -> Server:
    """Return the one server of this process."""
    made = Server(App, Family)
    made.register_client_auth_method(Proof.KEY.value, KeyProof())
    made.register_grant(CodeGrant, [S256(required=True)])
    for grant in (RefreshGrant, ServiceGrant, CibaGrant):
        made.register_grant(grant)
    made.register_endpoint(Revocation)
    return made
