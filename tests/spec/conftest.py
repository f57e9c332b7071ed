"""A small world of people and records, and the tables that say who may do what in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import msgspec
import pytest

from hygie.domains import consent as consent_domain
from hygie.domains.consent.policy.matrix import Matrix
from hygie.domains.consent.policy.rules import READ, WRITE
from hygie.kernel.errors import Forbidden, NotFound
from hygie.kernel.platform import Platform
from hygie.kernel.security.algebra import Policy
from hygie.kernel.security.caller import SYSTEM, Caller, Kind
from hygie.kernel.security.clauses import Subject
from hygie.kernel.security.labels import Label
from hygie.kernel.security.matters import BY_CODE
from hygie.kernel.security.relations import Relation
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


def physician(rid: str) -> Json:
    """Return a physician of the health directory."""
    coding = {"system": "urn:oid:1.2.250.1.71.1.2.7", "code": "10"}
    return {
        "resourceType": "Practitioner",
        "id": rid,
        "qualification": [{"code": {"coding": [coding]}}],
    }


def team_consent(patient: str) -> Json:
    """Return the consent by which the care team reads."""
    category = {
        "coding": [
            {"system": "https://hygie.example.org/fhir/CodeSystem/choice", "code": "care-team"}
        ]
    }
    return {
        "resourceType": "Consent",
        "id": f"{patient}-agrees",
        "status": "active",
        "scope": {"text": "access"},
        "category": [category],
        "patient": {"reference": f"Patient/{patient}"},
        "policyRule": {"text": "choice"},
        "provision": {"type": "permit"},
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
        *[physician(rid) for rid in ("petit", "duo", "roux", "neuf", "autre", "vire")],
        team_consent("anne"),
        team_consent("bob"),
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
    platform = Platform(database.settings)
    consent_domain.register(platform)
    repository = await open_repository(database.settings, law=platform.law)
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


Rules = Callable[[str], None]
DAY = date(2026, 3, 1)
ROLES = {
    "doctor": "10", "pharmacist": "21", "nurse": "60", "dentist": "40", "podiatrist": "80",
    "midwife": "50", "secretary": "secretary", "intern": "intern", "social worker": "41",
    "home help": "42",
    "insurer": "insurer", "employer": "employer", "SAMU physician": "samu-regulator",
}  # fmt: skip
KINDS = {
    "person": Kind.PATIENT, "relative": Kind.PATIENT, "researcher": Kind.RESEARCHER,
    "administrator": Kind.ADMINISTRATOR, "operator": Kind.SYSTEM,
}  # fmt: skip
ITEMS = {
    "lab report": "11502-2", "summary": "60591-5", "psychiatric summary": "68599-0",
    "delivery report": "15508-5", "support plan": "80788-3", "advance directives": "EXPPAT_3",
    "own deposit": "DOCPAT05", "certificate of residence": "ATTEST-RESID",
    "reimbursements": "REMB", "appointment": "AGENDA", "identity": "IDENTITY",
    "care team": "CARE_TEAM", "choices": "CHOICES",
    "emergency declaration": "EMERGENCY_DECLARATION",
}  # fmt: skip
STANDINGS = {
    "member": Relation.CARE_TEAM.bit,
    "treating": Relation.TREATING.bit,
    "given access": Relation.CONSENTED.bit,
    "blocked": Relation.BLOCKED.bit,
    "in an emergency": Relation.EMERGENCY.bit,
    "regulating": Relation.CENTRE_15.bit,
    "helper": Relation.HELPER.bit,
    "paperwork helper": Relation.HELPER_ADMINISTRATIVE.bit,
    "representative": Relation.HELPER.bit | Relation.MANAGES.bit,
    "parent": Relation.PARENT.bit,
    "guardian": Relation.GUARDIAN.bit,
    "under a member": Relation.CARE_TEAM.principal_bit,
    "under the treating": Relation.TREATING.principal_bit,
    "under a blocked member": Relation.CARE_TEAM.principal_bit | Relation.BLOCKED.principal_bit,
}
STATES = {
    "agreed": Relation.TEAM_CONSENT.bit,
    "minor": Relation.MINOR.bit,
    "under sixteen": Relation.MINOR.bit | Relation.UNDER_16.bit,
    "closed": Relation.CLOSED.bit,
    "opposed": Relation.OPPOSED.bit,
    "restricted": Relation.RESTRICTED.bit,
    "refuses emergencies": Relation.REFUSES_EMERGENCY.bit,
    "refuses Centre 15": Relation.REFUSES_CENTRE_15.bit,
}
LABELS = {
    "masked": Label.MASKED_FROM_PROFESSIONALS,
    "unannounced": Label.HIDDEN_FROM_PATIENT,
    "secret": Label.HIDDEN_FROM_REPRESENTATIVES,
    "very restricted": Label.VERY_RESTRICTED,
    "withdrawn": Label.WITHDRAWN,
}
PURPOSES = {"": "TREAT", "care": "TREAT", "billing": "HPAYMT", "research": "HRESCH"}
READER, OWNER, SOMEBODY = 1, 2, 3


@pytest.fixture
def rules() -> Rules:
    """Give the check of a table of reads: who, what they are to the person, which item, the answer.

    The columns ``reader | standing | record | item | mark | purpose`` may be left out; ``answer``
    is the name of the rule that permits, or "no". Words are separated by commas; "author" among the
    marks says that the reader wrote the item.
    """
    return partial(judge, READ)


@pytest.fixture
def writing_rules() -> Rules:
    """Give the same check for writes."""
    return partial(judge, WRITE)


@pytest.fixture
def lines() -> tuple[Callable[[dict[str, str]], tuple[Caller, Subject]], dict[str, Label]]:
    """Give what turns a line of a table into a question, and the labels by their words."""
    return asked, LABELS


def judge(policy: Policy, table: str) -> None:
    """Ask the rules in memory and compare."""
    header, *lines = [
        [cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()
    ]
    wrong = []
    for line in lines:
        row = dict(zip(header, line, strict=True))
        rule = policy.allowing(*asked(row))
        found = "no" if rule is None else rule.name
        if found != row["answer"]:
            wrong.append(f"{' | '.join(line)}: {found}")
    assert not wrong, "\n".join(wrong)


def asked(row: dict[str, str]) -> tuple[Caller, Subject]:
    """Return the caller and the facts that one line describes."""
    reader, marks = row["reader"], words(row.get("mark", ""))
    role = ROLES.get(reader)
    caller = Caller(
        KINDS.get(reader, Kind.PROFESSIONAL),
        OWNER if reader == "person" else READER,
        reader,
        purpose=PURPOSES[row.get("purpose", "")],
        roles=frozenset({role} if role else ()),
        matters=Matrix().readable([role] if role else [], DAY),
        duties=Matrix().duties([role] if role else [], DAY),
    )
    bits = 0
    for word in words(row.get("standing", "")):
        bits |= STANDINGS[word]
    for word in words(row.get("record", "")):
        bits |= STATES[word]
    label = Label.NORMAL
    for word in marks - {"author"}:
        label |= LABELS[word]
    item = ITEMS[row.get("item") or "lab report"]
    author = caller.party if "author" in marks else SOMEBODY
    return caller, Subject(
        OWNER, bits=bits, label=int(label), matter=BY_CODE[item].number, author=author
    )


def words(cell: str) -> set[str]:
    """Return the words of a cell."""
    return {word.strip() for word in cell.split(",") if word.strip()}
