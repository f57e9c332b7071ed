"""Token introspection (RFC 7662) and sign-in discovery (RFC 8414).

Tokens are issued by the local operator (``hygie token``); the metadata says just that: no
authorization endpoint is announced before there is one.
"""

from __future__ import annotations

import msgspec

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_sends_form
from hygie.kernel.errors import Forbidden, InvalidRequest, MethodNotAllowed, NotFound
from hygie.kernel.security.caller import Bearer, Kind
from hygie.kernel.security.tokens import introspect
from hygie.kernel.store.pairs import read_pairs

INTROSPECTION = "/oauth/introspect"
_JSON = "application/json"


async def introspection(engine: Engine, request: HttpRequest) -> Response:
    """Tell whether a token is active; for ``system`` callers, that is protected resources.

    Raises:
        Forbidden: another caller asks.
        InvalidRequest: the form has no token.
    """
    if request.method != "POST":
        raise MethodNotAllowed("Introspection takes a POST.")
    check_sends_form(request)
    caller = await engine.repository.authenticate(request.access)
    if caller.kind != Kind.SYSTEM:
        raise Forbidden("Your account may not ask about tokens.")
    asked = dict(read_pairs(request.body.decode("latin-1"))).get("token")
    if not asked:
        raise InvalidRequest("Send the token as the form field token.")
    async with engine.repository.database.connection() as connection:
        facts = await introspect(connection, Bearer.from_token(asked))
    if facts is None:
        return Response(200, b'{"active":false}', content_type=_JSON)
    told = {
        "active": True,
        "token_type": "Bearer",
        "sub": facts.subject,
        "purpose": facts.purpose,
        "iat": int(facts.issued.timestamp()),
        "exp": int(facts.expires.timestamp()),
    }
    return Response(200, msgspec.json.encode(told), content_type=_JSON)


async def discovery(engine: Engine, request: HttpRequest) -> Response:
    """Return the authorization server metadata (RFC 8414, section 2).

    Raises:
        NotFound: another well-known document is asked for.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("Discovery takes a GET.")
    if request.segments != (".well-known", "oauth-authorization-server"):
        raise NotFound("No such document; /.well-known/oauth-authorization-server is there.")
    root = engine.base.removesuffix("/fhir")
    told = {
        "issuer": root,
        "introspection_endpoint": f"{root}{INTROSPECTION}",
        "response_types_supported": [],
        "grant_types_supported": [],
    }
    return Response(200, msgspec.json.encode(told), content_type=_JSON)
