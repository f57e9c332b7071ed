"""Prepared copies: look at one, send its files, give it up.

Each request decides again, as of now: who asked must still be the person, or still represent them,
and must still be able to read each version that the copy holds. A copy that holds more is
destroyed: what was hidden since stays hidden, and the answer does not say that anything was.
"""

from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from zipfile import ZipFile

import msgspec

from hygie.domains.rights.service.archive import MANIFEST, Manifest
from hygie.domains.rights.service.copying import check_may_ask
from hygie.domains.rights.service.exports import (
    COLUMNS,
    TRACED,
    Export,
    State,
    end_one,
    export_of,
    folder_of,
)
from hygie.domains.rights.service.sealed import PIECE, SealedReader, unsealed
from hygie.kernel.errors import NotFound
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Access
from hygie.kernel.store import Repository, Visit
from hygie.kernel.store.compartments import Compartment, compartment
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Request

if TYPE_CHECKING:
    from asyncpg import Record

GONE = "This copy is no longer kept. Ask for a new one."
_MINE = (
    f"SELECT {COLUMNS} FROM rights_export "
    "WHERE id = $1 AND party = $2 AND state < 3 AND (expires IS NULL OR expires > $3)"
)
_STILL_THERE = """
SELECT EXISTS (
  SELECT FROM resource r JOIN unnest($2::smallint[], $3::uuid[]) AS held (rt, uid)
    ON r.rt = held.rt AND r.uid = held.uid
  WHERE r.pat = $1 OR r.others @> ARRAY[$1])
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which copy is asked for.

    Attributes:
        export: its id.
        patient: id of the Patient that the request names, empty where it names none.
    """

    export: uuid.UUID
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A copy that its asker may have now, and how to open it; ``key`` None before it is ready."""

    export: Export
    path: Path
    key: bytes | None

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole archive, a ZIP."""
        return unsealed(self.path, self._key)

    def manifest(self) -> Manifest:
        """Return what the archive says of itself."""
        with self._opened() as archive:
            return msgspec.json.decode(archive.read(MANIFEST), type=Manifest)

    def file(self, name: str) -> Iterator[bytes]:
        """Yield one file of the archive.

        Raises:
            NotFound: the archive is not ready, or has no such file.
        """
        with self._opened() as archive:
            if name not in archive.namelist():
                raise NotFound(GONE)
        return self._file(name)

    def _file(self, name: str) -> Iterator[bytes]:
        with self._opened() as archive, archive.open(name) as stream:
            while piece := stream.read(PIECE):
                yield piece

    @contextmanager
    def _opened(self) -> Iterator[ZipFile]:
        key = self._key
        try:
            file = self.path.open("rb")
        except FileNotFoundError:  # destroyed since it was looked at
            raise NotFound(GONE) from None
        with file:
            reader = io.BufferedReader(SealedReader(file, key), PIECE)
            yield ZipFile(cast("BinaryIO", reader))

    @property
    def _key(self) -> bytes:
        if self.key is None:
            raise NotFound(GONE)
        return self.key


async def look(
    repository: Repository,
    access: Access,
    wanted: Wanted,
    *,
    data: Path,
    at: datetime,
    request: Request | None = None,
) -> Prepared:
    """Return a copy that the caller asked for; the look is traced.

    Raises:
        NotFound: the caller asked for no such copy, its time is over, it
            holds what they may not read any more, or nothing of the person is visible to them.
        Forbidden: the caller does not represent the person any more.
    """
    request = request or Request("operation", query=TRACED)
    async with repository.visit(access, request=request) as visit:
        row = await visit.connection.fetchrow(_MINE, wanted.export, visit.caller.party, at)
        if row is None or wanted.patient not in ("", row["patient"]):
            raise NotFound(GONE)
        place = await _place(repository, visit, row["patient"])
        await check_may_ask(place, kind=visit.caller.kind)
        hidden = await _not_seen(place, row)
    if hidden and (not place.own or await _are_there(repository, place.number, hidden)):
        await end_one(repository, data, wanted.export)
        raise NotFound(GONE)
    path = folder_of(data) / str(wanted.export)
    if row["state"] == State.READY and not await asyncio.to_thread(path.exists):
        raise NotFound(GONE)
    return Prepared(export_of(row), path, row["key"])


async def fetch(
    repository: Repository, access: Access, export: uuid.UUID, *, data: Path, at: datetime
) -> tuple[Export, Iterator[bytes]]:
    """Return an export and its bytes, once its download is traced.

    Raises:
        NotFound: the caller asked for no such export, or its time is over.
        Forbidden: the caller does not represent the person any more.
    """
    found = await look(repository, access, Wanted(export), data=data, at=at)
    pieces = found.pieces()
    await fetched(repository, export, at=at)
    return found.export, pieces


async def fetched(repository: Repository, export: uuid.UUID, *, at: datetime) -> None:
    """Write down when a copy was last downloaded."""
    async with repository.database.transaction(system=True) as connection:
        await connection.execute("UPDATE rights_export SET fetched = $2 WHERE id = $1", export, at)


async def give_up(
    repository: Repository,
    access: Access,
    wanted: Wanted,
    *,
    data: Path,
    request: Request,
) -> None:
    """Cancel a copy that is being prepared, or destroy a prepared one; who asked may always.

    Raises:
        NotFound: the caller asked for no such copy, or it was destroyed before.
    """
    async with repository.reading(access, request) as reading:
        number = await reading.connection.fetchval(
            "SELECT pat FROM rights_export "
            "WHERE id = $1 AND party = $2 AND patient = $3 AND state < 3",
            wanted.export,
            reading.caller.party,
            wanted.patient,
        )
        if number is None:
            raise NotFound(GONE)
        reading.seen([number])
    await end_one(repository, data, wanted.export)


async def _place(repository: Repository, visit: Visit, patient: str) -> Compartment:
    try:
        return await compartment(repository, visit, patient)
    except NotFound:
        # The same words whether the copy, the person or the right to see them is gone.
        raise NotFound(GONE) from None


async def _not_seen(place: Compartment, row: Record) -> set[str]:
    """Return what the copy holds and the caller does not see now.

    Versions that were hidden since, withdrawn, or deleted with their resource.
    """
    return set(row["held"]) - await place.versions() if row["held"] else set()


async def _are_there(repository: Repository, number: int, references: Collection[str]) -> bool:
    """Tell whether one of some resources is still there: it was hidden, and not deleted."""
    names = [one.split("/") for one in references]
    async with repository.database.transaction(system=True) as connection:
        found: bool = await connection.fetchval(
            _STILL_THERE,
            number,
            [type_number(name[0]) for name in names],
            [key_of(name[1])[0] for name in names],
        )
    return found
