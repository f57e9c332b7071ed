"""Every kind of trace, against the profiles of IHE themselves."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hygie.testing.profiles
from hygie.kernel.audit.balp import PROFILES
from hygie.kernel.audit.tests.test_events import (
    DOCTOR,
    MADAME,
    PATIENT,
    seen,
    trace,
)
from hygie.kernel.audit.trace import Flag, write
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.caller import SYSTEM, Caller
from hygie.testing.profiles.check import faults
from hygie.testing.profiles.definition import Profiles

if TYPE_CHECKING:
    from asyncpg import Connection

BALP = Profiles.read(Path(hygie.testing.profiles.__file__).parent / "definitions/balp")
NAME = f"{PROFILES}IHE.BasicAudit."
INTERACTIONS = {
    "read": "Read", "vread": "Read", "create": "Create", "update": "Update", "patch": "Update",
    "delete": "Delete", "search-type": "Query", "search-system": "Query",
    "history-instance": "", "history-type": "", "history-system": "", "transaction": "",
    "batch": "", "capabilities": "", "operation": "Disclosure",
}  # fmt: skip
"""The profile, without what a patient adds, of each interaction that succeeds."""
CALLERS: dict[str, dict[str, Any]] = {
    "a program with a token": {},
    "a page of a portal": {"peer": None},
    "a person": {"kind": 1, "party": 1, "agent": f"Patient/{PATIENT}", "purpose": "PATRQT"},
    "a representative": {"kind": 1, "party": 4, "agent": "RelatedPerson/4", "purpose": "PATRQT"},
    "a secretary": {"agent_role": "secretary", "agent_structure": 8},
    "in an emergency": {"flags": Flag.EMERGENCY, "rule": "emergency", "purpose": "ETREAT"},
    "from a spool": {"flags": Flag.EMERGENCY | Flag.SPOOLED},
    "a job": {"kind": 5, "party": 0, "agent": "job/notices", "peer": None, "purpose": "HOPERAT"},
    "a command": {"kind": 0, "party": 0, "agent": "system", "peer": None, "purpose": "HOPERAT"},
    "an administrator": {"kind": 3, "party": 0, "agent": "account/12", "peer": None},
}
WHOSE: dict[str, dict[str, Any]] = {
    "of a patient": {},
    "of nobody": {"pat": None},
    "of a set": {"pat": None, "pats": [1, 2]},
}
OUTCOMES = {"done": 200, "made": 201, "unchanged": 304, "refused": 403, "unknown": 401,
            "absent": 404, "gone": 410, "conflict": 409, "failed": 503}  # fmt: skip
READERS: tuple[Caller, ...] = (SYSTEM, MADAME, DOCTOR)


def claimed(event: dict[str, Any]) -> str:
    """Return the profile an event claims, without its address; empty where it claims none."""
    (url,) = event["meta"].get("profile", [""])
    return str(url).removeprefix(NAME)


def expected(interaction: str, whose: str, status: int, *, viewer: bool) -> str:
    """Return the profile that BALP has for a kind of trace, as its reader sees it."""
    stem = INTERACTIONS[interaction]
    if not stem or status >= 400 or (whose == "of a set" and not viewer):
        return ""
    if stem == "Disclosure":
        return "" if whose == "of nobody" else "PrivacyDisclosure.Source"
    return stem if whose == "of nobody" else f"Patient{stem}"


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("how", CALLERS)
async def test_every_kind_of_trace_conforms_to_what_it_claims(
    app: Connection, owner: Connection, interaction: str, how: str
) -> None:
    await owner.executemany(
        "INSERT INTO party (num, rt, uid) OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3)",
        [(1, type_number("Patient"), PATIENT), (8, type_number("Organization"), PATIENT)],
    )
    is_search = interaction.startswith("search")
    asked = {"query": b"name=x", "uid": None, "ver": None} if is_search else {}
    for (whose, more), status in itertools.product(WHOSE.items(), OUTCOMES.values()):
        changes = {**CALLERS[how], **more, **asked, "outcome": status}
        await app.execute("BEGIN")
        await write(app, [trace(interaction=interaction, **changes)])
        for reader in READERS:
            event = await told_to(app, reader)
            if event is None:
                continue
            parse(json.dumps(event).encode(), expect="AuditEvent")
            viewer = reader is MADAME
            assert claimed(event) == expected(interaction, whose, status, viewer=viewer), whose
            if claimed(event):
                assert faults(event, BALP.tree(f"{NAME}{claimed(event)}")) == [], (whose, reader)
        await app.execute("ROLLBACK")


async def told_to(app: Connection, reader: Caller) -> dict[str, Any] | None:
    """Return the one event as a reader sees it; None where it is not for them."""
    page = await seen(app, caller=reader)
    return json.loads(page.events[0].body) if page.events else None
