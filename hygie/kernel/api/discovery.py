"""Documents that tell where to sign in (RFC 8414; OpenID Connect Discovery; SMART App Launch 2.2).

A domain that signs applications in gives them; without one there is the endpoint of introspection
and nothing else.
"""

from __future__ import annotations

import msgspec

from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.tokens import INTROSPECTION
from hygie.kernel.errors import MethodNotAllowed, NotFound

SMART = "fhir/.well-known/smart-configuration"
SERVER = ".well-known/oauth-authorization-server"


async def discovery(engine: Engine, request: HttpRequest) -> Response:
    """Return the document of a well-known address.

    Raises:
        NotFound: another well-known document is asked for.
    """
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("Discovery takes a GET.")
    found = documents(engine).get("/".join(request.segments))
    if found is None:
        raise NotFound(f"No such document; /{SERVER} is there.")
    return Response(200, msgspec.json.encode(found), content_type="application/json")


def documents(engine: Engine) -> dict[str, dict[str, object]]:
    """Return the documents by their address, without the first slash."""
    root = engine.base.removesuffix("/fhir")
    least: dict[str, object] = {
        "issuer": root,
        "introspection_endpoint": f"{root}{INTROSPECTION}",
        "response_types_supported": [],
        "grant_types_supported": [],
    }
    return {SERVER: least, **engine.documents}
