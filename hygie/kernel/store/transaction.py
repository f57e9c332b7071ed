"""Carry out a FHIR transaction: all of it or nothing (FHIR R4, http.html#trules).

Order: ids are given and criteria resolved first, then DELETE, POST, PUT, then GET on the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from hygie.kernel.errors import (
    HygieError,
    InvalidRequest,
    Issue,
    MethodNotAllowed,
    NotFound,
    NotSupported,
    PreconditionFailed,
)
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.splice import replace_strings, server_fields
from hygie.kernel.security.caller import Kind
from hygie.kernel.store.atomic import StepRefused, Steps
from hygie.kernel.store.bundles import Part, links
from hygie.kernel.store.change import Change, Method
from hygie.kernel.store.conditional import Pairs, at_most_one, check_criteria, read_criteria
from hygie.kernel.store.facts import Projections
from hygie.kernel.store.ids import new_id
from hygie.kernel.store.model import Found, Stored, Written
from hygie.kernel.store.prepare import check_body_id, prepare
from hygie.kernel.store.removals import with_removals
from hygie.kernel.store.search.query import read_query
from hygie.kernel.store.tracing import Request

_CONDITIONAL = re.compile(rb'"reference"\s*:\s*("(?:[A-Z][A-Za-z]+)\?(?:[^"\\]|\\.)*")')


_WHOLE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one entry: a write, a resource that was there, or a search."""

    part: Part
    written: Written | None = None
    stored: Stored | None = None
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    """An entry whose target is known; ``existing`` answers a conditional create that matched.

    ``creates`` tells that a conditional update matched nothing: it creates, with our id.
    """

    part: Part
    rid: str
    existing: Stored | None = None
    creates: bool = False


async def carry_out(
    steps: Steps, parts: tuple[Part, ...], *, projections: Projections
) -> list[Answer]:
    """Return one answer per entry, in the order of the Bundle.

    Raises:
        HygieError: the first refusal, its ``expression`` inside the Bundle.
    """
    parts = with_removals(parts, base=steps.searcher.site.base)
    planned = [await _plan(steps, part) for part in parts if part.verb not in ("GET", "HEAD")]
    targets = {
        one.part.full_url: (one.part.rt, one.rid)
        for one in planned
        if one is not None and one.part.full_url and one.part.verb != "DELETE"
    }
    _check_once(planned)
    answers: dict[int, Answer] = {}
    for verb in ("DELETE", "POST", "PUT"):
        chosen = [one for one in planned if one is not None and one.part.verb == verb]
        for one in chosen:
            if one.existing is not None:
                answers[one.part.place] = Answer(one.part, stored=one.existing)
        writes = [one for one in chosen if one.existing is None]
        answers.update(await _write(steps, writes, links(targets), projections))
    for part in parts:
        if part.place not in answers:
            answers[part.place] = await _read(steps, part)
    return [answers[part.place] for part in parts]


async def _plan(steps: Steps, part: Part) -> _Planned | None:
    try:
        return await _target(steps, part)
    except HygieError as error:
        raise located(error, part) from error


async def _target(steps: Steps, part: Part) -> _Planned | None:
    """Return the resource an entry is about; None for a conditional delete that finds nothing."""
    if part.verb == "POST":
        if part.if_none_exist is None:
            return _Planned(part, new_id())
        existing = await _match(steps, part.rt, read_criteria(part.if_none_exist))
        if existing is not None:
            steps.answer(existing)
        return _Planned(part, existing.rid if existing else new_id(), existing)
    if part.rid is not None:
        return _Planned(part, part.rid)
    if not part.pairs:
        raise InvalidRequest(f"{part.verb} needs Type/id or Type?criteria.")
    found = await _match(steps, part.rt, check_criteria(part.pairs))
    if part.verb == "DELETE":
        return _Planned(part, found.rid) if found else None
    return _upsert(steps, part, found)


def _upsert(steps: Steps, part: Part, found: Stored | None) -> _Planned:
    if found is not None:
        return _Planned(part, found.rid)
    own = server_fields(part.raw or b"{}").id
    if own is None:
        return _Planned(part, new_id(), creates=part.if_match is None)
    if steps.caller.kind != Kind.SYSTEM:
        raise MethodNotAllowed("Only the server gives ids; leave the id out of the body.")
    return _Planned(part, own)


async def _match(steps: Steps, rt: str, pairs: Pairs) -> Stored | None:
    await steps.take_turn(rt, pairs)
    return at_most_one(await steps.matches(rt, pairs))


