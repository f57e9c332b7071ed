"""Rectification: a person says what is wrong, a professional corrects it or says why not.

A correction is a new version, and a Provenance names it, the former one, who corrected and why.
Former versions are withdrawn: the person, their author and the local operator alone read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from hygie.domains.rights.fhir.corrections import Correction, corrected
from hygie.domains.rights.fhir.lines import line, text_of
from hygie.domains.rights.fhir.requests import answered_task, provenance_of, request_of, task_of
from hygie.domains.rights.model.requests import CODES, Request, Right, State, answered
from hygie.domains.rights.service.copying import check_may_ask
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Repository, Stored, Visit
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.compartments import compartment
from hygie.kernel.store.tracing import Request as Asked

MOST = "100"
LONGEST = 2_000
_CODE = f"{CODES}|{Right.RECTIFICATION}"


@dataclass(frozen=True, slots=True)
class Item:
    """What a request is about, as a page shows it."""

    reference: str
    rt: str
    title: str
    day: str
    detail: str
    version: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A request with its item and whose record it is; ``item`` None where it is not visible."""

    request: Request
    item: Item | None
    person: str


async def ask(
    repository: Repository, caller: Caller, patient: str, *, focus: str, wish: str, at: datetime
) -> str:
    """Ask for the correction of one item; return the id of the Task.

    Raises:
        InvalidRequest: nothing is said about what is wrong.
        NotFound: the item is not visible to the caller.
        Forbidden: the caller is neither the person nor a representative who manages.
    """
    if not wish.strip() or len(wish) > LONGEST:
        raise InvalidRequest(f"Say what is wrong, in {LONGEST} characters at most.")
    async with repository.visit(caller, request=Asked("search-type")) as visit:
        place = await compartment(repository, visit, patient)
        await check_may_ask(place, kind=caller.kind)
        stored = await _read(visit, focus)
    request = Request(
        id="",
        right=Right.RECTIFICATION,
        state=State.REQUESTED,
        patient=patient,
        requester=caller.reference,
        focus=focus,
        wish=wish.strip(),
        asked=at.isoformat(timespec="seconds"),
        owner=_author(stored),
    )
    written = await repository.create(caller, "Task", msgspec.json.encode(task_of(request)))
    return written.stored.rid


async def item_of(repository: Repository, caller: Caller, reference: str) -> Item:
    """Return one item of a record, for the page that asks for its correction.

    Raises:
        NotFound: nothing visible to the caller is there.
    """
    async with repository.visit(caller, request=Asked("read")) as visit:
        return _item(await _read(visit, reference))


async def items(
    repository: Repository, caller: Caller, patient: str, *, rt: str | None
) -> list[Item]:
    """Return the newest items of one type, none where no type is chosen.

    Raises:
        Forbidden: the caller is neither the person nor a representative who manages.
    """
    async with repository.visit(caller, request=Asked("search-type")) as visit:
        place = await compartment(repository, visit, patient)
        await check_may_ask(place, kind=caller.kind)
        if rt is None:
            return []
        found = await visit.search(rt, [("patient", patient), ("_count", MOST)])
    shown = [_item(entry.stored) for entry in found.entries if entry.mode == "match"]
    return sorted(shown, key=lambda one: one.day, reverse=True)


async def mine(repository: Repository, caller: Caller, patient: str) -> list[Shown]:
    """Return the requests about a record, newest first, with their answers."""
    codes = f"{_CODE},{CODES}|{Right.ERASURE}"
    async with repository.visit(caller, request=Asked("search-type")) as visit:
        query = [("patient", patient), ("code", codes), ("_sort", "-authored-on")]
        return await _shown(visit, [*query, ("_count", MOST)])


async def to_answer(repository: Repository, caller: Caller) -> list[Shown]:
    """Return the requests that wait for an answer and that the professional may see."""
    query = [("code", _CODE), ("status", State.REQUESTED), ("_count", MOST)]
    async with repository.visit(caller, request=Asked("search-type")) as visit:
        shown = await _shown(visit, query)
    # Those to this professional first, then the oldest: a month is all the law leaves.
    return sorted(shown, key=lambda one: (one.request.owner != caller.reference, one.request.asked))


