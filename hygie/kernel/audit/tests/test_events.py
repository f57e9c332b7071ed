from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hygie.kernel.audit.events import event_id, place_of
from hygie.kernel.audit.provider import AuditEvents, Page
from hygie.kernel.audit.tests.test_trace import READ, REQUEST, SEARCH
from hygie.kernel.audit.trace import Flag, Trace, write
from hygie.kernel.clock import SystemClock
from hygie.kernel.errors import Forbidden, InvalidRequest, NotFound, NotSupported
from hygie.kernel.fhir.names import type_number
from hygie.kernel.fhir.validate import parse
from hygie.kernel.security.caller import SYSTEM, Caller, Kind

if TYPE_CHECKING:
    from asyncpg import Connection

BASE = "https://hygie.example/fhir"
PATIENT = uuid.UUID("77777777-7777-4777-8777-777777777777")
OBSERVATION = type_number("Observation")
EVENTS = AuditEvents(
    BASE, lambda rid: (uuid.UUID(rid), None), zone=ZoneInfo("Europe/Paris"), clock=SystemClock()
)


def trace(**changes: Any) -> Trace:
    return msgspec.structs.replace(READ, **{"rt": OBSERVATION, "pat": 1, **changes})


@pytest.fixture(autouse=True)
async def patient(owner: Connection) -> None:
    await owner.execute(
        "INSERT INTO party (num, rt, uid) OVERRIDING SYSTEM VALUE VALUES (1, $1, $2)",
        type_number("Patient"),
        PATIENT,
    )


async def seen(
    app: Connection, *parameters: tuple[str, str], caller: Caller = SYSTEM, after: str | None = None
) -> Page:
    return await EVENTS.search(app, caller, parameters, after=after)


async def only(app: Connection, *, caller: Caller = SYSTEM) -> dict[str, Any]:
    page = await seen(app, caller=caller)
    event: dict[str, Any] = json.loads(page.events[0].body)
    return event


@pytest.mark.parametrize(
    "interaction",
    ["read", "vread", "history-instance", "search-type", "search-system", "create", "update",
     "patch", "delete", "transaction", "batch", "operation", "capabilities"],
)  # fmt: skip
@pytest.mark.parametrize("change", [{}, {"pat": None}, {"uid": None, "ver": None}, {"outcome": 403},
                                    {"agent": "account/12", "peer": None}, {"outcome": 401},
                                    {"flags": 3, "agent_role": "10", "label": 16},
                                    {"pat": None, "pats": [1, 2]}])  # fmt: skip
async def test_every_event_is_valid_fhir(
    app: Connection, interaction: str, change: dict[str, Any]
) -> None:
    query = b"name=x" if interaction.startswith("search") else None
    await write(app, [trace(interaction=interaction, query=query, **change)])
    page = await seen(app)
    assert parse(page.events[0].body, expect="AuditEvent").resource_type == "AuditEvent"


async def test_a_read_follows_the_pattern(app: Connection) -> None:
    await write(app, [trace()])
    event = await only(app)
    assert event["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
    ]
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert [agent["type"]["coding"][0]["code"] for agent in event["agent"]] == [
        "110152", "110153", "IRCP",
    ]  # fmt: skip
    assert event["agent"][2]["who"] == {"reference": READ.agent}
    assert event["agent"][0]["network"] == {"address": "192.0.2.7", "type": "2"}
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    request, person, thing = event["entity"]
    assert request["what"]["identifier"]["value"] == str(REQUEST)
    assert person["what"]["reference"] == f"Patient/{PATIENT}"
    assert person["role"]["code"] == "1"
    assert thing["what"]["reference"] == f"Observation/{READ.uid}/_history/2"
    assert thing["role"]["code"] == "4"


async def test_a_query_follows_the_pattern(app: Connection) -> None:
    await write(app, [msgspec.structs.replace(SEARCH, pat=1, rt=OBSERVATION, peer="2001:db8::1")])
    event = await only(app)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")
    assert event["action"] == "E"
    assert [subtype["code"] for subtype in event["subtype"]] == ["search-type"]
    assert [agent["type"]["coding"][0]["code"] for agent in event["agent"][:2]] == [
        "110153", "110152",
    ]  # fmt: skip
    assert event["entity"][-1]["query"] == "YT3/"
    assert event["entity"][-1]["role"]["code"] == "24"


