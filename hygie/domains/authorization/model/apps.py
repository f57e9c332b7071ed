"""What an application may be: its states, its ways to prove itself, its addresses."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from hygie.kernel.config import LOOPBACK
from hygie.kernel.errors import InvalidRequest


class State(enum.StrEnum):
    """Where a registration stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


CHANGES = {
    State.WAITING: {State.APPROVED, State.REFUSED},
    State.APPROVED: {State.ENDED},
    State.REFUSED: {State.WAITING},
    State.ENDED: {State.APPROVED},
}
"""What an administrator may do from each state."""


class Proof(enum.StrEnum):
    """How a client proves itself at the token endpoint (OpenID Connect Core 1.0, section 9)."""

    NONE = "none"
    SECRET = "client_secret_basic"  # noqa: S105  a name of the standard
    KEY = "private_key_jwt"


class Audience(enum.StrEnum):
    """Whose application it is: the kinds of account that may open it, or none for a service."""

    PATIENT = "patient"
    PROFESSIONAL = "professional"
    SERVICE = "service"


CODE, REFRESH = "authorization_code", "refresh_token"
CREDENTIALS, CIBA = "client_credentials", "urn:openid:params:grant-type:ciba"
GRANTS = (CODE, REFRESH, CREDENTIALS, CIBA)
SIGNATURES = ("ES256", "RS256")
"""Algorithms of our ID tokens, by the choice of the application."""
KEY_ALGORITHMS = ("ES384", "RS384")
"""Algorithms of client assertions (SMART App Launch 2.2.0, "Asymmetric Authentication")."""
LONGEST_ADDRESS = 2000
_BAD = ("javascript", "data", "vbscript", "file", "about", "blob")


def check_redirect(address: str, *, native: bool = True) -> str:
    """Return a redirect address that may be registered: it is compared letter by letter.

    HTTPS; HTTP on the loopback address; a scheme of its own, written as a reversed domain name,
    for a native application (RFC 8252, sections 7.1 and 7.3).

    >>> check_redirect("https://app.example.org/back")
    'https://app.example.org/back'

    Raises:
        InvalidRequest: it has a fragment, a user, another scheme, or is not whole.
    """
    parts = _split(address)
    if parts.fragment or "#" in address or parts.username or parts.password or "*" in address:
        raise InvalidRequest(f"{address}: leave out fragment, user and wildcard.")
    if native and parts.scheme not in ("http", "https"):
        if "." not in parts.scheme or parts.scheme in _BAD:
            raise InvalidRequest(f"{address}: write the scheme as org.example.app.")
        return address
    return check_web(address)


def check_web(address: str) -> str:
    """Return an address of a page or a file that an application gives.

    Raises:
        InvalidRequest: it is neither HTTPS nor HTTP on the loopback address.
    """
    parts = _split(address)
    secure = parts.scheme == "https" and parts.hostname
    if not secure and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise InvalidRequest(f"{address}: use https, or http on 127.0.0.1 while you develop.")
    return address


def check_outbound(address: str, *, realm: str) -> str:
    """Return an address that Hygie may call: on the Internet, never inside its own network.

    A demonstration may call its own machine, where a developer's application runs.

    Raises:
        InvalidRequest: it names an address, or this machine.
    """
    parts = _split(check_web(address))
    host = parts.hostname or ""
    if host in LOOPBACK:
        if realm == "production":
            raise InvalidRequest(f"{address}: this machine is not called.")
        return address
    try:
        ip_address(host)
    except ValueError:
        return address
    raise InvalidRequest(f"{address}: give a name rather than a number.")


def origin_of(address: str) -> str:
    """Return the origin of an address, empty for a scheme that browsers do not share.

    >>> origin_of("https://app.example.org/back?x"), origin_of("org.example.app:/back")
    ('https://app.example.org', '')
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else ""


def origins_of(addresses: Iterable[str]) -> list[str]:
    """Return the origins of several addresses, each once."""
    return sorted({origin for one in addresses if (origin := origin_of(one))})


def _split(address: str) -> SplitResult:
    if not address or len(address) > LONGEST_ADDRESS or any(c <= " " or c == "\\" for c in address):
        raise InvalidRequest("An address is missing, too long, or has a space in it.")
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as wrong:
        raise InvalidRequest(f"{address} cannot be read.") from wrong
    if not parts.scheme:
        raise InvalidRequest(f"{address}: write it whole, from https://.")
    return parts
