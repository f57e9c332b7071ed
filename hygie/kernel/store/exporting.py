"""Export current resources as NDJSON, one file per type, for another system or a later load.

Versions and deletions stay behind: a backup keeps them. The export is a named job: before the first
byte is written, one trace per patient whose data leaves is durable. It reads one snapshot of the
database without ever taking a transaction number, so that it delays no reader of the change feed.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from uuid import UUID

import msgspec

from hygie.kernel.audit.trace import write
from hygie.kernel.database.connection import begin
from hygie.kernel.fhir.names import type_name, type_number
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.loading.sources import MANIFEST
from hygie.kernel.store.tracing import Request, Touched, trace_many

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection
    from hygie.kernel.store.repository import Repository

AT_ONCE = 500
TRACES_AT_ONCE = 10_000
_RULE = "system"
_NO_ID = UUID(int=0)
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_AS_SYSTEM = begin(system=True).removeprefix("BEGIN; ")

Show = Callable[[str, int], None]
"""Called with a type and how many of its resources are written."""


class Output(msgspec.Struct, frozen=True):
    """One file: ``url`` is its name, ``sha256`` that of the file as it stands on the disk."""

    type: str
    url: str
    count: int
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an export holds, in the words of the Bulk Data Access guide."""

    transactionTime: str  # noqa: N815 - the guide's name
    output: list[Output]


async def export(
    repository: Repository,
    folder: Path,
    *,
    types: Collection[str] = (),
    compress: bool = False,
    show: Show | None = None,
) -> Manifest:
    """Write every current resource of some types, or of all, and a manifest.

    Bodies are the bytes of a read; a line break between two tokens becomes a space, since a line of
    NDJSON has none. The manifest is written last: an export without it is not complete.

    Args:
        repository: where from.
        folder: an empty folder.
        types: which types; all when empty.
        compress: write ``.ndjson.gz``.
        show: called now and then with the type and its count.

    Raises:
        Malformed: a type does not exist in R4.
    """
    wanted = [type_number(rt) for rt in types]
    async with (
        repository.database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(_AS_SYSTEM)
        made = await connection.fetchval("SELECT to_json(now())::text")
        present = await _present(connection, wanted)
        await _trace(repository, connection, present)
        outputs = []
        for rt in present:
            exporter = _File(folder, type_name(rt), compress)
            outputs.append(await exporter.fill(repository, connection, rt, show or _quiet))
    manifest = Manifest(str(made).strip('"'), outputs)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(text + b"\n")
    return manifest


def _quiet(_: str, __: int) -> None:
    """Show nothing."""


async def _present(connection: Connection, wanted: list[int]) -> list[int]:
    """Return the numbers of the types that have resources, in the order of their names."""
    rows = await connection.fetch(
        "SELECT DISTINCT rt FROM resource WHERE cardinality($1::smallint[]) = 0 "
        "OR rt = ANY ($1::smallint[])",
        wanted,
    )
    return sorted((row["rt"] for row in rows), key=type_name)


async def _trace(repository: Repository, connection: Connection, types: list[int]) -> None:
    """Make durable that the data of these patients leaves."""
    request = Request("operation")
    detail = f"hygie export: {', '.join(map(type_name, types))}"
    cursor = await connection.cursor(
        "SELECT DISTINCT pat FROM resource WHERE rt = ANY ($1::smallint[])", types
    )
    while rows := await cursor.fetch(TRACES_AT_ONCE):
        touched = [Touched(0, _NO_ID, None, row["pat"], _RULE) for row in rows]
        traces = trace_many(request, SYSTEM, touched, rt=None)
        named = [msgspec.structs.replace(trace, detail=detail) for trace in traces]
        async with repository.database.connection() as apart:
            await write(apart, named)


@dataclass(frozen=True, slots=True)
class _File:
    folder: Path
    rt: str
    compress: bool

    async def fill(
        self, repository: Repository, connection: Connection, rt: int, show: Show
    ) -> Output:
        """Write one type."""
        name = f"{self.rt}.ndjson.gz" if self.compress else f"{self.rt}.ndjson"
        path, count = self.folder / name, 0
        cursor = await connection.cursor(
            "SELECT r.rt, r.uid, r.ver, r.pat, r.body FROM resource r WHERE r.rt = $1::smallint "
            "ORDER BY r.key",
            rt,
        )
        with ExitStack() as stack:
            stream = self._open(stack, path)
            while rows := await cursor.fetch(AT_ONCE):
                keys = await repository.bodies.keys(rows)
                for row in rows:
                    body = await repository.bodies.load(row, keys)
                    stream.write(body.translate(_ONE_LINE) + b"\n")
                count += len(rows)
                show(self.rt, count)
        with path.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        return Output(self.rt, name, count, path.stat().st_size, digest)

    def _open(self, stack: ExitStack, path: Path) -> BinaryIO:
        file = stack.enter_context(path.open("wb"))
        if not self.compress:
            return file
        # Without a date, the same resources make the same file.
        return cast("BinaryIO", stack.enter_context(gzip.GzipFile("", "wb", 6, file, 0)))