@pytest.mark.parametrize(
    ("interaction", "action", "profile"),
    [
        ("create", "C", "PatientCreate"),
        ("update", "U", "PatientUpdate"),
        ("delete", "D", "PatientDelete"),
    ],
)
async def test_a_write_follows_the_pattern(
    app: Connection, interaction: str, action: str, profile: str
) -> None:
    await write(app, [trace(interaction=interaction)])
    event = await only(app)
    assert event["action"] == action
    assert event["meta"]["profile"][0].endswith(f".{profile}")
    assert event["agent"][2]["type"]["coding"][0]["code"] == "AUT"


@pytest.mark.parametrize(("status", "outcome"), [(304, "0"), (403, "4"), (404, "4"), (503, "8")])
async def test_a_refusal_says_so_and_claims_no_profile_of_successes(
    app: Connection, status: int, outcome: str
) -> None:
    await write(app, [trace(outcome=status, rule="none")])
    event = await only(app)
    assert (event["outcome"], event["outcomeDesc"]) == (outcome, f"{status} none")
    assert ("profile" in event["meta"]) == (outcome == "0")


async def test_a_resource_with_a_chosen_id_keeps_it(app: Connection, owner: Connection) -> None:
    await owner.execute("DELETE FROM resource_key WHERE uid = $1", READ.uid)
    await owner.execute(
        "INSERT INTO resource_key (key, uid, rt, part, rid) VALUES (1, $1, $2, 0, 'example')",
        READ.uid,
        OBSERVATION,
    )
    await write(app, [trace()])
    event = await only(app)
    await owner.execute("DELETE FROM resource_key WHERE uid = $1", READ.uid)
    assert event["entity"][-1]["what"]["reference"] == "Observation/example/_history/2"


MADAME = Caller(Kind.PATIENT, 1, f"Patient/{PATIENT}")
DOCTOR = Caller(Kind.PROFESSIONAL, 5, READ.agent)


async def test_a_patient_sees_the_accesses_to_their_record_only(app: Connection) -> None:
    await write(app, [trace(), trace(pat=2), trace(pat=None), trace(party=1, pat=2)])
    page = await seen(app, caller=MADAME)
    assert [event.pat for event in page.events] == [1]


async def test_a_patient_sees_neither_the_words_of_a_search_nor_the_address_of_its_author(
    app: Connection,
) -> None:
    await write(app, [trace(interaction="search-type", query=b"name=somebody-else")])
    text = json.dumps(await only(app, caller=MADAME))
    assert "c29tZWJv" not in text
    assert "192.0.2.7" not in text


async def test_a_professional_sees_their_own_acts_only(app: Connection) -> None:
    await write(app, [trace(), trace(party=6)])
    page = await seen(app, caller=DOCTOR)
    assert len(page.events) == 1


async def test_an_event_tells_role_and_structure(app: Connection, owner: Connection) -> None:
    await owner.execute(
        "INSERT INTO party (num, rt, uid, rid) OVERRIDING SYSTEM VALUE VALUES (8, $1, $2, 'chu')",
        type_number("Organization"),
        uuid.UUID(int=8),
    )
    await write(app, [trace(agent_role="10", agent_structure=8)])
    agents = (await only(app, caller=MADAME))["agent"]
    assert agents[2]["role"] == [{"text": "10"}]
    assert agents[3]["who"] == {"reference": "Organization/chu"}
    assert agents[3]["type"]["coding"][0]["code"] == "PROV"


async def test_an_act_for_somebody_tells_both_names_and_the_relation(app: Connection) -> None:
    helped = trace(kind=1, party=6, agent="Patient/daughter", rule="helper")
    await write(app, [helped])
    agents = (await only(app, caller=MADAME))["agent"]
    patient = agents[3]["who"]["reference"]
    assert agents[2]["who"] == {"reference": "Patient/daughter"}
    assert agents[2]["role"][0]["coding"][0]["code"] == "DELEGATEE"
    assert agents[2]["role"][0]["text"] == f"helper for {patient}"
    assert patient.startswith("Patient/")
    assert agents[3]["type"]["coding"][0]["code"] == "DELEGATOR"


async def test_an_act_about_oneself_names_nobody_else(app: Connection) -> None:
    own = trace(kind=1, party=MADAME.party, agent=MADAME.reference, rule="own-record")
    await write(app, [own])
    agents = (await only(app, caller=MADAME))["agent"]
    assert len(agents) == 3
    assert "role" not in agents[2]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_follows_the_pattern_of_decisions(app: Connection, status: int) -> None:
    await write(app, [trace(outcome=status, rule="none", pat=None)])
    event = await only(app)
    assert event["type"]["code"] == "110113"
    assert {one["code"] for one in event["subtype"]} >= {"AuthZ-Role", "AuthZ-Consent", "read"}
    assert [agent["type"]["coding"][0]["code"] for agent in event["agent"]] == [
        "110150", "authserver", "IRCP",
    ]  # fmt: skip
    assert event["agent"][1]["who"] == event["source"]["observer"]
    assert (event["action"], "profile" in event["meta"]) == ("E", False)


async def test_an_emergency_is_told_as_a_decision_too(app: Connection) -> None:
    await write(app, [trace(flags=Flag.EMERGENCY, rule="emergency", purpose="ETREAT")])
    event = await only(app)
    assert event["subtype"][0]["code"] == "AuthZ-Role"
    assert event["meta"]["profile"][0].endswith("PatientRead")


async def test_an_export_follows_the_pattern_of_disclosures(app: Connection) -> None:
    await write(app, [trace(interaction="operation", uid=None, ver=None)])
    event = await only(app)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PrivacyDisclosure.Source")
    assert (event["type"]["code"], event["action"]) == ("110106", "R")
    assert event["subtype"][0]["code"] == "disclose"
    assert [agent["type"]["coding"][0]["code"] for agent in event["agent"][:2]] == [
        "110152", "110153",
    ]  # fmt: skip
    assert all("network" in agent for agent in event["agent"][:2])
    assert event["agent"][1]["who"] == event["source"]["observer"]
    assert len(event["entity"]) >= 2


async def test_what_came_from_a_spool_says_so(app: Connection) -> None:
    await write(app, [trace(flags=Flag.SPOOLED)])
    assert (await only(app))["outcomeDesc"].endswith("from the spool of an emergency")


@pytest.mark.parametrize("kind", [Kind.ADMINISTRATOR, Kind.RESEARCHER, Kind.JOB])
async def test_others_read_no_log(app: Connection, kind: Kind) -> None:
    with pytest.raises(Forbidden):
        await seen(app, caller=Caller(kind, 0, "account/1"))
    with pytest.raises(Forbidden):
        await EVENTS.read(app, Caller(kind, 0, "account/1"), "1-1")


async def test_an_event_is_read_by_its_id(app: Connection) -> None:
    await write(app, [trace(), trace(pat=2)])
    page = await seen(app)
    for event in page.events:
        assert await EVENTS.read(app, SYSTEM, event.id) == event
    hidden, visible = page.events
    assert (await EVENTS.read(app, MADAME, visible.id)).id == visible.id
    with pytest.raises(NotFound):
        await EVENTS.read(app, MADAME, hidden.id)


LONGEST = "f" * 15


@pytest.mark.parametrize(
    "rid",
    ["", "1", "1-", "-1", "g-1", "1-1-1", f"{LONGEST}-1", f"1-{LONGEST}f", f"1-{LONGEST}",
     "fffffffffffff-1", "A-1", "1-1\n"],
)  # fmt: skip
async def test_what_is_no_event_is_not_found(app: Connection, rid: str) -> None:
    with pytest.raises(NotFound):
        await EVENTS.read(app, SYSTEM, rid)


def test_ids_and_instants_answer_one_another() -> None:
    at = datetime(2026, 7, 8, 9, 10, 11, 121314, tzinfo=UTC)
    assert place_of(event_id(at, 2**50)) == (at, 2**50)


async def test_pages_are_stable_while_the_log_grows(app: Connection) -> None:
    await write(app, [trace(ver=version) for version in range(25)])
    ids, after = [], None
    while True:
        page = await seen(app, ("_count", "10"), after=after)
        ids += [event.id for event in page.events]
        await write(app, [trace()])
        after = page.after
        if after is None:
            break
    assert len(ids) == len(set(ids)) == 25
    assert ids == sorted(ids, key=place_of, reverse=True)


async def test_a_count_of_zero_gives_an_empty_page(app: Connection) -> None:
    await write(app, [trace()])
    assert (await seen(app, ("_count", "0"))).events == ()


NOW = datetime.now(UTC)
ANOTHER = "88888888-8888-4888-8888-888888888888"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("patient", f"Patient/{PATIENT}", 2),
        ("patient", str(PATIENT), 2),
        ("patient", f"{BASE}/Patient/{PATIENT}", 2),
        ("patient", f"Patient/{ANOTHER}", 0),
        ("patient", f"Practitioner/{PATIENT}", 0),
        ("patient", f"Patient/{ANOTHER},Patient/{PATIENT}", 2),
        ("agent", READ.agent, 2),
        ("agent", READ.agent.partition("/")[2], 2),
        ("agent", "system", 1),
        ("agent", "Patient/1", 0),
        ("entity", f"Observation/{READ.uid}", 2),
        ("entity", f"Patient/{PATIENT}", 2),
        ("entity", f"Condition/{READ.uid}", 0),
        ("action", "R", 1),
        ("action", "U", 1),
        ("action", "R,U", 2),
        ("action", "E", 1),
        ("action", "C", 0),
        ("action", "http://hl7.org/fhir/audit-event-action|R", 1),
        ("outcome", "0", 2),
        ("outcome", "4", 1),
        ("outcome", "8", 0),
        ("outcome", "12", 0),
        ("date", f"{NOW - timedelta(days=2):%Y-%m-%d}", 0),
        ("date", f"ge{NOW - timedelta(days=2):%Y-%m-%d}", 3),
        ("date", f"le{NOW - timedelta(days=2):%Y-%m-%d}", 0),
        ("date", f"lt{NOW + timedelta(days=2):%Y-%m-%d}", 3),
        ("date", f"eb{NOW + timedelta(days=2):%Y-%m-%d}", 3),
        ("date", f"gt{NOW + timedelta(days=2):%Y-%m-%d}", 0),
        ("date", f"sa{NOW - timedelta(days=2):%Y-%m-%d}", 3),
        ("date", f"ne{NOW - timedelta(days=2):%Y-%m-%d}", 3),
        ("date", f"ap{NOW:%Y}", 3),
    ],
)
async def test_parameters_narrow(app: Connection, name: str, value: str, found: int) -> None:
    await write(app, [trace(), trace(interaction="update", outcome=409), SEARCH])
    assert len((await seen(app, (name, value))).events) == found


async def test_parameters_narrow_together(app: Connection) -> None:
    await write(app, [trace(), trace(interaction="update"), SEARCH])
    page = await seen(app, ("patient", str(PATIENT)), ("action", "U"), ("outcome", "0"))
    assert len(page.events) == 1


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("site", "x", NotSupported),
        ("patient", "no/such thing", InvalidRequest),
        ("patient", f"https://elsewhere.example/fhir/Patient/{PATIENT}", InvalidRequest),
        ("entity", str(PATIENT), InvalidRequest),
        ("action", "X", InvalidRequest),
        ("action", "http://other|R", InvalidRequest),
        ("outcome", "200", InvalidRequest),
        ("date", "yesterday", InvalidRequest),
        ("_count", "-1", InvalidRequest),
        ("_count", "many", InvalidRequest),
    ],
)
async def test_what_cannot_be_read_is_refused(
    app: Connection, name: str, value: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await seen(app, (name, value))
