"""What Hygie asks of an application's own server: its keys, and to hear of a sign-out.

Short waits, small answers, no redirect, no proxy of the environment, and never an address inside
the network of the installation: a name that leads to a private address is not called, and a
production calls nothing but HTTPS (so that a name that changes in between meets no server of ours
that could show its certificate).
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from hygie.domains.authorization.model.apps import check_outbound
from hygie.domains.authorization.service.places import realm
from hygie.kernel.config import LOOPBACK
from hygie.kernel.errors import InvalidRequest, Unavailable
from hygie.kernel.web.bridge import platform

WAIT = (3.0, 5.0)
"""Seconds to connect and between two bytes."""
MOST_BYTES = 64 * 1024


def fetch_json(address: str) -> dict[str, Any]:
    """Return the JSON object at an address of an application.

    Raises:
        Unavailable: it does not answer, or not with a small JSON object.
        InvalidRequest: it is not to be called.
    """
    answer = _send("GET", address)
    try:
        found = msgspec.json.decode(answer)
    except msgspec.DecodeError as wrong:
        raise Unavailable("The keys of the application cannot be read.") from wrong
    if not isinstance(found, dict):
        raise Unavailable("The keys of the application cannot be read.")
    return found


def send_form(address: str, form: dict[str, str]) -> None:
    """Send a form to an address of an application.

    Raises:
        Unavailable: it does not take it.
        InvalidRequest: it is not to be called.
    """
    _send("POST", address, data=form)


def _send(method: str, address: str, **more: Any) -> bytes:
    check_outbound(address, realm=realm())
    host = urlsplit(address).hostname or ""
    if host not in LOOPBACK and not platform().settings.call_applications:
        raise Unavailable("This installation calls no application: see HYGIE_CALL_APPLICATIONS.")
    _check_is_public(host)
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                method, address, timeout=WAIT, allow_redirects=False, stream=True, **more
            )
            with answer:
                body: bytes = answer.raw.read(MOST_BYTES + 1, decode_content=True) or b""
    except (requests.RequestException, OSError) as gone:
        raise Unavailable("The application's server does not answer.") from gone
    if not answer.ok or answer.is_redirect or len(body) > MOST_BYTES:
        raise Unavailable("The application's server does not answer as it should.")
    return body


def _check_is_public(host: str) -> None:
    if host in LOOPBACK:  # in no production: check_outbound said so
        return
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise Unavailable("The application's server is not known.") from unknown
    if not all(ip_address(one[4][0]).is_global for one in found):
        raise InvalidRequest("This address is inside a private network; it is not called.")
