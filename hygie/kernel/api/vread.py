"""Vread: one version of a resource (FHIR R4, http.html#vread)."""

from __future__ import annotations

from hygie.kernel.api.answers import resource_answer
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json
from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import NotFound


async def vread(engine: Engine, request: HttpRequest) -> Response:
    """Return one version of a resource."""
    check_accepts_json(request)
    rt, rid, _, version = request.segments
    if not (version.isascii() and version.isdigit()):
        raise NotFound(f"{rt}/{rid} has no such version.")
    subset = Subset.of(request.pairs)
    stored = await engine.repository.vread(
        request.access, rt, rid, version=_bounded(version), request=request.traced("vread")
    )
    return resource_answer(request, stored, subset.apply(stored))


def _bounded(version: str) -> int:
    return min(int(version[:10]), 2**31 - 1)