def _check_once(planned: list[_Planned | None]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in planned:
        if one is None or one.existing is not None:
            continue
        key = (one.part.rt, one.rid)
        if key in seen:
            raise InvalidRequest(
                "Two entries of a transaction change the same resource.",
                expression=one.part.expression,
            )
        seen.add(key)


async def _write(
    steps: Steps, planned: list[_Planned], urls: Mapping[str, str], projections: Projections
) -> dict[int, Answer]:
    changes = []
    for one in planned:
        try:
            changes.append(await _change(steps, one, urls, projections))
        except HygieError as error:
            raise located(error, one.part) from error
    try:
        written = await steps.write(changes)
    except StepRefused as refused:
        raise located(refused.error, planned[refused.place].part) from refused
    return {
        one.part.place: Answer(one.part, written=result)
        for one, result in zip(planned, written, strict=True)
    }


async def _change(
    steps: Steps, one: _Planned, urls: Mapping[str, str], projections: Projections
) -> Change:
    part = one.part
    version = read_version(part.if_match) if part.if_match else None
    if part.raw is None or part.verb == "DELETE":
        return Change(
            steps.caller, _as(steps, "delete"), "delete", part.rt, one.rid, if_match=version
        )
    raw = replace_strings(part.raw, urls)
    raw = await _resolve_conditional(steps, raw)
    if part.verb == "PUT" and part.rid is not None:
        check_body_id(server_fields(raw).id, part.rid, part.rt)
    prepared = prepare(raw, part.rt, one.rid, projections=projections, site=steps.searcher.site)
    method: Method = "create" if part.verb == "POST" or one.creates else "update"
    return Change(
        steps.caller,
        _as(steps, method),
        method,
        part.rt,
        one.rid,
        prepared,
        if_match=version,
        withdraws=part.withdraws,
    )


def _as(steps: Steps, interaction: str) -> Request:
    return replace(steps.request, interaction=interaction)


async def _resolve_conditional(steps: Steps, raw: bytes) -> bytes:
    """Replace ``Type?criteria`` references by the one resource they select."""
    found: dict[str, str] = {}
    for match in _CONDITIONAL.finditer(raw):
        text = msgspec.json.decode(match[1], type=str)
        rt, _, criteria = text.partition("?")
        if rt not in RESOURCE_TYPES:
            raise InvalidRequest(f"A conditional reference names {rt}, which is no resource type.")
        stored = await steps.matches(rt, read_criteria(criteria))
        if len(stored) != 1:
            raise PreconditionFailed(
                f"A conditional reference to {rt} selects {len(stored) or 'no'} resources; "
                "it must select one."
            )
        steps.answer(stored[0])
        found[text] = stored[0].reference
    return replace_strings(raw, found)


async def _read(steps: Steps, part: Part) -> Answer:
    if part.verb == "DELETE":
        return Answer(part)
    try:
        if part.rid is None:
            return Answer(part, found=await steps.search(read_query(part.rt, part.pairs)))
        if part.version is not None:
            raise NotSupported("A transaction reads current versions only; use a batch.")
        found = await steps.search(read_query(part.rt, [("_id", part.rid)]))
        if not found.entries:
            raise NotFound(f"{part.rt}/{part.rid} is not known here.")
        return Answer(part, stored=found.entries[0].stored)
    except HygieError as error:
        raise located(error, part) from error


def read_version(etag: str) -> int:
    """Return the version an ETag names (FHIR R4, http.html#versioning).

    >>> read_version('W/"3"')
    3

    Raises:
        InvalidRequest: it is no ETag of Hygie.
    """
    text = etag.strip().removeprefix("W/").strip('"')
    if not _WHOLE.fullmatch(text):
        raise InvalidRequest('If-Match is written W/"3", with the version that was read.')
    return int(text)


def located(error: HygieError, part: Part) -> HygieError:
    """Return the refusal with its place inside the Bundle."""
    issues = [
        Issue(issue.code, issue.diagnostics, _inside(issue.expression, part), issue.severity)
        for issue in error.issues
    ]
    return type(error)(str(error), issues=issues)


def _inside(expression: str | None, part: Part) -> str:
    if not expression:
        return part.expression
    if expression.startswith("Bundle.entry"):
        return expression
    _, dot, rest = expression.partition(".")
    return f"{part.expression}.resource{dot}{rest}"
