"""An OpenID provider of the demonstration: the real protocol, invented people.

OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749, 7636 (S256 alone), 9207, RP-Initiated Logout
1.0. It is as strict as a real one: an exact redirect URI, a long state and nonce, codes used once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hygie.testing.simulators.drawer import Drawer
from hygie.testing.simulators.people import Citizen, Population, Professional, read_people
from hygie.testing.simulators.signing import Keys, encrypted, faulty, signed
from hygie.testing.simulators.web import (
    Asked,
    Receive,
    Reply,
    Scope,
    Send,
    answer,
    hidden,
    page,
    read,
    sent_to,
    told,
    wrong,
)

Json = dict[str, Any]
Person = Citizen | Professional
MINUTES = 5
SHORTEST = 32
"""Characters of a state and of a nonce (FranceConnect v2 refuses shorter ones)."""
CHOOSE = {"fr": "Qui êtes-vous ?", "en": "Who are you?"}
CANCEL = {"fr": "Annuler", "en": "Cancel"}
REFUSED = {"fr": "Demande refusée", "en": "Request refused"}
LEFT = {"fr": "Session terminée", "en": "Session ended"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """What makes one provider differ from another.

    Attributes:
        levels: ``acr`` it can state, lowest first; another one asked for is refused.
        userinfo: ``signed``, ``encrypted`` or ``plain``.
        people: who signs in here; ``claims`` what userinfo says of one of them.
    """

    name: str
    title: str
    levels: tuple[str, ...]
    userinfo: str
    scopes: tuple[str, ...]
    people: Callable[[Population], Sequence[Person]]
    claims: Callable[[Any, frozenset[str]], Json]
    ciba: bool = False


@dataclass(slots=True)
class Simulator:
    """One running simulator. ``faults`` are switched on by negative tests, by name.

    ``issuer`` is its exact address; ``callbacks`` the redirect URIs that are registered, as paths.
    """

    character: Character
    issuer: str
    folder: Path
    faults: set[str] = field(default_factory=set)
    drawer: Drawer = field(init=False)
    keys: Keys = field(init=False)
    last_id_token: str = ""

    def __post_init__(self) -> None:
        """Open the drawer and the keys in the folder."""
        self.drawer = Drawer(self.folder / self.character.name)
        self.keys = Keys(self.folder / f"{self.character.name}-keys.json")

    @property
    def root(self) -> str:
        """Return the path of the issuer."""
        return urlsplit(self.issuer).path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = await read(scope, receive, root=self.root)
        await answer(send, self.reply(asked))

    def reply(self, asked: Asked) -> Reply:
        """Return the answer of an endpoint."""
        act = ENDPOINTS.get(asked.path)
        return act(self, asked) if act else wrong("not_found", status=404)

    def population(self) -> Sequence[Person]:
        """Return who may sign in here."""
        return self.character.people(read_people(self.folder / "people.json"))

    def person(self, key: str) -> Person | None:
        """Return one of them."""
        return next((one for one in self.population() if one.key == key), None)

    def secret(self) -> str:
        """Return the client secret, as the settings of the demonstration name it."""
        return (self.folder / "secret").read_text("utf-8").strip()

    def may_return_to(self, address: str, path: str) -> bool:
        """Tell whether an address of return is registered: the exact path, no query."""
        parts = urlsplit(address)
        exact = parts.path == f"/federation/{self.character.name}/{path}/"
        return exact and not parts.query and not parts.fragment and bool(parts.netloc)

    def subject(self, person: Person) -> str:
        """Return the pairwise ``sub``: 64 hexadecimal characters and a version."""
        digest = hmac.new(self.character.name.encode(), person.key.encode(), hashlib.sha256)
        return f"{digest.hexdigest()}v1"


def discovery(one: Simulator, _asked: Asked) -> Reply:
    """Describe the provider (OpenID Connect Discovery 1.0)."""
    base = one.issuer
    found: Json = {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwks",
        "end_session_endpoint": f"{base}/session/end",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": list(one.character.levels),
        "scopes_supported": list(one.character.scopes),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "authorization_response_iss_parameter_supported": True,
        "hygie_simulator": True,
    }
    if one.character.ciba:
        found["backchannel_authentication_endpoint"] = f"{base}/ciba"
        found["backchannel_token_delivery_modes_supported"] = ["poll"]
    return told(found)


def jwks(one: Simulator, _asked: Asked) -> Reply:
    """Publish the keys."""
    return told(one.keys.published())


def authorize(one: Simulator, asked: Asked) -> Reply:
    """Show who may sign in, and send who was chosen back with a code."""
    values, language = asked.values, asked.language
    if values.get("client_id") != "hygie" or not one.may_return_to(
        values.get("redirect_uri", ""), "callback"
    ):
        return page(
            one.character.title, language, title=REFUSED[language], body="", status=400
        )  # RFC 6749, 4.1.2.1: never redirect there
    problem = _problem(one, values)
    if problem or "refuse" in asked.form:
        return _back(one, values, {"error": problem or "access_denied"})
    person = one.person(asked.form.get("who", "")) if asked.method == "POST" else None
    if person is None:
        return _choice(one, values, language)
    code = one.drawer.put(
        "code",
        {
            name: values.get(name, "")
            for name in ("redirect_uri", "nonce", "code_challenge", "scope", "acr_values")
        }
        | {"who": person.key},
    )
    return _back(one, values, {"code": code})


def _problem(one: Simulator, values: Mapping[str, str]) -> str:
    """Return the error of a request (RFC 6749, section 4.1.2.1), empty where there is none."""
    if values.get("response_type") != "code":
        return "unsupported_response_type"
    if "openid" not in values.get("scope", "").split():
        return "invalid_scope"
    short = min(len(values.get(name, "")) for name in ("state", "nonce", "code_challenge"))
    if short < SHORTEST or values.get("code_challenge_method") != "S256":
        return "invalid_request"
    if values.get("acr_values") not in one.character.levels:
        return "invalid_request"
    return ""


def _back(one: Simulator, values: Mapping[str, str], more: Mapping[str, str]) -> Reply:
    issuer = "https://elsewhere.example.org" if "mix-up" in one.faults else one.issuer
    state = (
        {"state": "somebody-elses"}
        if "wrong-state" in one.faults
        else {"state": values.get("state", "")}
    )
    if "no-state" in one.faults:
        state = {}
    return sent_to(f"{values['redirect_uri']}?{urlencode({**more, **state, 'iss': issuer})}")


def _choice(one: Simulator, values: Mapping[str, str], language: str) -> Reply:
    kept = hidden({name: text for name, text in values.items() if name not in {"who", "refuse"}})
    lines = "".join(
        f'<li><button name="who" value="{escape(person.key)}">{escape(name_of(person))}'
        f"<small>{escape(note_of(person, language))}</small></button></li>"
        for person in one.population()
    )
    body = (
        f'<form method="post">{kept}<ul>{lines}</ul>'
        f'<button name="refuse" value="1">{CANCEL[language]}</button></form>'
    )
    return page(one.character.title, language, title=CHOOSE[language], body=body)


def name_of(person: Person) -> str:
    """Return how a person is listed."""
    return f"{person.given.split()[0]} {getattr(person, 'used', '') or person.family}"


def note_of(person: Person, language: str) -> str:
    """Return what trying this person shows."""
    return person.note_en if language == "en" else person.note_fr


def token(one: Simulator, asked: Asked) -> Reply:
    """Exchange a code, once, with its verifier (RFC 7636) and the client's secret."""
    if not is_client(one, asked):
        return wrong("invalid_client", status=401)
    form = asked.form
    if form.get("grant_type") != "authorization_code":
        return wrong("unsupported_grant_type")
    kept = one.drawer.take("code", form.get("code", ""))
    if kept is None or kept["redirect_uri"] != form.get("redirect_uri"):
        return wrong("invalid_grant")
    if challenge_of(form.get("code_verifier", "")) != kept["code_challenge"]:
        return wrong("invalid_grant")
    person = one.person(kept["who"])
    if person is None:
        return wrong("invalid_grant")
    return told(tokens_for(one, person, kept))


