"""Token introspection (RFC 7662): answered from the table at each question, kept nowhere.

Who may ask: the operator, a resource server that was registered as one, and an application about
its own tokens. An application proves itself with its secret (HTTP Basic) or with a token of its
own. A token that the asker may not know of is answered like one that does not exist (section 2.2).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote_plus

import msgspec

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Receive, Response, read_body
from hygie.kernel.api.negotiation import check_sends_form
from hygie.kernel.errors import Forbidden, InvalidRequest, MethodNotAllowed, Unauthenticated
from hygie.kernel.security import applications
from hygie.kernel.security.caller import Bearer, Kind
from hygie.kernel.security.tokens import TokenFacts, introspect
from hygie.kernel.store.pairs import read_pairs

INTROSPECTION = "/oauth/introspect"
WORD = "introspection"
"""The word of a scope that lets a resource server ask with a token of its own."""
_JSON = "application/json"
_INACTIVE = Response(200, b'{"active":false}', content_type=_JSON)
EIDAS = ("", "eidas1", "eidas2", "eidas3")
"""``acr`` by level (eIDAS regulation 910/2014, article 8)."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks: its client id, and whether it may ask about every token."""

    client: str
    everything: bool


async def introspection(engine: Engine, request: HttpRequest, receive: Receive) -> Response:
    """Tell whether a token is active, and what it allows.

    Raises:
        Unauthenticated: nobody is proven to ask.
        Forbidden: a person asks.
        InvalidRequest: the form has no token.
    """
    if request.method != "POST":
        raise MethodNotAllowed("Introspection takes a POST.")
    check_sends_form(request)
    asker = await _asker(engine, request)
    request.body = await read_body(receive, request.headers)
    asked = dict(read_pairs(request.body.decode("latin-1"))).get("token")
    if not asked:
        raise InvalidRequest("Send the token as the form field token.")
    async with engine.repository.database.connection() as connection:
        facts = await introspect(connection, Bearer.from_token(asked))
    if facts is None or not (asker.everything or facts.client == asker.client):
        return _INACTIVE
    told = _told(facts, engine.base)
    return Response(200, msgspec.json.encode(told), content_type=_JSON)


def _told(facts: TokenFacts, base: str) -> dict[str, object]:
    """Return what is told of a valid token; ``patient`` and ``acr`` as SMART and OpenID name them.

    Source: RFC 7662, section 2.2; SMART App Launch 2.2.0, "Token Introspection".
    """
    told: dict[str, object] = {
        "active": True,
        "token_type": "Bearer",
        "iss": base.removesuffix("/fhir"),
        "aud": base,
        "sub": facts.subject,
        "purpose": facts.purpose,
        "acr": EIDAS[facts.level],
        "iat": int(facts.issued.timestamp()),
        "exp": int(facts.expires.timestamp()),
    }
    if facts.client:
        told |= {"client_id": facts.client, "scope": " ".join(facts.scope)}
        told |= {"patient": facts.patient} if facts.patient else {}
        told |= {"fhirUser": f"{base}/{facts.subject}"} if "fhirUser" in facts.scope else {}
    return told


async def _asker(engine: Engine, request: HttpRequest) -> _Asker:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return await _application(engine, given.strip())
    caller = await engine.repository.authenticate(request.access)
    if caller.limit is not None:
        return _Asker(caller.limit.client, WORD in caller.limit.scope)
    if caller.kind != Kind.SYSTEM:
        raise Forbidden("Your account may not ask about tokens.")
    return _Asker("", everything=True)


async def _application(engine: Engine, given: str) -> _Asker:
    """Return the application that its id and its secret prove (RFC 6749, section 2.3.1)."""
    try:
        text = base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client, _, secret = (unquote_plus(part) for part in text.partition(":"))
    async with engine.repository.database.connection() as connection:
        found = await applications.find(connection, client)
    if found is None or not found.knows(secret):
        raise Unauthenticated("This is no application, or not its secret.")
    return _Asker(found.client, found.introspects)
