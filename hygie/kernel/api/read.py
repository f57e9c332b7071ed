"""Read: the current version of a resource (FHIR R4, http.html#read)."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from hygie.kernel.api.answers import is_known, resource_answer, version_headers
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import accepts_only_native, check_accepts_json
from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import Gone, NotAcceptable
from hygie.kernel.store.model import Stored


class _Binary(msgspec.Struct):
    contentType: str  # noqa: N815 - the JSON name
    data: str = ""
    withheld: object = msgspec.field(default=None, name="_data")


# What may stand in a header: no line, no letter beyond ASCII (RFC 9110, 8.3.1).
_MEDIA_TYPE = re.compile(r"[!#-'*+.0-9A-Z^-z|~-]+/[!#-'*+.0-9A-Z^-z|~-]+(?:;[ -~]*)?")


async def read(engine: Engine, request: HttpRequest) -> Response:
    """Return the current version of a resource; a Binary as itself when only that is accepted."""
    rt, rid = request.segments
    native = rt == "Binary" and accepts_only_native(request)
    if not native:
        check_accepts_json(request)
    subset = Subset.of(request.pairs)
    stored = await engine.repository.read(request.access, rt, rid, request=request.traced("read"))
    if native:
        return _content(request, stored)
    return resource_answer(request, stored, subset.apply(stored))


def _content(request: HttpRequest, stored: Stored) -> Response:
    binary: Any = msgspec.json.decode(stored.body or b"{}", type=_Binary)
    accepted = {part.partition(";")[0].strip() for part in request.headers["accept"].split(",")}
    family = f"{binary.contentType.partition('/')[0]}/*"
    if not _MEDIA_TYPE.fullmatch(binary.contentType) or not accepted & {
        binary.contentType.partition(";")[0].strip(),
        family,
    }:
        raise NotAcceptable(f"This Binary is {binary.contentType}: accept it, or FHIR JSON.")
    if binary.withheld is not None and not binary.data:
        raise Gone("The content of this Binary was erased.")
    # It is what somebody sent: shown as such, never run in the name of this server.
    headers = (
        *version_headers(stored),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("content-disposition", "attachment"),
    )
    if is_known(request, stored):
        return Response(304, b"", headers)
    return Response(200, base64.b64decode(binary.data), headers, binary.contentType)