def tokens_for(one: Simulator, person: Person, kept: Mapping[str, str]) -> Json:
    """Return the token answer for a person: an access token for userinfo, and the ID token."""
    now = int(time.time())
    access = one.drawer.put("access", {"who": person.key, "scope": kept["scope"]})
    claims: Json = {
        "iss": one.issuer,
        "sub": one.subject(person),
        "aud": "hygie",
        "iat": now,
        "auth_time": now,
        "exp": now + MINUTES * 60,
        "acr": kept["acr_values"],
        "amr": ["pwd"],
        "sid": hashlib.sha256(access.encode()).hexdigest(),
        "at_hash": challenge_of(access, length=16),
    }
    if kept.get("nonce"):
        claims["nonce"] = kept["nonce"]
    fresh = signed(one.keys, faulty(claims, one.faults), faults=one.faults)
    raw = one.last_id_token if "replay" in one.faults else fresh
    one.last_id_token = raw
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": MINUTES * 60,
        "id_token": raw,
        "scope": kept["scope"],
    }


def userinfo(one: Simulator, asked: Asked) -> Reply:
    """Say who somebody is, in the form this provider speaks."""
    scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
    kept = one.drawer.read("access", bearer) if scheme.lower() == "bearer" else None
    person = one.person(kept["who"]) if kept else None
    if kept is None or person is None:
        return wrong("invalid_token", status=401)
    now = int(time.time())
    claims = {
        "sub": one.subject(person),
        **one.character.claims(person, frozenset(kept["scope"].split())),
    }
    if "other-sub" in one.faults:
        claims["sub"] = "0" * 64 + "v1"
    if one.character.userinfo == "plain" or "unsigned-userinfo" in one.faults:
        return told(claims)
    claims |= {"iss": one.issuer, "aud": "hygie", "iat": now, "exp": now + MINUTES * 60}
    if "userinfo-issuer" in one.faults:
        claims["iss"] = "https://elsewhere.example.org"
    key_faults = {"userinfo-key": "other-key", "userinfo-none": "alg-none"}
    raw = signed(one.keys, claims, faults={key_faults[x] for x in one.faults & set(key_faults)})
    if one.character.userinfo == "encrypted" and "unencrypted-userinfo" not in one.faults:
        raw = encrypted(raw, (one.folder / "client-public.pem").read_bytes())
    return Reply(200, raw.encode(), "application/jwt")


