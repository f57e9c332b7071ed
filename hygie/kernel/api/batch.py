"""Batch: entries carried out one by one (FHIR R4, http.html#transaction)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

from hygie.kernel.api.bundle import answer_entry, searchset, written_entry
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest
from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import HygieError
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.model import Written
from hygie.kernel.store.transaction import located, read_version

AT_ONCE = 64
"""Entries of a batch that run at the same time; they then share round trips and commits."""


async def carry_out_batch(
    engine: Engine, request: HttpRequest, caller: Caller, parts: tuple[Part, ...]
) -> list[bytes]:
    """Return the answers of entries carried out in the order DELETE, POST, PUT, GET."""
    done: dict[int, bytes] = {}
    for verbs in (("DELETE",), ("POST",), ("PUT",), ("GET", "HEAD")):
        chosen = [part for part in parts if part.verb in verbs]
        for start in range(0, len(chosen), AT_ONCE):
            group = chosen[start : start + AT_ONCE]
            results = await asyncio.gather(*(_one(engine, request, caller, part) for part in group))
            done.update(zip((part.place for part in group), results, strict=True))
    return [done[part.place] for part in parts]


async def _one(engine: Engine, request: HttpRequest, caller: Caller, part: Part) -> bytes:
    try:
        return await _carry_out(engine, request, caller, part)
    except HygieError as error:
        refused = located(error, part)
        return answer_entry(refused.status, issues=refused.issues, base=engine.base)


async def _carry_out(engine: Engine, request: HttpRequest, caller: Caller, part: Part) -> bytes:
    minimal = request.preference("return") == "minimal"
    if part.verb in ("GET", "HEAD"):
        return await _get(engine, request, caller, part)
    written = await _write(engine, request, caller, part)
    if written is None:
        return answer_entry(204, base=engine.base)
    return written_entry(written, part.verb, minimal=minimal, base=engine.base)


async def _write(
    engine: Engine, request: HttpRequest, caller: Caller, part: Part
) -> Written | None:
    repository, raw = engine.repository, part.raw or b""
    if part.verb == "POST":
        traced = request.traced("create")
        return await repository.create(
            caller, part.rt, raw, if_none_exist=part.if_none_exist, request=traced
        )
    version = read_version(part.if_match) if part.if_match else None
    if part.verb == "DELETE":
        traced = request.traced("delete")
        if part.rid is None:
            return await repository.delete_where(
                caller, part.rt, criteria=part.pairs, request=traced
            )
        return await repository.delete(caller, part.rt, part.rid, if_match=version, request=traced)
    traced = request.traced("update")
    if part.rid is None:
        return await repository.update_where(
            caller, part.rt, raw, criteria=part.pairs, request=traced
        )
    return await repository.update(caller, part.rt, part.rid, raw, if_match=version, request=traced)


async def _get(engine: Engine, request: HttpRequest, caller: Caller, part: Part) -> bytes:
    repository = engine.repository
    subset = Subset.of(part.pairs)
    if part.rid is None:
        traced = replace(request.traced("search-type"), query=urlencode(part.pairs))
        found = await repository.search(
            caller, part.rt, part.pairs, lenient=request.lenient, request=traced
        )
        return answer_entry(
            200, body=searchset(found, part.rt, subset, base=engine.base), base=engine.base
        )
    if part.version is not None:
        traced = request.traced("vread")
        stored = await repository.vread(
            caller, part.rt, part.rid, version=part.version, request=traced
        )
    else:
        traced = request.traced("read")
        stored = await repository.read(caller, part.rt, part.rid, request=traced)
    return answer_entry(200, stored=stored, body=subset.apply(stored), base=engine.base)
