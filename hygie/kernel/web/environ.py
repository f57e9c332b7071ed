"""Build a WSGI environ (PEP 3333) from an ASGI scope, trusting nothing that a client can forge."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import IO, Any

FORWARDED = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"})
CERTIFICATE = "x-client-certificate"
"""The header in which a trusted proxy passes on the certificate it asked of the browser."""
CERTIFICATE_KEY = "hygie.client_certificate"
"""Where the environ has it; from nobody else, and never under the name of a header."""
NOT_HTTP = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ_of(
    scope: MutableMapping[str, Any], body: IO[bytes], length: int, *, proxies: frozenset[str]
) -> dict[str, Any]:
    """Return the environ of one request whose body is spooled in ``body``."""
    headers = _joined_headers(scope["headers"])
    peer, port = scope.get("client") or ("", 0)
    trusted = peer in proxies
    address, scheme = (
        _behind_proxy(headers, peer, scope.get("scheme", "http"), proxies)
        if trusted
        else (peer, scope.get("scheme", "http"))
    )
    server, server_port = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # Django re-encodes PATH_INFO as ISO-8859-1, as PEP 3333 asks; the scope holds text.
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version', '1.1')}",
        "SERVER_NAME": str(server),
        "SERVER_PORT": str(server_port or 80),
        "REMOTE_ADDR": address,
        "REMOTE_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    certificate = headers.pop(CERTIFICATE, "")
    if trusted and certificate:
        environ[CERTIFICATE_KEY] = certificate
    for name, value in headers.items():
        if name not in FORWARDED:
            environ[NOT_HTTP.get(name) or f"HTTP_{name.upper().replace('-', '_')}"] = value
    # Django takes a request without length for an empty one; a chunked body has none.
    environ["CONTENT_LENGTH"] = str(length)
    return environ


def _joined_headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Join repeated headers; drop names with ``_``, which would pass for others in the environ."""
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        if "_" in name:
            continue
        if name in headers:
            value = f"{headers[name]}{'; ' if name == 'cookie' else ','}{value}"
        headers[name] = value
    return headers


def _behind_proxy(
    headers: dict[str, str], peer: str, scheme: str, proxies: frozenset[str]
) -> tuple[str, str]:
    """Return the client's address and scheme as a trusted proxy reports them.

    The address is the rightmost of X-Forwarded-For that is no trusted proxy: what stands to its
    left was written by the client.
    """
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    address = next((hop for hop in reversed(hops) if hop not in proxies), peer)
    proto = headers.get("x-forwarded-proto", scheme).split(",")[-1].strip().lower()
    return address, proto if proto in {"http", "https"} else scheme
