"""Attacks on what opens a record and on what tells of it: each tries what no page offers.

They run under the whole law of the product, as a professional, a patient or a relative who writes
FHIR by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest

from hygie.domains.consent.service import announcing, notices
from hygie.domains.oversight.service import daily
from hygie.domains.rights.model.requests import CODES
from hygie.domains.rights.service import erasure, rectification
from hygie.kernel.database import roles
from hygie.kernel.database.connection import Database
from hygie.kernel.errors import Forbidden, NotFound, PreconditionFailed, Unprocessable
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.bundles import Part
from hygie.kernel.store.tracing import Request
from hygie.testing import stories
from hygie.testing.database import ScratchDatabase

Json = dict[str, Any]
ACCESS = "https://hygie.example.org/fhir/CodeSystem/emergency-access"
LABELS = "urn:oid:1.2.250.1.213.1.1.4.13"
ENCODER = msgspec.json.Encoder(decimal_format="number")
NORA, PAUL = f"Patient/{stories.NORA}", f"Patient/{stories.PAUL}"
_TRACED = "SELECT count(*) FROM trace WHERE request = $1 AND pat = $2 AND outcome < 400"


@dataclass
class World:
    """The store under the law, and the log as its owner reads it."""

    repository: Repository
    log: Database
    numbers: Any = field(default_factory=lambda: count(1))

    async def put(self, body: Json) -> None:
        await self.repository.update(SYSTEM, body["resourceType"], body["id"], ENCODER.encode(body))

    async def who(self, reference: str) -> Caller:
        kind = Kind.PATIENT if reference.startswith("Patient/") else Kind.PROFESSIONAL
        number = await self.repository.party_number(reference)
        purpose = "PATRQT" if kind == Kind.PATIENT else "TREAT"
        return replace(Caller(kind, number, reference), purpose=purpose)

    async def stranger(self) -> str:
        """Write a patient whom nobody treats; return the id."""
        rid = f"stranger-{next(self.numbers)}"
        await self.put({"resourceType": "Patient", "id": rid, "birthDate": "1950-05-05"})
        return rid

    async def create(self, caller: Caller, body: Json) -> str:
        raw = ENCODER.encode(body)
        return (await self.repository.create(caller, body["resourceType"], raw)).stored.rid

    async def update(self, caller: Caller, rid: str, body: Json) -> None:
        raw = ENCODER.encode({**body, "id": rid})
        await self.repository.update(caller, body["resourceType"], rid, raw)

    async def names(self, request: Request, patient: str) -> bool:
        """Tell whether the log says that a request told something of a patient."""
        number = await self.repository.party_number(patient)
        async with self.log.connection() as connection:
            return bool(await connection.fetchval(_TRACED, request.id, number))


@pytest.fixture(scope="module")
async def world(database: ScratchDatabase) -> AsyncIterator[World]:
    """Give Nora and Paul, who agreed that their team reads, and their team."""
    platform = Platform(database.settings)
    discover(platform, "hygie.domains")
    repository = await open_repository(database.settings, law=platform.law)
    log = await Database.open(database.dsn, role=roles.OWNER, size=1)
    world = World(repository, log)
    told = (stories.diabetic_woman, stories.unknown_man, stories.care_team, stories.choices)
    for one in (one for story in told for one in story()):
        await world.put(one)
    yield world
    await log.close()
    await repository.database.close()


def declaration(patient: str, **more: Any) -> Json:
    """Return a declared emergency of Dr Lang; None leaves an element out."""
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = (now + timedelta(seconds=s) for s in (0, 3600 * 4 - 1))
    whole = {
        "resourceType": "Task", "status": "in-progress", "intent": "order",
        "code": {"coding": [{"system": ACCESS, "code": "break-glass"}]},
        "for": {"reference": f"Patient/{patient}"}, "authoredOn": now.isoformat(),
        "requester": {"reference": f"Practitioner/{stories.ZOE}"},
        "executionPeriod": {"start": start.isoformat(), "end": end.isoformat()},
        "reasonCode": {"text": "Patient inconscient, seul"},
        "input": [{"type": {"text": "place"}, "valueString": "Urgences"}],
        **more,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=5)


@pytest.mark.parametrize(
    "trick",
    [
        {"authoredOn": None},
        {"authoredOn": "2019-01-01"},
        {"authoredOn": "2029-01-01"},
        {"meta": {"security": [{"system": LABELS, "code": "INVISIBLE_PATIENT"}]}},
        {"businessStatus": {"text": "contrôlé"}},
    ],
    ids=["undated", "old", "to come", "hidden from the patient", "already reviewed"],
)
async def test_no_declaration_escapes_the_reviewers_or_the_patient(
    world: World, trick: Json
) -> None:
    zoe, rid = await world.who(f"Practitioner/{stories.ZOE}"), await world.stranger()
    await world.create(zoe, declaration(rid, **trick))
    assert await daily.gather_emergencies(world.repository, at=soon()) == 1
    assert await notices.tell_of_accesses(world.repository, at=soon())


async def test_a_declaration_changed_at_once_is_told_all_the_same(world: World) -> None:
    zoe, rid = await world.who(f"Practitioner/{stories.ZOE}"), await world.stranger()
    ordinary = declaration(rid)
    task = await world.create(zoe, ordinary)
    await notices.tell_of_documents(world.repository, at=soon())
    await world.update(zoe, task, {**ordinary, "description": "encore"})
    assert await _told_of(world, task)


async def _told_of(world: World, task: str) -> bool:
    await notices.tell_of_accesses(world.repository, at=soon())
    async with world.log.connection() as connection:
        return bool(
            await connection.fetchval(
                "SELECT count(*) FROM job WHERE key = $1", f"emergency-access:Task/{task}"
            )
        )


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "failed", "rejected"])
async def test_a_declaration_is_not_taken_back(world: World, status: str) -> None:
    zoe, rid = await world.who(f"Practitioner/{stories.ZOE}"), await world.stranger()
    body = declaration(rid)
    task = await world.create(zoe, body)
    with pytest.raises(Forbidden, match="stays in the record"):
        await world.update(zoe, task, {**body, "status": status})
    with pytest.raises(Forbidden, match="stays in the record"):
        await world.repository.delete(zoe, "Task", task)
    other = await world.stranger()
    with pytest.raises(Forbidden):
        await world.update(zoe, task, {**body, "for": {"reference": f"Patient/{other}"}})


async def test_a_declaration_does_not_pass_for_another_task(world: World) -> None:
    """The first code says what a Task is about, so a second one would open a record unreviewed."""
    helene = await world.who(f"Practitioner/{stories.HELENE}")
    request = {"system": CODES, "code": "rectification"}
    body = declaration(stories.NORA, requester={"reference": helene.reference})
    body["code"] = {"coding": [request, *body["code"]["coding"]]}
    with pytest.raises(Unprocessable, match="one code"):
        await world.create(helene, body)


def erasure_of(patient: str, **more: Any) -> Json:
    return {
        "resourceType": "Task", "status": "requested", "intent": "proposal",
        "code": {"coding": [{"system": CODES, "code": "erasure"}]},
        "for": {"reference": patient}, "requester": {"reference": patient},
        "authoredOn": "2026-01-05", **more,
    }  # fmt: skip


def choice(patient: str, category: str, kind: str) -> Json:
    body = stories.choice(patient, category, kind)
    return {name: value for name, value in body.items() if name != "id"}


@pytest.mark.parametrize(
    "forged",
    [
        erasure_of(PAUL),
        choice(stories.PAUL, "care-team", "deny"),
        choice(stories.PAUL, "opening", "permit"),
        choice(stories.PAUL, "closure", "deny"),
        choice(stories.PAUL, "closure", "permit"),
        choice(stories.PAUL, "research", "permit"),
        {**choice(stories.PAUL, "opposition", "deny"), "status": "inactive"},
    ],
    ids=lambda body: body["resourceType"],
)
async def test_no_professional_decides_in_the_name_of_the_person(
    world: World, forged: Json
) -> None:
    helene = await world.who(f"Practitioner/{stories.HELENE}")
    with pytest.raises(Forbidden):
        await world.create(helene, forged)


@pytest.mark.parametrize(
    "broken",
    [
        {"code": {"coding": [{"system": CODES, "code": "all"},
                             {"system": CODES, "code": "erasure"}]}},
        {"output": [{"type": {"text": "x"}, "valueString": "y"}]},
        {"requester": {"display": "somebody"}},
    ],
    ids=["two codes", "another output", "nobody"],
)  # fmt: skip
async def test_a_request_nobody_can_read_stops_no_other(
    world: World, database: ScratchDatabase, broken: Json
) -> None:
    paul = await world.who(PAUL)
    task = await world.create(paul, erasure_of(PAUL, **broken))
    repository, data = world.repository, database.settings.data
    await erasure.carry_out_erasures(repository, repository.keyring, data, at=soon())
    await rectification.mine(repository, paul, stories.PAUL)
    await repository.delete(SYSTEM, "Task", task)


async def test_a_representative_does_not_erase_in_the_voice_of_the_person(
    world: World, database: ScratchDatabase
) -> None:
    """As the child, the parent would erase, and count, what the child keeps from the parent."""
    for one in (*stories.helping_daughter()[:1], *stories.child()):
        await world.put(one)
    mother, child = await world.who(f"Patient/{stories.LUCIE}"), f"Patient/{stories.TOM}"
    task = await world.create(mother, erasure_of(child))
    repository, data = world.repository, database.settings.data
    await erasure.carry_out_erasures(repository, repository.keyring, data, at=soon())
    stored = await repository.read(SYSTEM, "Task", task)
    answered = msgspec.json.decode(stored.body or b"{}")
    assert (answered["status"], "output" in answered) == ("rejected", False)


async def test_a_result_of_a_secret_visit_is_announced_to_the_child_alone(world: World) -> None:
    """Its secrecy comes from the visit: its own text says nothing of it."""
    for one in (*stories.helping_daughter()[:1], *stories.child()):
        await world.put(one)
    await world.put({
        "resourceType": "Observation", "id": "secret-result", "status": "final",
        "code": {"text": "test"}, "subject": {"reference": f"Patient/{stories.TOM}"},
        "encounter": {"reference": "Encounter/secret-visit"},
        "meta": {"security": [{"system": LABELS, "code": "INVISIBLE_PATIENT"}]},
    })  # fmt: skip
    later = datetime.now(UTC) + timedelta(days=400)
    assert await announcing.announce(world.repository, at=later)
    async with world.log.connection() as connection:
        told = await connection.fetchval(
            "SELECT payload FROM job WHERE key = 'announced:Observation/secret-result'"
        )
    assert msgspec.json.decode(told)["secret"] is True


@pytest.mark.parametrize("name", ["patient", "actor"])
async def test_a_choice_that_would_not_hold_is_refused(world: World, name: str) -> None:
    """An address before the reference made a closure or a block that closed nothing."""
    nora, base = await world.who(NORA), world.repository.site.base
    if name == "patient":
        body = choice(stories.NORA, "closure", "deny")
        body["patient"] = {"reference": f"{base}/{NORA}"}
    else:
        body = choice(stories.NORA, "block", "deny")
        doctors = [f"Practitioner/{stories.MARC}", f"{base}/Practitioner/{stories.HELENE}"]
        actors = [{"role": {"text": "x"}, "reference": {"reference": one}} for one in doctors]
        body["provision"]["actor"] = actors
    with pytest.raises(Unprocessable):
        await world.create(nora, body)


async def test_who_blocks_a_structure_blocks_who_acts_under_its_people(world: World) -> None:
    """A substitute with no post of their own there passed beside the block."""
    nora, helene = await world.who(NORA), await world.who(f"Practitioner/{stories.HELENE}")
    role = {"profession": "10", "at": stories.HOSPITAL, "under": stories.HELENE}
    for one in stories.practitioner("substitute", "Roy", "Al", **role):
        await world.put(one)
    substitute = await world.who("Practitioner/substitute")
    readers = (helene, substitute)
    for reader in readers:
        await world.repository.read(reader, "Patient", stories.NORA)
    body = choice(stories.NORA, "block", "deny")
    place = {"reference": f"Organization/{stories.CABINET}"}
    body["provision"]["actor"] = [{"role": {"text": "x"}, "reference": place}]
    block = await world.create(nora, body)
    for reader in readers:
        with pytest.raises(NotFound):
            await world.repository.read(reader, "Patient", stories.NORA)
        found = await world.repository.search(reader, "Condition", [("patient", NORA)])
        assert not found.entries
        assert not await world.repository.find_mine(reader, "martin")
    await world.repository.delete(nora, "Consent", block)
    for reader in readers:
        await world.repository.read(reader, "Patient", stories.NORA)


@pytest.mark.parametrize(
    "query",
    [
        [("patient", NORA), ("_summary", "count")],
        [("patient", NORA), ("_count", "0")],
        [("patient", NORA), ("_count", "0"), ("_total", "accurate")],
        [("patient", f"{PAUL},{NORA}"), ("_count", "1"), ("_sort", "-_id")],
        [("patient", f"{PAUL},{NORA}"), ("_count", "1"), ("_sort", "_id")],
    ],
)
async def test_whoever_is_counted_is_named_in_the_log(
    world: World, query: list[tuple[str, str]]
) -> None:
    helene, request = await world.who(f"Practitioner/{stories.HELENE}"), Request("search-type")
    rt = "AllergyIntolerance"
    found = await world.repository.search(helene, rt, query, request=request)
    assert found.total
    assert await world.names(request, NORA)


async def test_a_refused_condition_names_whom_it_told_about(world: World) -> None:
    """*Several match* answers a question about the record as well as a search does."""
    helene, request = await world.who(f"Practitioner/{stories.HELENE}"), Request("delete")
    criteria = [("patient", NORA), ("clinical-status", "active")]
    with pytest.raises(PreconditionFailed):
        await world.repository.delete_where(helene, "Condition", criteria=criteria, request=request)
    assert await world.names(request, NORA)


async def test_a_conditional_reference_names_whom_it_told_about(world: World) -> None:
    helene, request = await world.who(f"Practitioner/{stories.HELENE}"), Request("transaction")
    body = {
        "resourceType": "Observation", "status": "final", "code": {"text": "note"},
        "subject": {"reference": PAUL},
        "focus": [{"reference": f"Patient?_id={stories.NORA}"}],
    }  # fmt: skip
    part = Part(0, "POST", "Observation", None, (), None, ENCODER.encode(body))
    await world.repository.transaction(helene, (part,), request=request)
    assert await world.names(request, NORA)


def team(patient: str, *members: str) -> Json:
    return {
        "resourceType": "CareTeam", "status": "active", "subject": {"reference": patient},
        "participant": [{"member": {"reference": one}} for one in members],
    }  # fmt: skip


@pytest.mark.parametrize("who", [f"Practitioner/{stories.ZOE}", f"Practitioner/{stories.HELENE}"])
async def test_no_professional_joins_a_team_by_writing_it(world: World, who: str) -> None:
    caller = await world.who(who)
    with pytest.raises(Forbidden):
        await world.create(caller, team(NORA, who))


@pytest.mark.parametrize("who", [NORA, f"Practitioner/{stories.HELENE}"])
async def test_a_patient_of_ones_own_does_not_open_that_of_another(world: World, who: str) -> None:
    caller, rid = await world.who(who), await world.stranger()
    with pytest.raises(Forbidden):
        await world.create(caller, team(NORA, who, f"Patient/{rid}"))


@pytest.mark.parametrize(
    ("who", "changed"),
    [
        (f"Practitioner/{stories.HELENE}", {"birthDate": "2020-01-01"}),
        (f"Practitioner/{stories.HELENE}",
         {"generalPractitioner": [{"reference": f"Practitioner/{stories.HELENE}"}]}),
        (NORA, {"birthDate": "2020-01-01"}),
        (f"Practitioner/{stories.HELENE}",
         {"identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}]}),
        (f"Practitioner/{stories.HELENE}", {"name": [{"use": "official", "family": "Autre"}]}),
        (f"Practitioner/{stories.HELENE}", {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                         "valueAddress": {"city": "Brest"}}]}),
    ],
)  # fmt: skip
async def test_nobody_opens_a_record_by_changing_the_person(
    world: World, who: str, changed: Json
) -> None:
    caller = await world.who(who)
    stored = await world.repository.read(SYSTEM, "Patient", stories.NORA)
    body = {**msgspec.json.decode(stored.body or b"{}"), **changed}
    with pytest.raises(Forbidden):
        await world.update(caller, stories.NORA, body)


async def test_the_team_corrects_how_to_reach_somebody(world: World) -> None:
    helene = await world.who(f"Practitioner/{stories.HELENE}")
    stored = await world.repository.read(helene, "Patient", stories.NORA)
    body = msgspec.json.decode(stored.body or b"{}")
    await world.update(helene, stories.NORA, {**body, "telecom": [{"value": "0100000000"}]})
