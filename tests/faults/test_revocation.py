"""Whoever is told that an access is withdrawn can rely on it: no later read is let in (G6).

Reads race with a revocation on a store of their own, as another process would. Every read that
*began* after the revocation was acknowledged must be refused; those before may go either way.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hygie.kernel.config import Settings
from hygie.kernel.database.session import connect
from hygie.kernel.errors import HygieError
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Bearer, Caller, Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.security.tokens import issue, revoke
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.history import Scope
from hygie.kernel.store.law import Law
from hygie.testing.database import ScratchDatabase

Json = dict[str, Any]
CHOICE = "https://hygie.example.org/fhir/CodeSystem/choice"
PATIENT, DOCTOR = "Patient/r-nora", "Practitioner/r-petit"
RID = "r-weight"
READERS = 3
IN_CI, IN_THE_LONG_RUN = 60, 2_000
"""Trials of each of the five ways to withdraw an access."""
_ROLE = (
    "INSERT INTO hygie.practice (member, structure, role, starts, ends, source)"
    " VALUES (%s, NULL, '10', '2000-01-01', '2900-01-01', 0)"
)


def choice(rid: str, code: str, kind: str, *, active: bool) -> Json:
    """Return the Consent that holds one choice of the patient."""
    actor = {"role": {"text": "x"}, "reference": {"reference": DOCTOR}}
    named = {"actor": [actor]} if code == "block" else {}
    return {
        "resourceType": "Consent", "id": rid, "status": "active" if active else "inactive",
        "scope": {"text": "access"}, "category": [{"coding": [{"system": CHOICE, "code": code}]}],
        "patient": {"reference": PATIENT}, "policyRule": {"text": "choice"},
        "provision": {"type": kind, "period": {"start": "2020-01-01"}, **named},
    }  # fmt: skip


def team(*, active: bool) -> Json:
    """Return the care team, in which the doctor takes part or not."""
    member = {"member": {"reference": DOCTOR}, "period": {"start": "2020-01-01"}}
    return {
        "resourceType": "CareTeam", "id": "r-team", "status": "active",
        "subject": {"reference": PATIENT}, **({"participant": [member]} if active else {}),
    }  # fmt: skip


def weight() -> Json:
    """Return what the doctor reads."""
    return {
        "resourceType": "Observation", "id": RID, "status": "final", "code": {"text": "weight"},
        "category": [{"coding": [{"code": "vital-signs"}]}], "subject": {"reference": PATIENT},
    }  # fmt: skip


@dataclass
class World:
    """Two stores over one database: the patient decides on one, the doctor reads on the other."""

    deciding: Repository
    reading: Repository
    patient: Caller
    doctor: Caller
    token: Bearer
    masked: list[int] = field(default_factory=list)

    async def put(self, body: Json) -> None:
        await self.deciding.update(
            self.patient, body["resourceType"], body["id"], msgspec.json.encode(body)
        )

    async def give_token(self) -> None:
        async with self.deciding.database.connection() as connection:
            now = datetime.now(UTC)
            token = await issue(connection, self.doctor, at=now, valid=timedelta(days=1))
        self.token = Bearer.from_token(token)


Act = Callable[[World], Awaitable[object]]


async def _revoke_token(world: World) -> None:
    async with world.deciding.database.connection() as connection:
        await revoke(connection, world.token)


WITHDRAWALS: dict[str, tuple[Act, Act]] = {
    "consent withdrawn": (
        lambda world: world.put(choice("r-consent", "care-team", "permit", active=False)),
        lambda world: world.put(choice("r-consent", "care-team", "permit", active=True)),
    ),
    "professional blocked": (
        lambda world: world.put(choice("r-block", "block", "deny", active=True)),
        lambda world: world.put(choice("r-block", "block", "deny", active=False)),
    ),
    "membership ended": (
        lambda world: world.put(team(active=False)),
        lambda world: world.put(team(active=True)),
    ),
    "token revoked": (_revoke_token, World.give_token),
    "document masked": (
        lambda world: world.deciding.relabel(
            world.patient, "Observation", RID, add=Label.MASKED_FROM_PROFESSIONALS
        ),
        lambda world: world.deciding.relabel(
            world.patient, "Observation", RID, remove=Label.MASKED_FROM_PROFESSIONALS
        ),
    ),
}
"""How an access is withdrawn, and given back."""


async def _read(world: World) -> bool:
    return (await world.reading.read(world.token, "Observation", RID)).rid == RID


async def _vread(world: World) -> bool:
    return (await world.reading.vread(world.token, "Observation", RID, version=1)).version == 1


async def _search(world: World) -> bool:
    asked = [("subject", PATIENT)]
    return bool((await world.reading.search(world.token, "Observation", asked)).entries)


async def _count(world: World) -> bool:
    asked = [("subject", PATIENT), ("_summary", "count")]
    return bool((await world.reading.search(world.token, "Observation", asked)).total)


async def _history(world: World) -> bool:
    return bool((await world.reading.history(world.token, Scope("Observation", RID))).entries)


READS = (_read, _read, _vread, _search, _count, _history)


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """Give the law of the product."""
    platform = Platform(Settings(data=Path(tmp_path_factory.mktemp("law"))))
    discover(platform, "hygie.domains")
    return platform.law


@pytest.fixture(scope="module")
async def world(database: ScratchDatabase, law: Law) -> AsyncIterator[World]:
    """Give a patient, her doctor of the care team, and one observation."""
    deciding = await open_repository(database.settings, law=law, size=2)
    reading = await open_repository(database.settings, law=law, size=4)
    try:
        named = {"resourceType": "Practitioner", "id": "r-petit", "name": [{"family": "Petit"}]}
        person = {"resourceType": "Patient", "id": "r-nora", "birthDate": "1980-02-29"}
        bodies: list[Json] = [
            person, named, team(active=True), weight(),
            choice("r-consent", "care-team", "permit", active=True),
            choice("r-block", "block", "deny", active=False),
        ]  # fmt: skip
        for body in bodies:
            raw = msgspec.json.encode(body)
            await deciding.update(SYSTEM, body["resourceType"], body["id"], raw)
        numbers = [await deciding.party_number(one) for one in (PATIENT, DOCTOR)]
        with connect(database.admin_dsn) as session:
            session.execute(_ROLE, [numbers[1]])
        found = World(
            deciding, reading, Caller(Kind.PATIENT, numbers[0], PATIENT, purpose="PATRQT"),
            Caller(Kind.PROFESSIONAL, numbers[1], DOCTOR), Bearer(b""),
        )  # fmt: skip
        await found.give_token()
        yield found
    finally:
        await deciding.database.close()
        await reading.database.close()


@dataclass
class Race:
    """What one trial saw: when each read began, of what sort, and whether it was let in."""

    seen: list[tuple[float, str, bool]] = field(default_factory=list)
    acknowledged: float | None = None

    @property
    def late(self) -> list[tuple[float, str, bool]]:
        """Return the reads that began after the acknowledgement."""
        end = self.acknowledged
        return [one for one in self.seen if end is not None and one[0] > end]

    async def run(self, world: World, withdraw: Act, chance: random.Random) -> None:
        """Read without pause while the access is withdrawn, and once more each after."""
        tasks = [asyncio.create_task(self._reads(world, chance)) for _ in range(READERS)]
        await asyncio.sleep(chance.random() * 0.004)
        await withdraw(world)
        self.acknowledged = time.perf_counter()
        await asyncio.gather(*tasks)

    async def _reads(self, world: World, chance: random.Random) -> None:
        while True:
            act, began = chance.choice(READS), time.perf_counter()
            last = self.acknowledged is not None
            try:
                admitted = await act(world)
            except HygieError:
                admitted = False
            self.seen.append((began, act.__name__, admitted))
            if last:
                return


async def race(world: World, name: str, trials: int) -> None:
    withdraw, give_back = WITHDRAWALS[name]
    chance = random.Random(name)  # noqa: S311 - test data
    before = late = 0
    for number in range(trials):
        trial = Race()
        await trial.run(world, withdraw, chance)
        wrong = [act for _, act, admitted in trial.late if admitted]
        assert not wrong, f"{name}, trial {number}: {wrong} let in after the acknowledgement"
        late += len(trial.late)
        before += sum(admitted for _, _, admitted in trial.seen)
        await give_back(world)
        assert await _read(world), "the access was given back"
    assert before > trials // 2, "reads before the revocation were let in"
    print(f"{name}: {trials} trials, {before} reads before, {late} after, 0 of these let in")  # noqa: T201


@pytest.mark.parametrize("name", WITHDRAWALS)
async def test_no_read_is_let_in_after_an_acknowledged_revocation(world: World, name: str) -> None:
    await race(world, name, IN_CI)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", WITHDRAWALS)
async def test_no_read_is_let_in_in_ten_thousand_races(world: World, name: str) -> None:
    await race(world, name, IN_THE_LONG_RUN)


async def test_the_race_sees_a_revocation_that_does_nothing(world: World) -> None:
    """Reads that go on being let in are told."""

    async def nothing(_: World) -> None:
        await asyncio.sleep(0)

    trial = Race()
    await trial.run(world, nothing, random.Random(1))  # noqa: S311 - test data
    assert any(admitted for _, _, admitted in trial.late)
