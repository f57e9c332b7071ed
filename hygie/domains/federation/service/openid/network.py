"""Ask a provider something: short waits, small answers, no redirect, TLS always verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from hygie.domains.federation.model.providers import Provider
from hygie.kernel.config import LOOPBACK
from hygie.kernel.errors import Unavailable

WAIT = (3.0, 6.0)
"""Seconds to connect and between two bytes; a page waits no longer."""
MOST_BYTES = 256 * 1024

Json = dict[str, Any]


def prepare(session: requests.Session, provider: Provider) -> None:
    """Set a session up for a provider: its client certificate, and no proxy to this machine."""
    local = provider.mounted or urlsplit(provider.issuer).hostname in LOOPBACK
    session.trust_env = not local
    session.max_redirects = 0
    if provider.certificate_files:
        certificate, key = provider.certificate_files
        session.cert = (certificate, key)


def get(
    provider: Provider, address: str, *, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """Return the answer of a GET, its body read.

    Raises:
        Unavailable: the provider does not answer, answers an error, or too much.
    """
    with requests.Session() as session:
        prepare(session, provider)
        return bounded(session, "GET", address, headers=dict(headers or {}))


def bounded(session: requests.Session, method: str, address: str, **more: Any) -> requests.Response:
    """Send a request and read at most ``MOST_BYTES`` of a successful answer.

    Raises:
        Unavailable: the provider does not answer, answers an error, or too much.
    """
    try:
        answer = session.request(
            method, address, timeout=WAIT, allow_redirects=False, stream=True, **more
        )
        with answer:
            body = answer.raw.read(MOST_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError) as gone:
        raise Unavailable("The identity provider does not answer. Try again in a moment.") from gone
    if len(body) > MOST_BYTES:
        raise Unavailable("The identity provider answered more than anybody reads.")
    answer._content = body  # noqa: SLF001  requests offers no bounded read
    return answer


def read_json(answer: requests.Response) -> Json:
    """Return the JSON object of a successful answer.

    Raises:
        Unavailable: the answer is an error or no object.
    """
    try:
        found = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        found = None
    if not answer.ok or not isinstance(found, dict):
        raise Unavailable("The identity provider answered an error. Try again in a moment.")
    return found
