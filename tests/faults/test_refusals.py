"""Who was refused is told to the person whose it was, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database, begin
from hygie.kernel.errors import HygieError
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.law import Law
from hygie.kernel.store.tracing import Request
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW

PAUL = "Patient/refused-paul"
TITLE, LABELS = "refused-1", "urn:oid:1.2.250.1.213.1.1.4.13"
_NAMED = "SELECT p.rid FROM trace t LEFT JOIN party p ON p.num = t.pat WHERE t.request = $1"


@dataclass(slots=True)
class World:
    """A store with Paul and one observation of his."""

    repository: Repository
    log: Database
    stranger: Caller
    paul: Caller

    async def named(self, request: Request) -> list[str | None]:
        """Return whom the log names of a request."""
        async with self.log.connection() as connection:
            return [row["rid"] for row in await connection.fetch(_NAMED, request.id)]

    async def told(self, caller: Caller, *asked: tuple[str, str]) -> list[dict[str, Any]]:
        """Return the AuditEvents that a caller reads, newest first."""
        site = self.repository.site
        events = AuditEvents(site.base, key_of, zone=site.zone, clock=SystemClock())
        async with self.repository.database.connection() as connection:
            system = caller.kind == Kind.SYSTEM
            await connection.execute(begin([] if system else [caller.party], system=system))
            page = await events.search(connection, caller, asked)
            await connection.execute("ROLLBACK")
        return [json.loads(one.body) for one in page.events]


@pytest.fixture(scope="module")
async def world(database: ScratchDatabase, law: Law) -> AsyncIterator[World]:
    repository = await open_repository(database.settings, law=law, size=2)
    log = await Database.open(database.dsn, role=roles.OWNER, size=1)
    for body in (
        {"resourceType": "Patient", "id": PAUL.partition("/")[2]},
        {
            "resourceType": "Observation",
            "id": TITLE,
            "status": "final",
            "code": {"text": "note"},
            "subject": {"reference": PAUL},
        },
    ):
        await repository.update(
            SYSTEM, str(body["resourceType"]), str(body["id"]), json.dumps(body).encode()
        )
    stranger = await repository.party_number("Practitioner/refused-stranger")
    paul = await repository.party_number(PAUL)
    yield World(
        repository,
        log,
        Caller(Kind.PROFESSIONAL, stranger, "Practitioner/refused-stranger"),
        Caller(Kind.PATIENT, paul, PAUL),
    )
    await log.close()
    await repository.database.close()


@pytest.fixture(scope="module")
def law() -> Law:
    return LAW


Attempt = Callable[[World, Caller, str, Request], Awaitable[object]]


async def _read(world: World, caller: Caller, rid: str, request: Request) -> object:
    return await world.repository.read(caller, "Observation", rid, request=request)


async def _vread(world: World, caller: Caller, rid: str, request: Request) -> object:
    return await world.repository.vread(caller, "Observation", rid, version=1, request=request)


async def _history(world: World, caller: Caller, rid: str, request: Request) -> object:
    return await world.repository.history(caller, Scope("Observation", rid), request=request)


async def _update(world: World, caller: Caller, rid: str, request: Request) -> object:
    body = {"resourceType": "Observation", "id": rid, "status": "final", "code": {"text": "x"}}
    raw = json.dumps(body).encode()
    return await world.repository.update(caller, "Observation", rid, raw, request=request)


async def _delete(world: World, caller: Caller, rid: str, request: Request) -> object:
    return await world.repository.delete(caller, "Observation", rid, request=request)


ATTEMPTS: dict[str, Attempt] = {
    "read": _read, "vread": _vread, "history-instance": _history, "update": _update,
    "delete": _delete,
}  # fmt: skip


async def refused(world: World, name: str, rid: str, caller: Caller) -> tuple[Request, str]:
    request = Request(name)
    with pytest.raises(HygieError) as refusal:
        await ATTEMPTS[name](world, caller, rid, request)
    return request, str(refusal.value).replace(rid, "…")


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_a_refusal_names_whose_it_was_and_answers_like_an_absent_one(
    world: World, name: str
) -> None:
    request, hidden = await refused(world, name, TITLE, world.stranger)
    nobody, absent = await refused(world, name, "refused-none", world.stranger)
    assert hidden == absent
    assert await world.named(request) == [PAUL.partition("/")[2]]
    assert await world.named(nobody) == [None]


async def test_the_person_reads_who_tried(world: World) -> None:
    await refused(world, "read", TITLE, world.stranger)
    event = (await world.told(world.paul))[0]
    assert event["agent"][2]["who"]["reference"] == world.stranger.reference
    assert event["outcome"] == "4"
    assert event["entity"][-1]["what"]["reference"] == f"Observation/{TITLE}"


@pytest.mark.parametrize("asked", [[], [("patient", PAUL)], [("entity", PAUL)]])
async def test_who_was_refused_learns_nothing_from_their_own_traces(
    world: World, asked: list[tuple[str, str]]
) -> None:
    await refused(world, "read", TITLE, world.stranger)
    hidden = await world.told(world.stranger, *asked)
    await refused(world, "read", "refused-none", world.stranger)
    absent = await world.told(world.stranger, *asked)
    assert PAUL not in json.dumps(hidden)
    assert len(absent) - len(hidden) == (0 if asked else 1)
    if not asked:
        one, other = (_without_ids(events[0]) for events in (hidden, absent))
        assert one == other


def _without_ids(event: dict[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in event.items() if name not in ("id", "meta", "recorded")}
    return kept | {"entity": [sorted(one) for one in event["entity"]]}


async def test_ones_own_refusal_is_not_told(world: World) -> None:
    """A person would learn from their log of what they may not know of."""
    other = await world.repository.party_number("Patient/refused-other")
    mine = Caller(Kind.PATIENT, other, "Patient/refused-other")
    await refused(world, "read", TITLE, mine)
    assert await world.told(mine) == []


async def test_an_unannounced_result_stays_unknown_to_an_accomplice(world: World) -> None:
    body = {
        "resourceType": "Observation", "id": "refused-2", "status": "final",
        "code": {"text": "note"}, "subject": {"reference": PAUL},
        "meta": {"security": [{"system": LABELS, "code": "INVISIBLE_PATIENT"}]},
    }  # fmt: skip
    await world.repository.update(SYSTEM, "Observation", "refused-2", json.dumps(body).encode())
    request, _ = await refused(world, "read", "refused-2", world.stranger)
    assert await world.named(request) == [None]
