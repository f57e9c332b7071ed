"""Exports that people ask for: asked on a page or over FHIR, prepared by a job, then destroyed.

``prepared`` looks at them, and sends their files.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import msgspec

from hygie.domains.rights.fhir.lines import text_of
from hygie.domains.rights.service.copying import Counts, Wish, check_may_ask, copy_person
from hygie.domains.rights.service.sealed import SealedWriter, new_key
from hygie.domains.rights.service.traces import traces_of
from hygie.domains.rights.service.words import Language
from hygie.kernel.errors import Conflict, Forbidden, HygieError
from hygie.kernel.outbox.job import Event
from hygie.kernel.outbox.queue import put
from hygie.kernel.security.caller import SYSTEM, Access, Caller, Kind
from hygie.kernel.store import Repository
from hygie.kernel.store.compartments import compartment
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Record

EXPORT = "rights.prepare_exports"
"""Kind of the job that prepares what was asked."""
KEPT = timedelta(days=7)
"""How long a prepared file may be downloaded; then it is destroyed."""
MOST_WAITING = 2
_PART = ".part"
"""Suffix of a file that is being written."""
_LONGEST = timedelta(days=1)
"""No copy takes longer to write."""
COLUMNS = (
    "id, pat, patient, party, requester, language, state, asked, made, expires, size, counts, key,"
    " held"
)
_TURN = 0x636F7079
"""First key of the advisory lock that askers take; the second is their party."""
TRACED = "export-person"
"""What the access log keeps of each request about a copy."""


class State(IntEnum):
    """Where an export stands; the numbers are stored."""

    ASKED = 0
    READY = 1
    FAILED = 2
    ENDED = 3


NEXT: dict[State, frozenset[State]] = {
    State.ASKED: frozenset({State.READY, State.FAILED, State.ENDED}),
    State.READY: frozenset({State.ENDED}),
    State.FAILED: frozenset(),
    State.ENDED: frozenset(),
}
"""Allowed changes."""


@dataclass(frozen=True, slots=True)
class Export:
    """One export as its page shows it.

    Attributes:
        id: its id.
        patient: id of the Patient.
        state: where it stands.
        asked: when it was asked.
        expires: until when it may be downloaded, None before it is ready.
        size: bytes of the archive, None before it is ready.
        counts: what it holds, None before it is ready.
    """

    id: uuid.UUID
    patient: str
    state: State
    asked: datetime
    expires: datetime | None
    size: int | None
    counts: Counts | None


def folder_of(data: Path) -> Path:
    """Return the folder of prepared files, below the data folder."""
    return data / "exports"


async def ask(
    repository: Repository,
    access: Access,
    patient: str,
    *,
    language: Language,
    request: Request | None = None,
) -> uuid.UUID:
    """Ask for a copy of a record; a job prepares it at once.

    Raises:
        NotFound: nothing of this patient is visible to the caller.
        Forbidden: the caller is neither the person nor a representative who manages.
        Conflict: two copies already wait.
    """
    request = request or Request("operation", query=TRACED)
    async with repository.visit(access, request=request) as visit:
        place, caller = await compartment(repository, visit, patient), visit.caller
        if caller.kind == Kind.SYSTEM:
            raise Forbidden("The operator copies a record with the command hygie export-person.")
        await check_may_ask(place, kind=caller.kind)
        if caller.kind != Kind.PATIENT:
            raise Forbidden("A copy is asked from the account of a person.")
    async with repository.database.transaction(parties=[caller.party]) as connection:
        # One at a time for each asker, or two requests at once would both count one.
        await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _TURN, caller.party)
        waiting = await connection.fetchval(
            "SELECT count(*) FROM rights_export WHERE party = $1 AND state = $2",
            caller.party,
            State.ASKED,
        )
        if waiting >= MOST_WAITING:
            raise Conflict("Two copies are already being prepared. Wait for them.")
        made: uuid.UUID = await connection.fetchval(
            "INSERT INTO rights_export (pat, patient, party, requester, language) "
            "VALUES ($1, $2, $3, $4, $5) RETURNING id",
            place.number,
            patient,
            caller.party,
            caller.reference,
            language,
        )
        await put(connection, [Event(EXPORT)])
    return made


async def exports(repository: Repository, caller: Caller, patient: str) -> list[Export]:
    """Return the exports that the caller asked of a record, newest first."""
    async with repository.database.transaction(parties=[caller.party]) as connection:
        rows = await connection.fetch(
            f"SELECT {COLUMNS} FROM rights_export WHERE party = $1 AND patient = $2 "
            "ORDER BY asked DESC LIMIT 10",
            caller.party,
            patient,
        )
    return [export_of(row) for row in rows]


async def prepare(repository: Repository, data: Path, *, at: datetime) -> int:
    """Prepare every export that was asked, end those whose time is over; return how many.

    One that cannot be prepared is marked as failed, and stops no other.
    """
    await end(repository, data, at=at)
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            f"SELECT {COLUMNS} FROM rights_export WHERE state = $1 ORDER BY asked", State.ASKED
        )
    for row in rows:
        part = folder_of(data) / f"{row['id']}.{uuid.uuid4()}{_PART}"
        try:
            await _prepare(repository, row, part, at=at)
        except HygieError:
            await _finish(repository, row["id"], State.FAILED)
        finally:
            part.unlink(missing_ok=True)
    return len(rows)


async def _prepare(repository: Repository, row: Record, part: Path, *, at: datetime) -> None:
    caller = Caller(Kind.PATIENT, row["party"], row["requester"], purpose="PATRQT")
    part.parent.mkdir(mode=0o700, exist_ok=True)
    key, language = new_key(), cast("Language", row["language"])
    wish = Wish(row["patient"], language, await _name(repository, row["requester"]), at)
    traces = traces_of(repository, caller, row["patient"])
    with _private(part) as file, SealedWriter(file, key) as sealed:
        copied = await copy_person(
            repository, caller, wish, cast("IO[bytes]", sealed), traces=traces
        )
        size = sealed.written
    async with repository.database.transaction(system=True) as connection:
        first = await connection.fetchval(
            "UPDATE rights_export SET state = $2, made = $3, expires = $4, size = $5, key = $6, "
            "counts = $7, held = $8 WHERE id = $1 AND state = 0 RETURNING id",
            row["id"],
            State.READY,
            at,
            at + KEPT,
            size,
            key,
            msgspec.json.encode(copied.counts).decode(),
            copied.held,
        )
        # The row is locked until the file has its name: of two workers, key and file of one stay.
        if first is not None:
            await asyncio.to_thread(part.rename, part.parent / str(row["id"]))


async def _name(repository: Repository, reference: str) -> str:
    """Return the name of who asked, from their own Patient resource."""
    rt, _, rid = reference.partition("/")
    stored = await repository.read(SYSTEM, rt, rid)
    return text_of(msgspec.json.decode(stored.body or b"{}").get("name")) or reference


async def end(repository: Repository, data: Path, *, at: datetime, pat: int | None = None) -> None:
    """Destroy the files whose time is over, or all of one person: first the key, then the file."""
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "UPDATE rights_export SET state = 3, key = NULL, held = NULL "
            "WHERE state < 2 AND (expires <= $1 OR pat = $2) RETURNING id",
            at,
            pat,
        )
    for row in rows:
        (folder_of(data) / str(row["id"])).unlink(missing_ok=True)
    for left in folder_of(data).glob(f"*{_PART}"):  # of a worker that was killed
        if left.stat().st_mtime < (at - _LONGEST).timestamp():
            left.unlink(missing_ok=True)


async def end_one(repository: Repository, data: Path, export: uuid.UUID) -> None:
    """Destroy one file, or what is being prepared: first the key, then the file."""
    async with repository.database.transaction(system=True) as connection:
        await connection.execute(
            "UPDATE rights_export SET state = 3, key = NULL, held = NULL WHERE id = $1", export
        )
    (folder_of(data) / str(export)).unlink(missing_ok=True)


async def _finish(repository: Repository, export: uuid.UUID, state: State) -> None:
    async with repository.database.transaction(system=True) as connection:
        await connection.execute(
            "UPDATE rights_export SET state = $2 WHERE id = $1 AND state = 0", export, state
        )


def export_of(row: Record) -> Export:
    """Return the export of a row of ``rights_export`` with its ``COLUMNS``."""
    counts = msgspec.json.decode(row["counts"], type=Counts) if row["counts"] else None
    return Export(
        row["id"],
        row["patient"],
        State(row["state"]),
        row["asked"],
        row["expires"],
        row["size"],
        counts,
    )


def _private(path: Path) -> BinaryIO:
    """Open a new file that its owner alone may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


async def copy_for_operator(
    repository: Repository, patient: str, path: Path, *, language: Language, at: datetime
) -> Counts:
    """Write a copy of a record in clear into a new file, as the local operator.

    Raises:
        NotFound: there is no such patient.
    """
    access: Access = SYSTEM
    wish = Wish(patient, language, await _name(repository, f"Patient/{patient}"), at)
    with _private(path) as file:
        traces = traces_of(repository, access, patient)
        return (await copy_person(repository, access, wish, file, traces=traces)).counts
