"""Read a record: summary, timeline, one item, its source, one document."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hygie.domains.record.fhir import sections
from hygie.domains.record.fhir import timeline as lines
from hygie.domains.record.fhir.elements import Json, resource
from hygie.domains.record.model.summary import Document, Person, Section, Summary
from hygie.domains.record.model.tables import measures
from hygie.domains.record.model.timeline import PAGE as LINES
from hygie.domains.record.model.timeline import Fetched, Item, Kind, Timeline, boundary, page
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.security.caller import Caller
from hygie.kernel.store import Found, Repository, Visit

T = TypeVar("T")
MANY = "200"
LAST = "6"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose record is read, in whose visit, and in which time zone days are told."""

    visit: Visit
    patient: str
    zone: ZoneInfo

    async def find(
        self, rt: str, *extra: tuple[str, str], sort: str = "", count: str = MANY
    ) -> Found:
        """Search one type among the resources of this patient."""
        query = [("patient", self.patient), *extra, ("_count", count)]
        return await self.visit.search(rt, [*query, ("_sort", sort)] if sort else query)


Work = Callable[[Reader], Awaitable[T]]
"""What is read of a record in one visit."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What of the timeline is asked: kinds (all when empty), a period, and a page.

    ``since`` and ``until`` are inclusive days or years as FHIR writes them; ``before`` is the
    first day that is left out, from the page above.
    """

    kinds: frozenset[Kind] = frozenset()
    since: str = ""
    until: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One item of the record; ``source`` is its FHIR JSON, indented, with every digit kept.

    ``unannounced``: it carries the label that keeps it from the person until a visit.
    """

    item: Item | None
    rows: list[tuple[str, str]]
    reference: str
    source: str
    document: Document | None
    unannounced: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of one file of a document."""

    content_type: str
    name: str
    data: bytes


async def visiting(
    records: Repository, caller: Caller, patient: str, *, zone: ZoneInfo, work: Work[T]
) -> T:
    """Return what ``work`` reads of a record, in one visit."""
    async with records.visit(caller) as visit:
        return await work(Reader(visit, patient, zone))


def with_person(work: Work[T]) -> Work[tuple[Person, T]]:
    """Return the same work, that also tells who the record is about."""

    async def both(reader: Reader) -> tuple[Person, T]:
        return await who(reader), await work(reader)

    return both


async def who(reader: Reader) -> Person:
    """Return who the record is about."""
    return sections.person(resource(await reader.visit.read("Patient", reader.patient)))


async def people(repository: Repository, caller: Caller) -> list[Person]:
    """Return the people whose record the caller may open: oneself, and those one helps."""
    found = await repository.search(caller, "Patient", [("_count", MANY)])
    return [sections.person(raw) for raw in _matches(found)]


async def summary(reader: Reader) -> Summary:
    """Return what is read in thirty seconds."""
    person = await who(reader)
    found = await _sections(reader)
    conditions, requests, statements, allergies, given, observed, papers = found
    taken = _matches(requests) + _matches(statements)
    past = not taken and await _any_treatment(reader)
    zone = reader.zone
    return Summary(
        person=person,
        problems=sections.problems(
            _matches(conditions), zone=zone, complete=conditions.next is None
        ),
        treatments=sections.treatments(
            taken, medications=_included(requests), zone=zone, past=past
        ),
        allergies=sections.allergies(_matches(allergies), complete=allergies.next is None),
        vaccines=sections.vaccines(_matches(given), zone=zone, complete=given.next is None),
        measures=sections.measures_of(_matches(observed), zone=zone),
        documents=sections.documents(_matches(papers), zone=zone, complete=papers.next is None),
    )


async def _sections(reader: Reader) -> list[Found]:
    active = ("status", "active,on-hold")
    return [
        await reader.find("Condition"),
        await reader.find(
            "MedicationRequest", active, ("_include", "MedicationRequest:medication")
        ),
        await reader.find("MedicationStatement", ("status", "active")),
        await reader.find("AllergyIntolerance"),
        await reader.find("Immunization", ("status", "completed")),
        await reader.find("Observation", ("code", _measured()), sort="-date"),
        await reader.find("DocumentReference", ("status", "current"), sort="-date", count=LAST),
    ]


async def timeline(reader: Reader, wish: Wish) -> Timeline:
    """Return one page of the timeline; days are never cut in two."""
    types = [rt for rt, one in lines.SOURCES.items() if not wish.kinds or one.kind in wish.kinds]
    fetched = [await _fetch(reader, rt, wish) for rt in types]
    oldest = boundary(fetched)
    items = [item for one in fetched for item in one.items]
    if oldest:
        # A search may have cut the page's last day: that day is read again, whole.
        cut = [
            rt
            for rt, one in zip(types, fetched, strict=True)
            if one.more and one.items and one.items[-1].day == oldest
        ]
        whole = [await _fetch_day(reader, rt, oldest) for rt in cut]
        items += [item for one in whole for item in one if item.day == oldest]
    return page(items, oldest=oldest)


