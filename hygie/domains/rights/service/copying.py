"""Copy one person's record into an archive: what the caller may read, and nothing else.

What a professional must first announce is left out, and not even counted: the count alone would
announce it (docs/adr/0020-rights.md).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import csv
import io
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

import msgspec

from hygie.domains.rights.fhir.lines import attachments, text_of
from hygie.domains.rights.service.archive import Archive, Manifest
from hygie.domains.rights.service.digest import Digest
from hygie.domains.rights.service.readable import Cover, page, pdf
from hygie.domains.rights.service.words import Language, read_me
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.security.caller import Access, Kind
from hygie.kernel.security.relations import Relation
from hygie.kernel.store import Repository, Visit
from hygie.kernel.store.compartments import Compartment, compartment
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.model import Stored
from hygie.kernel.store.tracing import Request

MAY_ASK = frozenset({Relation.MANAGES, Relation.GUARDIAN, Relation.PARENT})
"""Who asks for the copy of another person's record; a parent of a minor only."""
_REFERENCE = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})"')
_UNSAFE = re.compile(r"[\x00-\x1f/\\:*?\"<>|]+")
ACCESSES = "AuditEvent.ndjson"
SUFFIXES = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/dicom": ".dcm",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What copy is asked.

    Attributes:
        patient: id of the Patient.
        language: of the readable parts.
        requester: who asked, as it is printed.
        at: now.
    """

    patient: str
    language: Language
    requester: str
    at: datetime


@dataclass(slots=True)
class Counts:
    """How much was copied."""

    resources: int = 0
    earlier: int = 0
    documents: int = 0
    traces: int = 0
    types: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: how much, and the references of the versions in it."""

    counts: Counts
    held: tuple[str, ...]


Traces = Sequence[tuple[str, AsyncIterable[bytes]]]
"""Parts of the access log: the name of each file of the archive, and its lines."""


async def copy_person(
    repository: Repository, access: Access, wish: Wish, into: IO[bytes], *, traces: Traces
) -> Copied:
    """Write the archive of one person and return what it holds.

    ``traces`` are read only where the person asked for their own record.

    Raises:
        NotFound: nothing of this patient is visible to who asks.
        Forbidden: who asks is neither the person, nor a representative who manages, nor the
            operator.
    """
    archive = Archive(into, at=wish.at)
    request = Request("operation", query="export-person")
    async with repository.visit(access, request=request) as visit:
        place = await compartment(repository, visit, wish.patient)
        await check_may_ask(place, kind=visit.caller.kind)
        copier = _Copier(archive, visit, place, named=_Named(repository.site.base))
        await copier.run()
        # The operator copies in the person's name, for the person.
        complete = place.own or visit.caller.kind == Kind.SYSTEM
    counts = copier.counts
    if complete:
        counts.traces = await _copy_traces(archive, traces)
    cover = _cover(repository, wish, copier.files, traces=counts.traces if complete else None)
    archive.add("dossier.pdf", await asyncio.to_thread(pdf, copier.digest, cover))
    archive.add("index.html", page(copier.digest, cover).encode())
    archive.add("README.txt", read_me(wish.language).encode())
    counts.types = dict(copier.digest.counts)
    made = wish.at.isoformat(timespec="seconds")
    archive.close(Manifest(wish.patient, made, repository.site.base, complete, archive.files))
    return Copied(counts, tuple(copier.held))


async def check_may_ask(place: Compartment, *, kind: Kind) -> None:
    """Check that the caller may ask for a copy of this record.

    Raises:
        Forbidden: they may not.
    """
    if kind == Kind.SYSTEM or place.own or await place.relations() & MAY_ASK:
        return
    raise Forbidden("Only the person, or a representative who manages the record, asks for it.")


@dataclass(slots=True)
class _Named:
    """The directory resources that a record names."""

    base: str
    references: dict[str, None] = field(default_factory=dict)

    def look(self, body: bytes) -> None:
        """Remember what one resource names."""
        for found in _REFERENCE.findall(body):
            rt = found.partition(b"/")[0].decode()
            if rt in directory_types():
                self.references[found.decode()] = None


@dataclass(slots=True)
class _Copier:
    archive: Archive
    visit: Visit
    place: Compartment
    named: _Named
    digest: Digest = field(default_factory=Digest)
    counts: Counts = field(default_factory=Counts)
    files: list[tuple[str, str]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    _with_files: list[tuple[str, str]] = field(default_factory=list)
    _deleted: list[tuple[str, ...]] = field(
        default_factory=lambda: [("type", "id", "version", "deleted")]
    )

    async def run(self) -> None:
        """Copy current resources, earlier versions, files, then who is named."""
        self.counts.resources = await self._by_type("fhir", self._current())
        self.counts.earlier = await self._by_type("history", self._earlier())
        if len(self._deleted) > 1:
            self.archive.add("history/deleted.csv", _csv(self._deleted))
        for rt, rid in self._with_files:
            await self._files_of(rt, rid)
        self.counts.documents = len(self.files)
        await self._by_type("directory", self._directory())

    async def _by_type(self, folder: str, bodies: AsyncIterator[tuple[str, bytes]]) -> int:
        """Write one file per type; the bodies come type by type."""
        count = 0
        body = await anext(bodies, None)
        while body is not None:
            rt = body[0]
            with self.archive.entry(f"{folder}/{rt}.ndjson") as writer:
                while body is not None and body[0] == rt:
                    writer.line(body[1])
                    body = await anext(bodies, None)
            count += writer.count
        return count

    async def _current(self) -> AsyncIterator[tuple[str, bytes]]:
        async for stored in self.place.current():
            body = stored.body or b""
            self._hold(stored)
            resource = msgspec.json.decode(body)
            self.digest.take(resource)
            self.named.look(body)
            if next(attachments(resource), None) is not None:
                self._with_files.append((stored.rt, stored.rid))
            yield stored.rt, body

    async def _earlier(self) -> AsyncIterator[tuple[str, bytes]]:
        async for entry in self.place.earlier():
            stored = entry.stored
            if stored.body is None:
                row = (stored.rt, stored.rid, str(stored.version), stored.updated.isoformat())
                self._deleted.append(row)
            else:
                self._hold(stored)
                yield stored.rt, stored.body

    def _hold(self, stored: Stored) -> None:
        self.held.append(f"{stored.reference}/_history/{stored.version}")

    async def _files_of(self, rt: str, rid: str) -> None:
        resource = msgspec.json.decode((await self.visit.read(rt, rid)).body or b"{}")
        for one in attachments(resource):
            try:
                content = base64.b64decode(one["data"], validate=True)
            except (binascii.Error, KeyError):
                continue
            path = f"documents/{len(self.files) + 1:04}-{_file_name(resource, one)}"
            self.archive.add(path, content)
            self.files.append((path, str(one.get("title") or path.partition("-")[2])))

    async def _directory(self) -> AsyncIterator[tuple[str, bytes]]:
        for reference in sorted(self.named.references):
            rt, _, rid = reference.partition("/")
            try:
                stored = await self.visit.read(rt, rid)
            except (NotFound, Forbidden):
                continue
            yield rt, stored.body or b""


def _file_name(resource: dict[str, Any], one: Any) -> str:
    """Return a name that every system takes, near the document's own.

    >>> _file_name({"resourceType": "DocumentReference"},
    ...            {"contentType": "application/pdf", "title": "Bilan : mars/2026"})
    'Bilan mars 2026.pdf'
    """
    kind = str(one.get("contentType", "")).partition(";")[0].strip().lower()
    title = one.get("title") or text_of(resource.get("description")) or resource["resourceType"]
    name = " ".join(_UNSAFE.sub(" ", str(title)).split())[:80].strip(". ") or "document"
    suffix = SUFFIXES.get(kind, ".bin")
    return name if name.lower().endswith(suffix) else name + suffix


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


async def _copy_traces(archive: Archive, traces: Traces) -> int:
    """Write the parts of the access log; return how many accesses."""
    count = 0
    for name, lines in traces:
        with archive.entry(f"traces/{name}") as writer:
            async for one in lines:
                writer.line(one)
        count += writer.count if name == ACCESSES else 0
    return count


def _cover(
    repository: Repository, wish: Wish, found: Sequence[tuple[str, str]], *, traces: int | None
) -> Cover:
    rules = repository.law.policies.read.rules
    said = [rule.fr if wish.language == "fr" else rule.en for rule in rules]
    day = wish.at.astimezone(repository.site.zone).strftime("%d/%m/%Y %H:%M")
    return Cover(wish.language, day, wish.requester, said, found, traces)
