"""Transaction: a Bundle carried out wholly or not at all (FHIR R4, http.html#transaction)."""

from __future__ import annotations

from hygie.kernel.api.batch import carry_out_batch
from hygie.kernel.api.bundle import answer_entry, bundle, searchset, written_entry
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.api.subset import Subset
from hygie.kernel.store.bundles import read_parts
from hygie.kernel.store.model import Stored
from hygie.kernel.store.transaction import Answer


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
    entries = await carry_out_batch(engine, request, caller, parts.parts)
    return Response(200, bundle("batch-response", entries))


def _answered(engine: Engine, answer: Answer, *, minimal: bool) -> bytes:
    part = answer.part
    if answer.found is not None:
        body = searchset(answer.found, part.rt, Subset.of(part.pairs), base=engine.base)
        return answer_entry(200, body=body, base=engine.base)
    if answer.written is not None:
        return written_entry(answer.written, part.verb, minimal=minimal, base=engine.base)
    if answer.stored is not None:
        return _stored(engine, answer.stored, minimal=minimal)
    return answer_entry(204, base=engine.base)


def _stored(engine: Engine, stored: Stored, *, minimal: bool) -> bytes:
    return answer_entry(200, stored=stored, body=None if minimal else stored.body, base=engine.base)