async def documents(reader: Reader) -> Section[Document]:
    """Return the documents of the record, newest first."""
    found = await reader.find("DocumentReference", ("status", "current"), sort="-date")
    return sections.documents(_matches(found), zone=reader.zone, complete=found.next is None)


async def detail(reader: Reader, rt: str, rid: str) -> Detail:
    """Return one item of the record and its source.

    Raises:
        NotFound: the item is not of this record, or its type is not shown.
    """
    if rt not in {*lines.SOURCES, "MedicationStatement", "Patient"}:
        raise NotFound(f"{rt} is not shown in the record.")
    stored = await reader.visit.read(rt, rid)
    raw = resource(stored)
    if rt != "Patient" and not sections.is_about(raw, reader.patient):
        raise NotFound("This item is not of this record.")
    shown = rt in lines.SOURCES
    return Detail(
        item=lines.item(raw, zone=reader.zone) if shown else None,
        rows=lines.rows(raw, zone=reader.zone) if shown else [],
        reference=stored.reference,
        source=msgspec.json.format(stored.body or b"{}", indent=2).decode(),
        document=sections.document(raw, zone=reader.zone) if rt == "DocumentReference" else None,
        unannounced=sections.is_unannounced(raw),
    )


async def file(reader: Reader, rid: str, index: int) -> File:
    """Return one file of a document: inline data, or the Binary it points to.

    Raises:
        NotFound: the document is not of this record, or has no such file here.
    """
    raw = resource(await reader.visit.read("DocumentReference", rid))
    contents = raw.get("content", [])
    if not sections.is_about(raw, reader.patient) or index >= len(contents):
        raise NotFound("This document is not of this record.")
    attachment: Json = contents[index].get("attachment", {})
    title = attachment.get("title") or raw.get("description") or "document"
    data, content_type = await _bytes(reader, attachment)
    return File(content_type or attachment.get("contentType", ""), str(title), data)


async def _bytes(reader: Reader, attachment: Json) -> tuple[bytes, str]:
    encoded, kind = attachment.get("data"), attachment.get("contentType", "")
    if not encoded:
        head, _, rid = str(attachment.get("url", "")).rpartition("/")
        if not (head == "Binary" or head.endswith("/Binary")):
            raise NotFound("The file of this document is not kept here.")
        binary = resource(await reader.visit.read("Binary", rid))
        encoded, kind = binary.get("data", ""), binary.get("contentType", kind)
    try:
        return base64.b64decode(encoded, validate=True), kind
    except binascii.Error as broken:
        raise NotFound("The file of this document cannot be read.") from broken


async def _fetch(reader: Reader, rt: str, wish: Wish) -> Fetched:
    name = lines.SOURCES[rt].search
    limits = [
        (name, f"{prefix}{day}")
        for prefix, day in (("ge", wish.since), ("le", wish.until), ("lt", wish.before))
        if day
    ]
    found = await reader.find(rt, *limits, sort=f"-{name}", count=str(LINES + 1))
    items = _items(found, reader.zone)
    return Fetched(
        tuple(sorted(items, key=lambda one: one.day, reverse=True)), found.next is not None
    )


async def _fetch_day(reader: Reader, rt: str, day: str) -> list[Item]:
    found = await reader.find(rt, (lines.SOURCES[rt].search, day))
    return _items(found, reader.zone)


def _items(found: Found, zone: ZoneInfo) -> list[Item]:
    made = (lines.item(raw, zone=zone) for raw in _matches(found))
    return [item for item in made if item is not None]


async def _any_treatment(reader: Reader) -> bool:
    return any(
        [
            (await reader.find(rt, count="1")).entries
            for rt in ("MedicationRequest", "MedicationStatement")
        ]
    )


def _measured() -> str:
    return ",".join(f"{sections.LOINC}|{code}" for code in measures())


def _matches(found: Found) -> list[Json]:
    return [resource(entry.stored) for entry in found.entries if entry.mode == "match"]


def _included(found: Found) -> dict[str, Json]:
    return {
        entry.stored.reference: resource(entry.stored)
        for entry in found.entries
        if entry.mode == "include"
    }


def wish_of(kind: str, since: str, until: str, before: str) -> Wish:
    """Return the wish that a reader's form states.

    Raises:
        InvalidRequest: a kind that does not exist, or a date that is none.
    """
    for text in (since, until, before):
        digits = text.replace("-", "")
        if text and not (digits.isascii() and digits.isdigit() and len(text) in {4, 7, 10}):
            raise InvalidRequest("Write a date as 2024, 2024-05 or 2024-05-03.")
    try:
        kinds = frozenset({Kind(kind)}) if kind else frozenset()
    except ValueError as unknown:
        raise InvalidRequest("This filter does not exist.") from unknown
    return Wish(kinds, since, until, before)