async def one(repository: Repository, caller: Caller, task: str) -> Shown:
    """Return one request.

    Raises:
        NotFound: nothing visible to the caller is there.
    """
    async with repository.visit(caller, request=Asked("read")) as visit:
        found = await _shown(visit, [("_id", task)])
    if not found:
        raise NotFound("This request is not known here.")
    return found[0]


async def accept(
    repository: Repository, caller: Caller, task: str, *, correction: Correction
) -> None:
    """Correct the item, write the Provenance and answer, all or nothing.

    Raises:
        Conflict: the request was answered, or the item changed, in the meantime.
        NotSupported: this type of item cannot be corrected here.
        Forbidden: the caller may not write this record.
    """
    shown = await one(repository, caller, task)
    request, item = shown.request, shown.item
    if item is None:
        raise NotFound("The item of this request is not known here.")
    rt, _, rid = item.reference.partition("/")
    stored = await repository.read(caller, rt, rid)
    body = corrected(stored.body or b"{}", correction)
    told = answered(request, State.COMPLETED, answer=correction.note, day=correction.at)
    provenance = provenance_of(
        f"{item.reference}/_history/{stored.version + 1}",
        patient=request.patient,
        who=caller.reference,
        at=correction.at,
        why=request.wish,
        former=f"{item.reference}/_history/{stored.version}",
    )
    parts = (
        _put(0, item.reference, body, version=stored.version),
        Part(1, "POST", "Provenance", None, (), None, msgspec.json.encode(provenance)),
        await _answer(repository, caller, 2, told),
    )
    await repository.transaction(caller, parts)


async def refuse(
    repository: Repository, caller: Caller, task: str, *, reason: str, at: datetime
) -> None:
    """Refuse a correction; the person reads the reason.

    Raises:
        InvalidRequest: no reason is given.
        Conflict: the request was answered in the meantime.
    """
    if not reason.strip() or len(reason) > LONGEST:
        raise InvalidRequest(f"Say why, in {LONGEST} characters at most: the person will read it.")
    request = (await one(repository, caller, task)).request
    day = at.isoformat(timespec="seconds")
    told = answered(request, State.REJECTED, answer=reason.strip(), day=day)
    await repository.transaction(caller, (await _answer(repository, caller, 0, told),))


async def _answer(repository: Repository, caller: Caller, place: int, told: Request) -> Part:
    posted = await repository.read(caller, "Task", told.id)
    body = msgspec.json.encode(answered_task(msgspec.json.decode(posted.body or b"{}"), told))
    return _put(place, f"Task/{told.id}", body, version=told.version)


def _put(place: int, reference: str, raw: bytes, *, version: int) -> Part:
    rt, _, rid = reference.partition("/")
    return Part(place, "PUT", rt, rid, (), None, raw, if_match=f'W/"{version}"')


async def _shown(visit: Visit, query: list[tuple[str, str]]) -> list[Shown]:
    found = await visit.search("Task", query)
    shown = []
    for entry in found.entries:
        task = msgspec.json.decode(entry.stored.body or b"{}")
        try:
            request = request_of(task, version=entry.stored.version)
        except NotFound:
            continue
        item = await _seen(visit, request.focus)
        person = await _seen(visit, f"Patient/{request.patient}")
        shown.append(Shown(request, item, person.title if person else ""))
    return shown


async def _seen(visit: Visit, reference: str) -> Item | None:
    if not reference:
        return None
    try:
        return _item(await _read(visit, reference))
    except NotFound:
        return None


async def _read(visit: Visit, reference: str) -> Stored:
    rt, _, rid = reference.partition("/")
    return await visit.read(rt, rid)


def _item(stored: Stored) -> Item:
    resource = msgspec.json.decode(stored.body or b"{}")
    told = line(resource)
    title = text_of(resource.get("name")) if stored.rt == "Patient" else told.title
    return Item(stored.reference, stored.rt, title, told.day, told.detail, stored.version)


def _author(stored: Stored) -> str:
    """Return the professional who wrote an item, empty where none of this server is named."""
    resource = msgspec.json.decode(stored.body or b"{}")
    for name in ("author", "recorder", "performer", "requester", "asserter"):
        named = resource.get(name)
        for actor in named if isinstance(named, list) else [named]:
            reference = actor.get("reference") if isinstance(actor, dict) else None
            if isinstance(reference, str) and reference.startswith("Practitioner/"):
                return reference
    return ""
