"""Erasure against retention: what may go is removed for ever, what must stay is told with its law.

The plan shows, and the removal touches, what the person who asks may see and no more: a request by
a representative never reveals what is hidden from representatives. Before anything goes, all that
is held is looked at: recent care that is hidden from who asks keeps the file it belongs to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.rights.fhir.requests import (
    Json,
    answered_task,
    refused_task,
    request_of,
    task_of,
)
from hygie.domains.rights.model.requests import CODES, Request, Right, State, answered
from hygie.domains.rights.model.retention import Holding, Life, Verdict, decide, table
from hygie.domains.rights.service import exports
from hygie.domains.rights.service.copying import check_may_ask
from hygie.kernel.audit.erasure import erase_person
from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import SEQUENCER
from hygie.kernel.errors import Conflict, Forbidden, HygieError, NotFound, PreconditionFailed
from hygie.kernel.fhir.names import type_number
from hygie.kernel.outbox.job import Event
from hygie.kernel.outbox.queue import put
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.keys import Keyring, shred
from hygie.kernel.security.keys.shredding import record_removal
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository, Stored, Visit
from hygie.kernel.store.compartments import Compartment, Held, compartment
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.purging import ERASURE, purge
from hygie.kernel.store.tracing import Request as Asked
from hygie.kernel.store.tracing import Touched, trace_one

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

ERASE = "rights.erase"
"""Kind of the job that carries out erasures."""
UNREADABLE = (
    "Cette demande ne peut pas être lue : il y faut Task.for (Patient), Task.requester, "
    "et un seul Task.code de la liste des droits."
)
_WRITTEN = """
SELECT bool_and(t.agent = ANY (ARRAY[$3, 'system'])) FROM trace t
WHERE t.rt = $1::smallint AND t.uid = $2 AND t.outcome < 400
  AND t.interaction IN ('create', 'update')
