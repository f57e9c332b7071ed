"""Read what a person decided about the record, for the consent screens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hygie.domains.consent.fhir import reading
from hygie.domains.consent.fhir.codes import Json
from hygie.domains.consent.model.choices import Choices, Party
from hygie.domains.consent.service.people import names_of
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.fhir.structs import decoder
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.store import Repository, Visit
from hygie.kernel.store.model import Stored

MANY = "1000"
Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Record:
    """The choices about one record, and the resources that state them by reference."""

    choices: Choices
    stored: dict[str, Stored]


async def read_choices(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> Choices:
    """Return everything decided about a record, for the person or who decides for the person.

    Raises:
        Forbidden: a professional asks; who is blocked or helps is the person's own business.
        NotFound: the caller may not read the choices of this record.
    """
    return (await read_record(repository, caller, patient, at=at)).choices


async def read_record(
    repository: Repository, caller: Caller, patient: str, *, at: datetime
) -> Record:
    """Return the choices and the resources that state them; see ``read_choices``."""
    if caller.kind == Kind.PROFESSIONAL:
        raise Forbidden("The choices of a person are read by the person; ask the person.")
    async with repository.visit(caller) as visit:
        return await record_within(repository, visit, patient, at=at)


async def record_within(
    repository: Repository, visit: Visit, patient: str, *, at: datetime
) -> Record:
    """Return the same, in an open visit."""
    about = await visit.read("Patient", patient)
    consents = await everything(visit, "Consent", [("patient", patient)])
    teams = await everything(visit, "CareTeam", [("patient", patient)])
    choices = reading.choices(
        parsed(about),
        map(parsed, consents),
        map(parsed, teams),
        at=at,
        zone=repository.site.zone,
    )
    named = await _with_names(visit, choices)
    return Record(named, {one.reference: one for one in (*consents, *teams)})


async def everything(visit: Visit, rt: str, query: Query) -> list[Stored]:
    """Return every match of a search, up to a thousand."""
    found = await visit.search(rt, [*query, ("_count", MANY), ("_total", "none")])
    return [entry.stored for entry in found.entries if entry.mode == "match"]


def parsed(stored: Stored) -> Any:
    """Return the typed form of a resource.

    Raises:
        NotFound: it was deleted.
    """
    if stored.body is None:
        raise NotFound(f"{stored.rt}/{stored.rid} is not known here.")
    return decoder(stored.rt).decode(stored.body)


async def _with_names(visit: Visit, choices: Choices) -> Choices:
    unnamed = {one.who.reference for one in _everybody(choices) if not one.who.name}
    if not unnamed:
        return choices
    names = await names_of(visit, unnamed, patient=choices.patient)

    def named(one: Any) -> Any:
        if one.who.name:
            return one
        who = one.who.reference
        return replace(one, who=Party(who, names.get(who, "")))

    return replace(
        choices,
        members=tuple(map(named, choices.members)),
        former_members=tuple(map(named, choices.former_members)),
        accesses=tuple(map(named, choices.accesses)),
        blocks=tuple(map(named, choices.blocks)),
        delegates=tuple(map(named, choices.delegates)),
    )


def _everybody(choices: Choices) -> Iterable[Any]:
    yield from choices.members
    yield from choices.former_members
    yield from choices.accesses
    yield from choices.blocks
    yield from choices.delegates


def without_meta(resource: Json) -> Json:
    """Return a resource without what the server writes, keeping its labels and profiles."""
    meta = {
        key: value
        for key, value in resource.get("meta", {}).items()
        if key not in ("versionId", "lastUpdated")
    }
    rest = {key: value for key, value in resource.items() if key != "meta"}
    return {**rest, "meta": meta} if meta else rest