def end_session(one: Simulator, asked: Asked) -> Reply:
    """End the session that an ID token names, and send the browser back (RP-Initiated Logout)."""
    values, language = asked.values, asked.language
    known = KeySet.import_key_set(one.keys.published())  # type: ignore[arg-type]
    try:
        jws.deserialize_compact(values.get("id_token_hint", ""), known, algorithms=["ES256"])
    except (JoseError, ValueError):
        return page(one.character.title, language, title=REFUSED[language], body="", status=400)
    back = values.get("post_logout_redirect_uri", "")
    if not one.may_return_to(back, "left"):
        return page(one.character.title, language, title=LEFT[language], body="")
    one.drawer.put("ended", {"hint": True})
    return sent_to(f"{back}?{urlencode({'state': values.get('state', '')})}")


def challenge_of(verifier: str, *, length: int = 32) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2), or its first bytes."""
    digest = hashlib.sha256(verifier.encode()).digest()[:length]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_client(one: Simulator, asked: Asked) -> bool:
    """Tell whether the client authenticated, by form or by header (RFC 6749, section 2.3.1)."""
    given = asked.form.get("client_id", ""), asked.form.get("client_secret", "")
    scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(rest).decode().partition(":")
        given = name, secret
    return hmac.compare_digest("\0".join(given).encode(), f"hygie\0{one.secret()}".encode())


ENDPOINTS: dict[str, Callable[[Simulator, Asked], Reply]] = {
    "/.well-known/openid-configuration": discovery,
    "/jwks": jwks,
    "/authorize": authorize,
    "/token": token,
    "/userinfo": userinfo,
    "/session/end": end_session,
}
