"""Ask our own ``/healthz``, as somebody outside would."""

from __future__ import annotations

import http.client
import ssl

from hygie.kernel.config import Settings

OK = 200
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, never listened on


def answers(settings: Settings, *, patience: float = 2.0) -> bool:
    """Return whether ``GET /healthz`` answers 200."""
    connection = _connection(settings, patience)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(settings: Settings, patience: float) -> http.client.HTTPConnection:
    host = EVERY_ADDRESS.get(settings.host, settings.host)
    if settings.tls_certificate is None:
        return http.client.HTTPConnection(host, settings.port, timeout=patience)
    # The certificate names the public address, and this question goes to our own machine.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=patience, context=context)
