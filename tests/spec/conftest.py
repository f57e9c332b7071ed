"""A small world of people and records, and the tables that say who may do what in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from hygie.domains.consent.fhir import care_team_facts, helper_facts
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.testing.database import ScratchDatabase

Json = dict[str, Any]
Table = Callable[[str], Awaitable[None]]
PERIODS = {"over": {"end": "2020-01-01"}, "to come": {"start": "2990-01-01"}, "": {}}

READERS: dict[str, tuple[Kind, str]] = {
    "Anne": (Kind.PATIENT, "Patient/anne"),
    "Bob": (Kind.PATIENT, "Patient/bob"),
    "Anne's helper": (Kind.PATIENT, "Patient/helen"),
    "former helper": (Kind.PATIENT, "Patient/hugo"),
    "Anne's physician": (Kind.PROFESSIONAL, "Practitioner/petit"),
    "physician of both": (Kind.PROFESSIONAL, "Practitioner/duo"),
    "former physician": (Kind.PROFESSIONAL, "Practitioner/roux"),
    "future physician": (Kind.PROFESSIONAL, "Practitioner/neuf"),
    "other physician": (Kind.PROFESSIONAL, "Practitioner/autre"),
    "removed physician": (Kind.PROFESSIONAL, "Practitioner/vire"),
    "administrator": (Kind.ADMINISTRATOR, ""),
    "researcher": (Kind.RESEARCHER, ""),
    "operator": (Kind.SYSTEM, ""),
}
RECORDS = {
    "Anne's record": ("Patient", "anne"),
    "Anne's observation": ("Observation", "anne-o"),
    "Bob's observation": ("Observation", "bob-o"),
    "visit of both": ("Appointment", "both-a"),
    "nobody's observation": ("Observation", "orphan"),
    "an organization": ("Organization", "clinic"),
}


@dataclass(frozen=True, slots=True)
class World:
    """A repository with people and records in it, and everybody who may ask."""

    repository: Repository
    callers: dict[str, Caller]
    bodies: dict[str, bytes]


def team(rid: str, patient: str, members: dict[str, str]) -> Json:
    participants = [
        {
            "member": {"reference": f"Practitioner/{who}"},
            "period": PERIODS[when] or {"start": "2000"},
        }
        for who, when in members.items()
    ]
    taking_part = {"participant": participants} if participants else {}
    return {
        "resourceType": "CareTeam",
        "id": rid,
        "status": "active",
        "subject": {"reference": f"Patient/{patient}"},
        **taking_part,
    }


def consent(rid: str, helper: str, when: str) -> Json:
    return {
        "resourceType": "Consent",
        "id": rid,
        "status": "active",
        "scope": {"text": "access"},
        "category": [{"text": "helper"}],
        "patient": {"reference": "Patient/anne"},
        "policyRule": {"text": "mandate"},
        "provision": {
            "type": "permit",
            "period": PERIODS[when] or {"start": "2000"},
            "actor": [
                {"role": {"text": "helper"}, "reference": {"reference": f"Patient/{helper}"}}
            ],
        },
    }


def observation(rid: str, subject: str | None) -> Json:
    about = {"subject": {"reference": subject}} if subject else {}
    return {
        "resourceType": "Observation",
        "id": rid,
        "status": "final",
        "code": {"text": "weight"},
        **about,
    }


def appointment(rid: str, *patients: str) -> Json:
    actors = [{"actor": {"reference": one}, "status": "accepted"} for one in patients]
    return {"resourceType": "Appointment", "id": rid, "status": "booked", "participant": actors}


def records() -> list[Json]:
    """Return the world, in the order it is written."""
    people = [{"resourceType": "Patient", "id": rid} for rid in ("anne", "bob", "helen", "hugo")]
    return [
        *people,
        {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
        team("anne-t", "anne", {"petit": "", "roux": "over", "neuf": "to come", "duo": ""}),
        team("bob-t", "bob", {"duo": ""}),
        team("old-t", "anne", {"vire": ""}),
        team("old-t", "anne", {}),
        consent("helen-c", "helen", ""),
        consent("hugo-c", "hugo", "over"),
        observation("anne-o", "Patient/anne"),
        observation("bob-o", "Patient/bob"),
        observation("orphan", None),
        appointment("both-a", "Patient/anne", "Patient/bob"),
    ]


@pytest.fixture(scope="module")
async def world(database: ScratchDatabase) -> AsyncIterator[World]:
    """Give the world."""
    projections = {"CareTeam": care_team_facts, "Consent": helper_facts}
    repository = await open_repository(database.settings, projections=projections)
    try:
        yield await populate(repository)
    finally:
        await repository.database.close()


async def populate(repository: Repository) -> World:
    """Write the records and make the callers."""
    bodies = {}
    for one in records():
        raw = msgspec.json.encode(one)
        bodies[f"{one['resourceType']}/{one['id']}"] = raw
        await repository.update(SYSTEM, one["resourceType"], one["id"], raw)
    callers = {
        name: Caller(kind, await repository.party_number(who) if who else 0, who or name)
        for name, (kind, who) in READERS.items()
    }
    return World(repository, callers, bodies)


@pytest.fixture
def access(world: World) -> Table:
    """Give the check of a table: ``reader | record``, then one column for each interaction.

    ``permit`` is done, ``hidden`` answers as if nothing were there, ``refuse`` says no openly.
    """

    async def check(table: str) -> None:
        header, *lines = [
            [cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()
        ]
        wrong = []
        for reader, record, *expected in lines:
            for act, wanted in zip(header[2:], expected, strict=True):
                found = await attempt(world, act, world.callers[reader], RECORDS[record])
                if found != wanted:
                    wrong.append(f"{reader} | {record} | {act}: {found}, not {wanted}")
        assert not wrong, "\n".join(wrong)

    return check


async def attempt(world: World, act: str, caller: Caller, record: tuple[str, str]) -> str:
    """Return ``permit``, ``hidden`` or ``refuse``."""
    try:
        done = await ACTS[act](world, caller, *record)
    except NotFound:
        return "hidden"
    except Forbidden:
        return "refuse"
    return "permit" if done else "hidden"


async def read(world: World, caller: Caller, rt: str, rid: str) -> bool:
    return (await world.repository.read(caller, rt, rid)).rid == rid


async def vread(world: World, caller: Caller, rt: str, rid: str) -> bool:
    return (await world.repository.vread(caller, rt, rid, version=1)).version == 1


async def history(world: World, caller: Caller, rt: str, rid: str) -> bool:
    return bool((await world.repository.history(caller, Scope(rt, rid))).entries)


async def feed(world: World, caller: Caller, rt: str, rid: str) -> bool:
    page = await world.repository.history(caller, Scope(rt, count=500))
    return rid in {entry.stored.rid for entry in page.entries}


async def search(world: World, caller: Caller, rt: str, rid: str) -> bool:
    found = await world.repository.search(caller, rt, [("_count", "1000")])
    return rid in {entry.stored.rid for entry in found.entries}


async def count(world: World, caller: Caller, rt: str, rid: str) -> bool:
    query = [("_id", rid), ("_summary", "count")]
    return (await world.repository.search(caller, rt, query)).total == 1


async def update(world: World, caller: Caller, rt: str, rid: str) -> bool:
    written = await world.repository.update(caller, rt, rid, world.bodies[f"{rt}/{rid}"])
    return written.changed


ACTS: dict[str, Callable[[World, Caller, str, str], Awaitable[bool]]] = {
    "read": read,
    "vread": vread,
    "history": history,
    "feed": feed,
    "search": search,
    "count": count,
    "update": update,
}
