"""Who reads which accesses, and what of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.audit.tests.test_events import MADAME, OBSERVATION, PATIENT, only, seen, trace
from hygie.kernel.audit.tests.test_trace import READ
from hygie.kernel.audit.trace import write
from hygie.kernel.fhir.names import type_number
from hygie.kernel.security.caller import Caller, Kind
from hygie.kernel.security.labels import Label
from hygie.kernel.security.limits import limit_of, unconstrained

if TYPE_CHECKING:
    from asyncpg import Connection


@pytest.fixture(autouse=True)
async def patient(owner: Connection) -> None:
    await owner.execute(
        "INSERT INTO party (num, rt, uid) OVERRIDING SYSTEM VALUE VALUES (1, $1, $2)",
        type_number("Patient"),
        PATIENT,
    )


MOTHER = Caller(Kind.PATIENT, 40, "RelatedPerson/40")
FOR_EVER = "'-infinity', 'infinity', 0"
RELATIONS = {
    "parent of a minor": (f"(1, 40, 8, {FOR_EVER}), (1, 0, 16, {FOR_EVER})", True),
    "parent of an adult": (f"(1, 40, 8, {FOR_EVER}), (1, 0, 16, '-infinity', now(), 0)", False),
    "guardian": (f"(1, 40, 9, {FOR_EVER})", True),
    "who manages the record": (f"(1, 40, 10, {FOR_EVER})", True),
    "former guardian": ("(1, 40, 9, '-infinity', now(), 0)", False),
    "helper": (f"(1, 40, 2, {FOR_EVER})", False),
    "care team": (f"(1, 40, 1, {FOR_EVER})", False),
    "guardian of another": (f"(2, 40, 9, {FOR_EVER})", False),
}


@pytest.mark.parametrize("name", RELATIONS)
async def test_who_represents_a_person_reads_the_accesses_but_the_secret_ones(
    app: Connection, owner: Connection, name: str
) -> None:
    rows, seen_by_them = RELATIONS[name]
    await owner.execute(f"INSERT INTO care_relation VALUES {rows}")
    await write(app, [trace(), trace(label=Label.HIDDEN_FROM_REPRESENTATIVES)])
    await app.execute("SET hygie.system = 'off'; SET hygie.parties = '{40}'")
    assert len((await seen(app, caller=MOTHER)).events) == int(seen_by_them)
    assert await app.fetchval("SELECT count(*) FROM trace") == int(seen_by_them)
    await app.execute("SET hygie.parties = '{1}'")
    assert len((await seen(app, caller=MADAME)).events) == 2


async def label(owner: Connection, bits: int) -> None:
    """Give the read resource labels, as a later version of it may have them."""
    await owner.execute("SET hygie.system = 'on'")
    await owner.execute("DELETE FROM resource_key; DELETE FROM resource")
    await owner.execute(
        "INSERT INTO resource_key (key, uid, rt, part) VALUES (1, $1, $2, 0)",
        READ.uid,
        OBSERVATION,
    )
    await owner.execute(
        "INSERT INTO resource (key, seq, upd, present, uid, ver, pat, part, rt, label, flags, "
        "toks, body) VALUES (1, 1, now(), 0, $1, 1, 1, 0, $2, $3, 0, '{}', '')",
        READ.uid,
        OBSERVATION,
        bits,
    )


async def test_a_visit_made_secret_later_is_hidden_too(app: Connection, owner: Connection) -> None:
    await owner.execute(f"INSERT INTO care_relation VALUES (1, 40, 9, {FOR_EVER})")
    await write(app, [trace()])
    await label(owner, Label.HIDDEN_FROM_REPRESENTATIVES)
    await app.execute("SET hygie.system = 'off'; SET hygie.parties = '{40}'")
    assert not (await seen(app, caller=MOTHER)).events
    assert await app.fetchval("SELECT current_setting('hygie.system')") == "off"
    await owner.execute("DELETE FROM resource_key; DELETE FROM resource")


async def test_what_is_not_announced_is_not_named_to_the_person(
    app: Connection, owner: Connection
) -> None:
    await write(app, [trace(label=Label.HIDDEN_FROM_PATIENT)])
    event = await only(app, caller=MADAME)
    assert str(READ.uid) not in json.dumps(event)
    assert "Observation" not in json.dumps(event)
    entity = ("entity", f"Observation/{READ.uid}")
    assert not (await seen(app, entity, caller=MADAME)).events
    assert len((await seen(app, entity)).events) == 1
    await label(owner, 0)
    assert str(READ.uid) in json.dumps(await only(app, caller=MADAME))
    assert len((await seen(app, entity, caller=MADAME)).events) == 1
    await owner.execute("DELETE FROM resource_key; DELETE FROM resource")


async def test_a_job_that_touched_many_shows_each_person_themselves(app: Connection) -> None:
    await write(app, [trace(pat=None, uid=None, pats=[1, 2, 3], agent="job/announce", party=0)])
    event = await only(app, caller=MADAME)
    people = [one for one in event["entity"] if one.get("role", {}).get("code") == "1"]
    assert [one["what"]["reference"] for one in people] == [f"Patient/{PATIENT}"]
    assert (await seen(app, caller=MADAME)).events[0].pat == 1
    assert not (await seen(app, caller=Caller(Kind.PATIENT, 9, "Patient/9"))).events
    assert "3 patients" in json.dumps(await only(app))
    assert len((await seen(app, ("patient", str(PATIENT)))).events) == 1


@pytest.mark.parametrize(("scope", "events"), [("patient", 0), ("user", 1)])
async def test_an_application_launched_on_oneself_reads_no_accesses_to_whom_one_represents(
    app: Connection, owner: Connection, scope: str, events: int
) -> None:
    await owner.execute(f"INSERT INTO care_relation VALUES (1, 40, 9, {FOR_EVER})")
    await write(app, [trace()])
    await app.execute("SET hygie.system = 'off'; SET hygie.parties = '{40}'")
    words = [f"{scope}/AuditEvent.rs"]
    limit = limit_of("app", words, patient=MOTHER.party, constraint=unconstrained)
    found = await seen(app, caller=replace(MOTHER, limit=limit))
    assert len(found.events) == events