"""
DAYS_OF_A_YEAR = 365.25
OF_THE_RECORD = frozenset(
    {"Patient", "RelatedPerson", "Person", "Consent", "CareTeam", "Task", "Provenance", "Coverage"}
)
"""What says whose record it is and who may read it: it goes only with the whole record."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would erase, what would stay, and why.

    Attributes:
        verdicts: one per controller and rule.
        erased: references of what would be removed.
        whole: whether nothing would be left.
        held: how many resources the plan looked at.
    """

    verdicts: tuple[Verdict, ...]
    erased: tuple[str, ...]
    whole: bool
    held: int


async def plan_erasure(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> Plan:
    """Return what erasing a record would do today; nothing is erased.

    Raises:
        NotFound: nothing of this patient is visible to the caller.
        Forbidden: the caller is neither the person nor a representative who manages.
    """
    async with _opened(repository, caller, patient) as (visit, place):
        return await _plan(visit, place, at)


async def ask_erasure(
    repository: Repository, caller: Caller, patient: str, *, wish: str, at: datetime
) -> str:
    """Ask for what may be erased; a job carries it out. Return the id of the Task.

    Raises:
        Conflict: such a request already waits.
        Forbidden: the caller is neither the person nor a representative who manages.
    """
    async with _opened(repository, caller, patient) as (visit, _):
        if await _waiting(visit, patient):
            raise Conflict("A request for erasure already waits. Wait for its answer.")
    request = Request(
        id="",
        right=Right.ERASURE,
        state=State.REQUESTED,
        patient=patient,
        requester=caller.reference,
        focus="",
        wish=wish,
        asked=at.isoformat(timespec="seconds"),
    )
    written = await repository.create(caller, "Task", msgspec.json.encode(task_of(request)))
    async with repository.database.transaction(system=True) as connection:
        await put(connection, [Event(ERASE)])
    return written.stored.rid


async def carry_out_erasures(
    repository: Repository, keyring: Keyring, data: Path, *, at: datetime
) -> int:
    """Carry out every erasure that was asked; return how many.

    One that cannot be carried out is refused with the reason, and stops no other.
    """
    query = [("code", f"{CODES}|{Right.ERASURE}"), ("status", State.REQUESTED)]
    found = await repository.search(SYSTEM, "Task", query)
    day = at.isoformat(timespec="seconds")
    for entry in found.entries:
        posted = msgspec.json.decode(entry.stored.body or b"{}")
        try:
            request = request_of(posted, version=entry.stored.version)
        except NotFound:
            await _answer(repository, entry.stored, refused_task(posted, UNREADABLE, day=day))
            continue
        try:
            told = await _carry_out(repository, keyring, data, request, at=at)
        except HygieError as error:
            await _answer(repository, entry.stored, refused_task(posted, str(error), day=day))
        else:
            if told is not None:
                await _answer(repository, entry.stored, answered_task(posted, told))
    return len(found.entries)


async def _carry_out(
    repository: Repository, keyring: Keyring, data: Path, request: Request, *, at: datetime
) -> Request | None:
    """Erase what may go; return the request with its answer, None where nothing is left of it."""
    await _check_wrote(repository, request)
    number = await repository.party_number(request.requester)
    caller = Caller(Kind.PATIENT, number, request.requester, purpose="PATRQT")
    async with _opened(repository, SYSTEM, request.patient) as (visit, place):
        real = await _plan(visit, place, at)
    async with _opened(repository, caller, request.patient) as (visit, place):
        plan = await _plan(visit, place, at, real=real)
    await _erase_old_traces(repository, place.number, at=at)
    if plan.erased:
        await exports.end(repository, data, at=at, pat=place.number)
        await _remove(repository, keyring, place.number, plan, at=at)
    if plan.whole:
        return None
    state = State.COMPLETED if plan.erased else State.REJECTED
    told = replace(request, verdicts=plan.verdicts)
    day, why = at.isoformat(timespec="seconds"), _sentence(plan.verdicts, at.date())
    return answered(told, state, answer=why, day=day)


async def _check_wrote(repository: Repository, request: Request) -> None:
    """Check by the log that who asks wrote the request: its text alone could name anybody.

    Raises:
        Forbidden: somebody else wrote it, or changed it.
    """
    async with repository.reading(SYSTEM, Asked("search-type")) as reading:
        written = await reading.connection.fetchval(
            _WRITTEN, type_number("Task"), key_of(request.id)[0], request.requester
        )
    if not written:
        raise Forbidden("La demande doit être écrite par la personne qu’elle nomme.")


async def _remove(
    repository: Repository, keyring: Keyring, number: int, plan: Plan, *, at: datetime
) -> None:
    async def record(connection: Connection) -> None:
        """Write the ledger before the data goes: what is lost in between is removed again."""
        if plan.whole:
            await shred(keyring, connection, number, at=at, resources=plan.erased)
        else:
            await record_removal(keyring, number, at=at, resources=plan.erased)

    await purge(repository, number, plan.erased, why="GDPR article 17", before_commit=record)


async def _erase_old_traces(repository: Repository, number: int, *, at: datetime) -> None:
    """Erase what can name the person from traces that no text keeps any more; proofs stay valid."""
    years = table().value("access-log", at=at.date()).years
    before = at - timedelta(days=round(years * DAYS_OF_A_YEAR))
    touched = Touched(None, None, None, None, "erasure")
    by = trace_one(Asked("delete"), ERASURE, touched, status=204)
    database = await Database.open(repository.database.dsn, role=SEQUENCER, size=1)
    try:
        async with database.connection() as connection:
            await erase_person(connection, number, before=before, by=by)
    finally:
        await database.close()


async def _answer(repository: Repository, posted: Stored, told: Json) -> None:
    """Write the answer into the Task, unless its author changed it in the meantime."""
    body = msgspec.json.encode(told)
    with suppress(PreconditionFailed):  # the next pass reads what it says now
        await repository.update(SYSTEM, "Task", posted.rid, body, if_match=posted.version)


async def _plan(
    visit: Visit, place: Compartment, at: datetime, *, real: Plan | None = None
) -> Plan:
    """Return the plan of what this caller sees, within ``real``: the plan of all that is held."""
    held = await place.held()
    care = [one for one in held if one.reference.partition("/")[0] not in OF_THE_RECORD]
    verdicts = decide(_holdings(care), await _life(visit, place, at), table())
    if real is not None:
        verdicts = _within(verdicts, real)
    erased = {(one.key, one.controller) for one in verdicts if one.erased}
    gone = [one.reference for one in care if one.alone and _is_erased(one, erased)]
    alone = {one.reference for one in held if one.alone}
    gone += await _files_of(visit, gone, known=alone)
    # Who has deposits only keeps an identity and choices: a record goes whole with its care file.
    ended = place.own and any(one.key != "own-deposit" for one in verdicts)
    whole = ended and all(one.erased for one in verdicts) and len(alone) == len(held)
    if real is not None and real.held != len(held):
        whole = False
    chosen = sorted(alone) if whole else list(dict.fromkeys(gone))
    return Plan(tuple(verdicts), tuple(chosen), whole, len(held))


def _within(verdicts: Iterable[Verdict], real: Plan) -> list[Verdict]:
    """Keep what the whole of the file keeps; nothing is said of why."""
    kept = {one.controller for one in real.verdicts if not one.erased}
    return [
        replace(one, erased=False, until=None)
        if one.erased and one.controller in kept and one.key != "own-deposit"
        else one
        for one in verdicts
    ]


def _is_erased(one: Held, erased: Collection[tuple[str, str]]) -> bool:
    if one.personal:
        return ("own-deposit", one.structure) in erased
    return any(key != "own-deposit" and one.structure == where for key, where in erased)


def _holdings(held: Iterable[Held]) -> list[Holding]:
    by_controller: dict[str, list[Held]] = {}
    for one in held:
        by_controller.setdefault(one.structure, []).append(one)
    return [_holding(controller, those) for controller, those in sorted(by_controller.items())]


def _holding(controller: str, held: Sequence[Held]) -> Holding:
    days = [one.at.date() for one in held if one.at is not None and not one.personal]
    own = sum(1 for one in held if one.personal)
    return Holding(controller, len(held), own, min(days, default=None), max(days, default=None))


async def _life(visit: Visit, place: Compartment, at: datetime) -> Life:
    stored = await visit.read("Patient", place.patient)
    person = msgspec.json.decode(stored.body or b"{}")
    closed = await place.began(Relation.CLOSED)
    return Life(
        today=at.date(),
        birth=_day(person.get("birthDate")),
        death=_day(person.get("deceasedDateTime")),
        closed=closed.date() if closed else None,
    )


def _day(text: object) -> date | None:
    """Return the day of a FHIR date; the last one it may mean, since retention runs from it."""
    if not isinstance(text, str) or not text:
        return None
    year, month, day = (*(int(part) for part in text[:10].split("-")), 12, 28)[:3]
    return date(year, month, day)


async def _files_of(
    visit: Visit, references: Iterable[str], *, known: Collection[str]
) -> list[str]:
    """Return the Binary resources that hold the files of some documents."""
    found: list[str] = []
    for reference in references:
        rt, _, rid = reference.partition("/")
        if rt != "DocumentReference":
            continue
        document = msgspec.json.decode((await visit.read(rt, rid)).body or b"{}")
        for content in document.get("content", ()):
            url = str(content.get("attachment", {}).get("url", ""))
            binary = "/".join(url.split("/")[-2:])
            if binary in known and binary.startswith("Binary/"):
                found.append(binary)
    return found


async def _waiting(visit: Visit, patient: str) -> bool:
    query = [("patient", patient), ("code", f"{CODES}|{Right.ERASURE}")]
    found = await visit.search("Task", [*query, ("status", State.REQUESTED)])
    return bool(found.entries)


def _sentence(verdicts: Iterable[Verdict], today: date) -> str:
    """Return the motivated answer in French, for whoever reads the Task outside our pages."""
    periods = table()
    parts = []
    for one in verdicts:
        period = periods.value(one.key, at=today)
        until = f" jusqu’au {one.until.strftime('%d/%m/%Y')}" if one.until else ""
        done = "Effacé" if one.erased else f"Conservé{until}"
        parts.append(f"{done} : {period.label_fr}. {period.basis_fr}.")
    return " ".join(parts) or "Rien n’est enregistré qui puisse être effacé."


@asynccontextmanager
async def _opened(
    repository: Repository, caller: Caller, patient: str
) -> AsyncIterator[tuple[Visit, Compartment]]:
    request = Asked("operation", query="erasure")
    async with repository.visit(caller, request=request) as visit:
        place = await compartment(repository, visit, patient)
        await check_may_ask(place, kind=caller.kind)
        yield visit, place
