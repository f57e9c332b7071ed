"""``$meta-add`` and ``$meta-delete`` on a resource (FHIR R4, resource-operations.html#meta-add).

They take the confidentiality labels of the CI-SIS (value set JDV_J08) and nothing else: profiles
and tags are changed by an update. The answer is the meta of the version that stands now.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from hygie.kernel.api.answers import version_headers
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response, if_match_of
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.errors import InvalidRequest, NotSupported
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.labels import NO_LABEL, Label
from hygie.kernel.store.labels import label_of
from hygie.kernel.store.relabelling import Relabelling

ADD, DELETE = "meta-add", "meta-delete"


class _Head(msgspec.Struct):
    meta: msgspec.Raw = msgspec.Raw(b"{}")


_head = msgspec.json.Decoder(_Head)


async def add(engine: Engine, request: HttpRequest) -> Response:
    """Add confidentiality labels to a resource; ``If-Match`` refuses it when another came."""
    return await _relabel(engine, request, add=labels_of(request.body), remove=NO_LABEL)


async def delete(engine: Engine, request: HttpRequest) -> Response:
    """Remove confidentiality labels from a resource; ``If-Match`` as for ``$meta-add``."""
    return await _relabel(engine, request, add=NO_LABEL, remove=labels_of(request.body))


async def _relabel(engine: Engine, request: HttpRequest, *, add: Label, remove: Label) -> Response:
    check_accepts_json(request)
    check_sends_json(request)
    rt, rid, _ = request.segments
    wanted = Relabelling(rt, rid, add, remove, if_match_of(request))
    written = await engine.repository.relabel_as(
        request.access, wanted, request=request.traced("update")
    )
    meta = _head.decode(written.stored.body or b"{}").meta
    answer = {
        "resourceType": "Parameters",
        "parameter": [{"name": "return", "valueMeta": meta}],
    }
    return Response(200, msgspec.json.encode(answer), version_headers(written.stored))


def labels_of(raw: bytes) -> Label:
    """Return the labels of a Parameters resource with one ``meta``.

    Raises:
        InvalidRequest: there is no such parameter, or another one.
        NotSupported: it holds a tag, a profile, or a code that is no label.
    """
    parsed: Any = parse(raw, expect="Parameters").resource
    given: list[Any] = list(parsed.parameter or ())
    if len(given) != 1 or given[0].name != "meta" or given[0].valueMeta is UNSET:
        raise InvalidRequest("Send Parameters with one parameter named meta, as a valueMeta.")
    meta = given[0].valueMeta
    if meta.tag or meta.profile:
        raise NotSupported("Tags and profiles are changed by an update; send labels alone.")
    found = NO_LABEL
    for coding in meta.security or ():
        label = label_of(coding.code or "")
        if not label:
            raise NotSupported("A label is one of N, R, V and those of value set JDV_J08.")
        found |= label
    if not found:
        raise InvalidRequest("Send at least one label in meta.security.")
    return found
