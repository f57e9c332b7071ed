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
from hygie.kernel.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    TooLarge,
    Unauthenticated,
)
from hygie.kernel.security import applications
from hygie.kernel.security.caller import Bearer, Caller, Kind
from hygie.kernel.security.tokens import TokenFacts
from hygie.kernel.store.introspecting import Question
from hygie.kernel.store.pairs import read_pairs

INTROSPECTION = "/oauth/introspect"
WORD = "introspection"
"""The word of a scope that lets a resource server ask with a token of its own."""
_JSON = "application/json"
LONGEST = 16 * 1024
"""Bytes of a question."""
_INACTIVE = Response(200, b'{"active":false}', content_type=_JSON)
EIDAS = ("", "eidas1", "eidas2", "eidas3")
"""``acr`` by level (eIDAS regulation 910/2014, article 8)."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asks: its client id, and whether it may ask about every token."""

    client: str
    everything: bool

    def may_know(self, facts: TokenFacts) -> bool:
        """Tell whether it may know of a token."""
        return self.everything or facts.client == self.client


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
    proven = await _application(engine, request)
    access = None if proven is not None else request.access
    check_is_small(request)
    request.body = await read_body(receive, request.headers)
    asked = dict(read_pairs(request.body.decode("latin-1"))).get("token")
    if not asked:
        raise InvalidRequest("Send the token as the form field token.")
    question = Question(Bearer.from_token(asked), access)
    caller, facts = await engine.repository.introspector.ask(question)
    asker = proven if caller is None else _asker(caller)
    if facts is None or asker is None or not asker.may_know(facts):
        return _INACTIVE
    return Response(200, msgspec.json.encode(_told(facts, engine.base)), content_type=_JSON)


def check_is_small(request: HttpRequest) -> None:
    """Refuse a body that no question has, before it is read.

    Raises:
        TooLarge: it is longer than any token, or does not say how long it is.
    """
    announced = request.headers.get("content-length", "")
    if not announced.isdecimal() or int(announced[:9]) > LONGEST:
        raise TooLarge(f"A question has at most {LONGEST} bytes, and says how many.")


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


def _asker(caller: Caller) -> _Asker:
    if caller.limit is not None:
        return _Asker(caller.limit.client, WORD in caller.limit.scope)
    if caller.kind != Kind.SYSTEM:
        raise Forbidden("Your account may not ask about tokens.")
    return _Asker("", everything=True)


async def _application(engine: Engine, request: HttpRequest) -> _Asker | None:
    """Return the application that its id and its secret prove (RFC 6749, section 2.3.1)."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client, _, secret = (unquote_plus(part) for part in text.partition(":"))
    async with engine.repository.database.connection() as connection:
        found = await applications.find(connection, client)
    if found is None or not found.knows(secret):
        raise Unauthenticated("This is no application, or not its secret.")
    return _Asker(found.client, found.introspects)
