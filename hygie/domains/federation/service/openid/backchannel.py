"""Sign in with the approval of a second device (OpenID CIBA Core 1.0, poll mode).

Pro Santé Connect: ``login_hint`` is the national number of the professional, ``binding_message`` is
shown by this page and by the telephone, so that nobody approves somebody else's request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.domains.federation.service.openid.client import Proven, proven, session_of
from hygie.domains.federation.service.openid.metadata import Known
from hygie.domains.federation.service.openid.network import Json, bounded, read_json
from hygie.domains.federation.service.openid.tokens import Expected
from hygie.kernel.errors import Forbidden, InvalidRequest

GRANT = "urn:openid:params:grant-type:ciba"
PENDING = frozenset({"authorization_pending", "slow_down"})
LONGEST, SHORTEST_WAIT, LONGEST_WAIT = 300, 2, 30
_HINT = re.compile(r"[0-9A-Za-z/]{3,40}")
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without the letters and digits that look alike."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for the telephone, the words to compare, its pace in seconds."""

    request: str
    words: str
    every: int
    lasts: int


def ask(known: Known, *, who: str, language: str = "fr") -> Asked:
    """Ask the provider to call the professional's telephone.

    Raises:
        InvalidRequest: the number is not one.
        Forbidden: the provider refuses; what it says is the same whoever is unknown.
    """
    if not _HINT.fullmatch(who):
        raise InvalidRequest("A national number has digits and letters only.")
    words = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    asked = {
        "scope": " ".join(known.provider.scopes),
        "login_hint": who,
        "binding_message": words,
        "acr_values": known.provider.acr,
        "ui_locales": language,
    }
    told = _post(known, "backchannel_authentication_endpoint", asked)
    number = told.get("auth_req_id")
    if not isinstance(number, str) or not number:
        raise Forbidden("The identity provider refused to call the telephone.")
    every = min(max(_whole(told.get("interval"), 5), SHORTEST_WAIT), LONGEST_WAIT)
    lasts = min(_whole(told.get("expires_in"), 120), LONGEST)
    return Asked(number, words, every, lasts)


def poll(known: Known, asked: Asked, *, at: datetime) -> Proven | None:
    """Return who approved, None while nobody has.

    In poll mode the ID token carries no nonce: it comes over our own authenticated connection, in
    answer to a request number that never left this server (CIBA Core 1.0, section 10.1).

    Raises:
        Forbidden: the professional refused, the request expired, or the answer breaks a rule.
    """
    told = _post(known, "token_endpoint", {"grant_type": GRANT, "auth_req_id": asked.request})
    if told.get("error") in PENDING:
        return None
    if "error" in told:
        raise Forbidden("The sign-in was refused on the telephone, or nobody answered in time.")
    return proven(known, told, Expected(None, at))


def _post(known: Known, endpoint: str, form: dict[str, str]) -> Json:
    address = known.endpoint(endpoint)
    with session_of(known.provider) as session:
        auth = session.client_auth(session.token_endpoint_auth_method)
        answer = bounded(session, "POST", address, data=form, auth=auth)
    return read_json(answer) if answer.ok else _error(answer.content)


def _error(body: bytes) -> Json:
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        told = None
    return {"error": str(told.get("error", "?")) if isinstance(told, dict) else "?"}


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise
