"""Bring the copy of a person's record into this instance: look first, then write.

An archive comes from outside: every file is checked against its manifest, every resource must be
about its one person or about nobody, and nothing may name another patient of this instance. An id
that is free is kept; one that is taken by something else is replaced everywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import msgspec

from hygie.domains.rights.fhir.lines import line, text_of
from hygie.domains.rights.service.archive import FORMAT, MANIFEST, Manifest
from hygie.kernel.errors import Gone, HygieError, Malformed, NotFound
from hygie.kernel.fhir.names import RESOURCE_TYPES
from hygie.kernel.fhir.rewrite import replace_strings
from hygie.kernel.fhir.splice import stamp
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store import Repository, Stored
from hygie.kernel.store.directory import directory_types
from hygie.kernel.store.ids import new_id

LONGEST_LINE = 256 * 1024 * 1024
AT_ONCE = 40
_PATIENTS = re.compile(rb'"reference"\s*:\s*"(Patient/[A-Za-z0-9\-.]{1,64})"')
_NOT_BROUGHT = frozenset({"AuditEvent"})
Json = Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """What an import would do.

    Attributes:
        patient: id of the Patient in the archive.
        name: who it is about.
        source: FHIR base address of where it comes from.
        made: when it was made there.
        digest: SHA-256 of the archive.
        created: how many resources of each type would be made.
        same: how many are here already, word for word.
        renamed: references whose id is taken here, with their new one.
        refused: reference and reason of what cannot be brought.
        access: who would get access: choices and care teams, in a line each.
        namesakes: references of patients here with the same identifiers.
    """

    patient: str
    name: str
    source: str
    made: str
    digest: str
    created: Counter[str] = field(default_factory=Counter)
    same: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    access: list[str] = field(default_factory=list)
    namesakes: list[str] = field(default_factory=list)


async def plan_import(repository: Repository, path: Path) -> Plan:
    """Return what importing an archive would do; nothing is written.

    Raises:
        Malformed: the file is no copy of a record, or was changed since it was made.
    """
    with _opened(path) as archive:
        manifest = await asyncio.to_thread(_checked, archive)
        plan = Plan(manifest.patient, "", manifest.source, manifest.made, _digest(path))
        batch: list[bytes] = []
        for raw in _resources(archive):
            batch.append(raw)
            if len(batch) == AT_ONCE:
                await _look(repository, plan, batch)
                batch.clear()
        await _look(repository, plan, batch)
    if not plan.name:
        raise Malformed("The copy holds no Patient resource of the person it is about.")
    return plan


async def bring(repository: Repository, path: Path, plan: Plan, *, at: datetime) -> int:
    """Carry out the plan as the local operator and return how many resources were written.

    A Provenance names the archive they come from; those of the archive are kept.

    Raises:
        HygieError: the first refusal of the store; what was written before stays, and importing
            the same archive again goes on.
    """
    refused = {reference for reference, _ in plan.refused}
    written = 0
    with _opened(path) as archive:
        batch: list[bytes] = []
        for raw in _resources(archive):
            reference = _reference(raw)
            if reference not in refused and reference not in plan.same:
                batch.append(raw)
            if len(batch) == AT_ONCE:
                written += await _write(repository, plan, batch)
                batch.clear()
        written += await _write(repository, plan, batch)
    if written:
        await repository.create(SYSTEM, "Provenance", msgspec.json.encode(_provenance(plan, at)))
    return written


async def _look(repository: Repository, plan: Plan, batch: list[bytes]) -> None:
    """Compare some resources of the archive with what is here."""
    found = await asyncio.gather(*(_here(repository, _reference(raw)) for raw in batch))
    for raw, stored in zip(batch, found, strict=True):
        resource, reference = msgspec.json.decode(raw), _reference(raw)
        fault = await _fault(repository, plan, raw)
        if fault:
            plan.refused.append((reference, fault))
            continue
        if isinstance(stored, Stored) and _same(resource, stored):
            plan.same.add(reference)
        else:
            rt = str(resource["resourceType"])
            plan.created[rt] += 1
            if stored is not None:
                plan.renamed[reference] = f"{rt}/{new_id()}"
            if rt in ("Consent", "CareTeam"):
                told = line(resource)
                plan.access.append(f"{reference}: {told.title}")
        if reference == f"Patient/{plan.patient}":
            plan.name = text_of(resource.get("name")) or reference
            plan.namesakes = await _namesakes(repository, resource, reference)


async def _here(repository: Repository, reference: str) -> Stored | Gone | None:
    rt, _, rid = reference.partition("/")
    try:
        return await repository.read(SYSTEM, rt, rid)
    except NotFound:
        return None
    except Gone as gone:
        return gone


async def _fault(repository: Repository, plan: Plan, raw: bytes) -> str:
    """Return why a resource may not be brought, empty where it may."""
    rt = _reference(raw).partition("/")[0]
    mine = f"Patient/{plan.patient}"
    named = {one.decode() for one in _PATIENTS.findall(raw)} - {mine}
    if rt == "Patient" and _reference(raw) != mine:
        return "it is another person"
    if rt in directory_types():
        return "a directory resource names a patient" if _PATIENTS.search(raw) else ""
    for other in sorted(named):
        if isinstance(await _here(repository, other), Stored):
            return "it names another patient of this instance"
    if rt != "Patient" and mine.encode() not in raw:
        return "it is not about the person of this copy"
    return ""


async def _namesakes(repository: Repository, person: Json, reference: str) -> list[str]:
    found: list[str] = []
    for one in person.get("identifier", ()):
        if one.get("system") and one.get("value"):
            value = f"{one['system']}|{one['value']}"
            page = await repository.search(SYSTEM, "Patient", [("identifier", value)])
            found += [entry.stored.reference for entry in page.entries]
    return sorted({*found} - {reference})


async def _write(repository: Repository, plan: Plan, batch: list[bytes]) -> int:
    async def one(raw: bytes) -> None:
        rt, _, rid = plan.renamed.get(_reference(raw), _reference(raw)).partition("/")
        body = replace_strings(stamp(raw, rid=rid, version="1", updated=plan.made), plan.renamed)
        await repository.update(SYSTEM, rt, rid, body)

    done = await asyncio.gather(*(one(raw) for raw in batch), return_exceptions=True)
    for result in done:
        if isinstance(result, HygieError):
            raise result
        if isinstance(result, BaseException):
            raise result
    return len(done)


def _provenance(plan: Plan, at: datetime) -> dict[str, Any]:
    patient = plan.renamed.get(f"Patient/{plan.patient}", f"Patient/{plan.patient}")
    digest = {"system": "urn:ietf:rfc:3986", "value": f"urn:hash::sha256:{plan.digest}"}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": patient}],
        "recorded": at.isoformat(timespec="seconds"),
        "agent": [{"who": {"display": "hygie import-person"}}],
        "entity": [
            {"role": "source", "what": {"identifier": digest, "display": plan.source}},
        ],
    }


def _same(resource: Json, stored: Stored) -> bool:
    return _content(resource) == _content(msgspec.json.decode(stored.body or b"{}"))


def _content(resource: Json) -> Json:
    """Return a resource without what a server writes."""
    meta = {
        name: value
        for name, value in resource.get("meta", {}).items()
        if name not in ("versionId", "lastUpdated")
    }
    rest = {name: value for name, value in resource.items() if name != "meta"}
    return {**rest, "meta": meta} if meta else rest


def _reference(raw: bytes) -> str:
    head = msgspec.json.decode(raw, type=_Head)
    return f"{head.resourceType}/{head.id}"


class _Head(msgspec.Struct):
    resourceType: str  # noqa: N815 - the name of the standard
    id: str


def _opened(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except (BadZipFile, OSError) as error:
        raise Malformed(f"{path.name} is no copy of a record: it cannot be opened.") from error


def _checked(archive: ZipFile) -> Manifest:
    """Return the manifest once every file was compared with it."""
    try:
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except (KeyError, msgspec.MsgspecError) as error:
        raise Malformed("The file is no copy of a record: its manifest cannot be read.") from error
    if manifest.hygie_export != FORMAT:
        raise Malformed("This copy was made by a newer Hygie: update this one first.")
    if {*manifest.files, MANIFEST} != set(archive.namelist()):
        raise Malformed("The copy was changed: files were added or removed.")
    for name, told in manifest.files.items():
        with archive.open(name) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        if digest != told.sha256:
            raise Malformed(f"The copy was changed: {name} is not what it was.")
    return manifest


def _resources(archive: ZipFile) -> Iterator[bytes]:
    """Yield the resources: who is named first, then the person, then the rest."""
    names = [name for name in archive.namelist() if name.startswith(("directory/", "fhir/"))]
    for name in sorted(names, key=lambda one: (one[0] != "d", one != "fhir/Patient.ndjson", one)):
        rt = name.partition("/")[2].removesuffix(".ndjson")
        if rt not in RESOURCE_TYPES or rt in _NOT_BROUGHT:
            raise Malformed(f"The copy holds {name}, which is no file of resources.")
        with archive.open(name) as stream:
            while raw := stream.readline(LONGEST_LINE):
                if not raw.endswith(b"\n"):
                    raise Malformed(f"A line of {name} is longer than 256 MiB.")
                yield raw.rstrip(b"\n")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
