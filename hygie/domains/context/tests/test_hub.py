"""A tool opens a patient and the others follow (FHIRcast 3.0.0, sections 2.4 to 2.9)."""

from __future__ import annotations

import asyncio

import requests

from hygie.testing.followers import Desk
from hygie.testing.stories import NORA, PAUL


async def test_two_tools_follow_what_a_third_opens(desk: Desk) -> None:
    one, other = await desk.follow(), await desk.follow()
    answer = await desk.send(await desk.token(), "Patient-open", patient=NORA)
    assert answer.status_code == 202, answer.text
    assert await one.patient() == ("Patient-open", NORA)
    assert await other.patient() == ("Patient-open", NORA)
    await desk.send(await desk.token(), "patient-CLOSE", patient=NORA)
    assert await one.patient() == ("Patient-close", NORA)


async def test_the_event_keeps_the_id_and_the_time_of_its_sender(desk: Desk) -> None:
    follower = await desk.follow()
    event = await desk.event("Patient-open", id="from-the-viewer", patient=NORA)
    await desk.post(await desk.token(), json=event)
    told = await follower.next()
    assert told["id"] == "from-the-viewer"
    assert told["timestamp"][:19] == event["timestamp"][:19]
    assert told["timestamp"].endswith("Z")
    assert told["event"]["hub.topic"] == await desk.topic()


async def test_an_event_shows_an_id_and_identifiers_and_no_name(desk: Desk) -> None:
    follower = await desk.follow()
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    shown = (await follower.next())["event"]["context"]
    assert [one["key"] for one in shown] == ["patient"]
    resource = shown[0]["resource"]
    assert set(resource) == {"resourceType", "id", "identifier"}
    assert resource["identifier"][0]["value"].endswith(f"/fhir/Patient/{NORA}")


async def test_who_connects_later_is_told_what_is_open(desk: Desk) -> None:
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    await desk.send(await desk.token(), "Patient-open", patient=PAUL)
    follower = await desk.follow()
    assert await follower.patient() == ("Patient-open", PAUL)
    assert await follower.hears_nothing()


async def test_a_connection_made_again_finds_the_present_context(desk: Desk) -> None:
    follower = await desk.follow()
    await follower.socket.close(1001)
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    again = await desk.connect(follower.endpoint)
    assert await again.patient() == ("Patient-open", NORA)


async def test_a_second_connection_takes_the_place_of_the_first(desk: Desk) -> None:
    follower = await desk.follow()
    again = await desk.connect(follower.endpoint)
    assert await follower.closed() == 1001
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    assert await again.patient() == ("Patient-open", NORA)


async def test_the_current_context_is_read_with_get(desk: Desk) -> None:
    token = await desk.token()
    assert (await desk.current(token)).json()["context"] == []
    await desk.send(token, "Patient-open", patient=NORA)
    told = (await desk.current(token)).json()
    assert told["context.type"] == "Patient"
    assert told["context"][0]["resource"]["id"] == NORA
    await desk.send(token, "Patient-close", patient=NORA)
    assert (await desk.current(token)).json()["context.type"] == ""


async def test_an_encounter_brings_its_patient_to_who_follows_patients(desk: Desk) -> None:
    token = await desk.token()
    found = await asyncio.to_thread(
        requests.get,
        f"{desk.address}/fhir/Encounter?patient={NORA}&_count=1",
        headers={"authorization": f"Bearer {token}"},
        timeout=10,
    )
    encounter = found.json()["entry"][0]["resource"]["id"]
    patients = await desk.follow(token)
    encounters = await desk.follow(token, "Encounter-open")
    answer = await desk.send(token, "Encounter-open", encounter=encounter, patient=NORA)
    assert answer.status_code == 202, answer.text
    assert await patients.patient() == ("Patient-open", NORA)
    assert await encounters.patient() == ("Encounter-open", NORA)
    swapped = await desk.send(token, "Encounter-open", encounter=encounter, patient=PAUL)
    assert swapped.status_code == 400


async def test_a_refusal_is_told_to_the_others(desk: Desk) -> None:
    refusing = await desk.follow(events="Patient-open,SyncError", subscriber_name="Imagerie")
    other = await desk.follow(events="SyncError")
    await desk.send(await desk.token(), "Patient-open", id="opened", patient=NORA)
    await refusing.next(status=409)
    told = (await other.next())["event"]
    assert told["hub.event"] == "SyncError"
    issue = told["context"][0]["resource"]["issue"][0]
    assert issue["severity"] == "warning"
    codes = [one["code"] for one in issue["details"]["coding"]]
    assert codes == ["opened", "Patient-open", "Imagerie"]
    assert await refusing.hears_nothing()


async def test_a_tool_says_later_that_it_does_not_follow(desk: Desk) -> None:
    other, token = await desk.follow(events="SyncError"), await desk.token()
    event = await desk.event("syncerror")
    system = "https://fhircast.hl7.org/events/syncerror"
    coding = [
        {"system": f"{system}/eventid", "code": "opened"},
        {"system": f"{system}/eventname", "code": "Patient-open"},
    ]
    issue = {"severity": "warning", "code": "processing", "details": {"coding": coding}}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    event["event"]["context"] = [{"key": "operationoutcome", "resource": outcome}]
    assert (await desk.post(token, json=event)).status_code == 202
    assert (await other.next())["event"]["hub.event"] == "SyncError"


async def test_who_vanishes_is_reported_and_who_says_goodbye_is_not(desk: Desk) -> None:
    other = await desk.follow(events="SyncError")
    polite, vanishing = await desk.follow(), await desk.follow()
    await polite.close()
    assert await other.hears_nothing()
    vanishing.socket.transport.abort()
    assert (await other.next())["event"]["hub.event"] == "SyncError"


async def test_sign_out_of_the_session_reaches_every_follower(desk: Desk) -> None:
    from importlib import import_module

    topics = import_module("hygie.domains.context.service.topics")
    token = await desk.token()
    follower = await desk.follow(token, "Patient-open,UserLogout")
    await desk.send(token, "Patient-open", patient=NORA)
    assert await follower.patient() == ("Patient-open", NORA)
    await desk.run(topics.end_topic(desk._records.database, desk.visit))
    told = (await follower.next())["event"]
    assert told["hub.event"] == "UserLogout"
    assert told["context"][0]["resource"]["parameter"][0]["name"] == "code"
    assert await follower.closed() == 1000


async def test_unsubscribing_ends_the_connection(desk: Desk) -> None:
    token = await desk.token()
    follower = await desk.follow(token)
    answer = await desk.subscribe(
        token, hub_mode="unsubscribe", hub_channel_endpoint=follower.endpoint
    )
    assert answer.status_code == 202, answer.text
    assert (await follower.next())["hub.mode"] == "denied"
    assert await follower.closed() == 1000


async def test_a_fresh_token_renews_a_subscription(desk: Desk) -> None:
    follower = await desk.follow(await desk.token(valid=30))
    assert follower.confirmed["hub.lease_seconds"] <= 30
    answer = await desk.subscribe(
        await desk.token(), "Patient-open", hub_channel_endpoint=follower.endpoint
    )
    assert answer.json()["hub.channel.endpoint"] == follower.endpoint
    told = await follower.next()
    assert told["hub.events"] == "Patient-open"
    assert told["hub.lease_seconds"] > 500


async def test_a_heartbeat_comes_to_who_asks_for_it(desk: Desk) -> None:
    follower = await desk.follow(events="Patient-open,heartbeat")
    told = (await follower.next(15, status=0))["event"]
    assert told["hub.event"] == "Heartbeat"
    assert told["context"] == [{"key": "period", "decimal": 10}]
