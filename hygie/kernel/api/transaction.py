"""Transactions and batches (FHIR R4, http.html#transaction)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlencode

from hygie.kernel.api.answers import refusal_answer
from hygie.kernel.api.bundle import answer_entry, bundle, searchset
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.api.subset import Subset
from hygie.kernel.errors import HygieError
from hygie.kernel.security.caller import Caller
from hygie.kernel.store.bundles import Part, read_parts
from hygie.kernel.store.model import Stored, Written
from hygie.kernel.store.transaction import Answer, located, read_version

AT_ONCE = 64
"""Entries of a batch that run at the same time; they then share round trips and commits."""


async def post_bundle(engine: Engine, request: HttpRequest) -> Response:
    """Carry out a Bundle: a transaction wholly or not at all, a batch entry by entry."""
    check_accepts_json(request)
    check_sends_json(request)
    caller = await engine.repository.authenticate(request.access)
    parts = read_parts(request.body, base=engine.base)
    if parts.kind == "transaction":
        answers = await engine.repository.transaction(
            caller, parts.parts, request=request.traced("transaction")
        )
        minimal = request.preference("return") == "minimal"
        entries = [_answered(engine, answer, minimal=minimal) for answer in answers]
        return Response(200, bundle("transaction-response", entries))
    entries = await _batch(engine, request, caller, parts.parts)
    return Response(200, bundle("batch-response", entries))


def _answered(engine: Engine, answer: Answer, *, minimal: bool) -> bytes:
    part = answer.part
    if answer.found is not None:
        body = searchset(answer.found, part.rt, Subset.of(part.pairs), base=engine.base)
        return answer_entry(200, body=body, base=engine.base)
    if answer.written is not None:
        return _written(engine, answer.written, part, minimal=minimal)
    if answer.stored is not None:
        return _stored(engine, answer.stored, minimal=minimal)
    return answer_entry(204, base=engine.base)


def _written(engine: Engine, written: Written, part: Part, *, minimal: bool) -> bytes:
    if part.verb == "DELETE":
        return answer_entry(204, base=engine.base)
    status = 201 if written.created else 200
    body = None if minimal else written.stored.body
    return answer_entry(status, stored=written.stored, body=body, base=engine.base)


def _stored(engine: Engine, stored: Stored, *, minimal: bool) -> bytes:
    return answer_entry(200, stored=stored, body=None if minimal else stored.body, base=engine.base)


async def _batch(
    engine: Engine, request: HttpRequest, caller: Caller, parts: tuple[Part, ...]
) -> list[bytes]:
    """Carry out entries on their own, in the order DELETE, POST, PUT, GET."""
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
        status = refusal_answer(refused).status
        return answer_entry(status, issues=refused.issues, base=engine.base)


async def _carry_out(engine: Engine, request: HttpRequest, caller: Caller, part: Part) -> bytes:
    minimal = request.preference("return") == "minimal"
    if part.verb in ("GET", "HEAD"):
        return await _get(engine, request, caller, part)
    written = await _write(engine, request, caller, part)
    if written is None:
        return answer_entry(204, base=engine.base)
    return _written(engine, written, part, minimal=minimal)


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
