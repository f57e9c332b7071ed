"""Who may hear and who may send: one refusal each."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hygie.domains.context.model.rules import BURST, FOLLOWERS
from hygie.testing.followers import ALL, Desk
from hygie.testing.stories import ADA, MARC, NORA, PAUL

READ_OTHER = ("fhircast/Patient-open.read", "patient/*.rs")


async def test_nobody_is_told_without_a_token(desk: Desk) -> None:
    answer = await asyncio.to_thread(requests.post, desk.hub, data={}, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")
    assert "bearer" in answer.headers["www-authenticate"].lower()


async def test_a_token_of_no_application_opens_no_topic(desk: Desk) -> None:
    token = await desk.token()
    stranger = Desk(desk.site, address=desk.address)
    assert (await desk.subscribe(await stranger.token())).status_code == 403
    assert (await desk.current(await stranger.token())).status_code == 403
    assert (await desk.current(token)).status_code == 200


async def test_a_token_of_another_user_is_refused(desk: Desk) -> None:
    other = replace(desk, owner=f"Practitioner/{MARC}", visit=Desk(desk.site).visit, followers=[])
    refused = await desk.subscribe(await other.token())
    assert refused.status_code == 403
    assert "hub.topic" in refused.text


async def test_a_wrong_topic_is_answered_like_one_of_somebody_else(desk: Desk) -> None:
    stranger = Desk(desk.site, address=desk.address)
    token = await desk.token()
    wrong = await desk.subscribe(token, hub_topic="nobody-knows-it")
    others = await desk.subscribe(token, hub_topic=await stranger.topic())
    assert (wrong.status_code, wrong.text) == (others.status_code, others.text)
    assert wrong.status_code == 403


async def test_reading_an_event_wants_its_scope(desk: Desk) -> None:
    token = await desk.token("fhircast/Encounter-open.read", "user/*.rs")
    refused = await desk.subscribe(token, "Patient-open")
    assert refused.status_code == 403
    assert "fhircast/Patient-open.read" in refused.text
    partly = await desk.follow(token, "Patient-open,Encounter-open")
    assert partly.confirmed["hub.events"] == "Encounter-open"


async def test_sending_an_event_wants_its_scope(desk: Desk) -> None:
    token = await desk.token("fhircast/*.read", "user/*.rs")
    refused = await desk.send(token, "Patient-open", patient=NORA)
    assert refused.status_code == 403
    assert "fhircast/Patient-open.write" in refused.text


async def test_nobody_opens_a_patient_they_may_not_see(desk: Desk) -> None:
    follower = await desk.follow()
    refused = await desk.send(await desk.token(), "Patient-open", patient=ADA)
    assert refused.status_code == 404
    assert await follower.hears_nothing()


async def test_a_follower_is_not_told_of_a_patient_it_may_not_see(desk: Desk) -> None:
    launched = await desk.follow(await desk.token(*READ_OTHER, patient=PAUL))
    whole = await desk.follow()
    sender = await desk.token()
    await desk.send(sender, "Patient-open", patient=NORA)
    assert await whole.patient() == ("Patient-open", NORA)
    assert await launched.hears_nothing()
    await desk.send(sender, "Patient-open", patient=PAUL)
    assert await launched.patient() == ("Patient-open", PAUL)


async def test_the_current_context_is_hidden_as_an_event_is(desk: Desk) -> None:
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    told = await desk.current(await desk.token(*READ_OTHER, patient=PAUL))
    assert told.json() == {"context.type": "", "context.versionId": "", "context": []}


async def test_without_a_scope_of_data_no_patient_is_told(desk: Desk) -> None:
    blind = await desk.follow(await desk.token("fhircast/*.read"))
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    assert await blind.hears_nothing()


async def test_an_id_that_comes_back_is_refused(desk: Desk) -> None:
    token = await desk.token()
    event = await desk.event("Patient-open", patient=NORA)
    assert (await desk.post(token, json=event)).status_code == 202
    assert (await desk.post(token, json=event)).status_code == 409


async def test_an_older_event_does_not_undo_a_newer_one(desk: Desk) -> None:
    token, now = await desk.token(), datetime.now(UTC)
    await desk.send(token, "Patient-open", patient=NORA)
    for age, status in ((30, 409), (3600, 409), (-600, 400)):
        at = (now - timedelta(seconds=age)).isoformat()
        event = await desk.event("Patient-open", at=at, patient=PAUL)
        assert (await desk.post(token, json=event)).status_code == status
    told = (await desk.current(token)).json()
    assert told["context"][0]["resource"]["id"] == NORA


async def test_a_token_taken_back_hears_nothing_more(desk: Desk) -> None:
    token = await desk.token()
    follower = await desk.follow(token)
    await desk.revoke(token)
    await desk.send(await desk.token(), "Patient-open", patient=NORA)
    assert (await follower.next())["hub.mode"] == "denied"
    assert await follower.closed() == 1008


async def test_a_subscription_ends_with_its_token(desk: Desk) -> None:
    follower = await desk.follow(await desk.token(valid=2))
    assert (await follower.next())["hub.mode"] == "denied"
    with pytest.raises(InvalidStatus):
        await connect(follower.endpoint)


async def test_an_address_that_nobody_was_given_is_refused(desk: Desk) -> None:
    place = desk.hub.replace("http", "ws")
    for path in ("/ws/guessed", "/ws/", "/elsewhere"):
        with pytest.raises(InvalidStatus):
            await connect(f"{place}{path}")


async def test_webhooks_are_refused(desk: Desk) -> None:
    token = await desk.token()
    refused = await desk.subscribe(token, hub_channel_type="webhook")
    assert refused.status_code == 400
    assert "websocket" in refused.text


UNKNOWN = {
    "timestamp": "2026-01-01",
    "id": "a",
    "event": {"hub.topic": "t", "hub.event": "Patient-boil", "context": []},
}


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("", 400),
        ("[]", 400),
        (json.dumps(UNKNOWN | {"event": {}}), 400),
        (json.dumps(UNKNOWN | {"timestamp": "x"}), 400),
        (json.dumps(UNKNOWN), 400),
        ("x" * 70_000, 413),
    ],
)
async def test_what_is_not_written_as_the_standard_writes_it(
    desk: Desk, said: str, status: int
) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {await desk.token()}"}
    answer = await asyncio.to_thread(
        requests.post, desk.hub, data=said, headers=headers, timeout=10
    )
    assert answer.status_code == status, answer.text


async def test_a_session_that_changes_too_fast_is_slowed(desk: Desk) -> None:
    token = await desk.token()
    answers = [await desk.send(token, "UserHibernate") for _ in range(BURST + 1)]
    assert [one.status_code for one in answers] == [202] * BURST + [503]
    assert answers[-1].headers["retry-after"] == "10"


async def test_a_session_has_so_many_followers(desk: Desk) -> None:
    token = await desk.token()
    answers = [await desk.subscribe(token) for _ in range(FOLLOWERS + 1)]
    assert [one.status_code for one in answers] == [202] * FOLLOWERS + [503]


async def test_chatter_on_the_socket_is_ended(desk: Desk) -> None:
    for said, code in (("{", 1007), ('{"id": 1}', 1007), ("x" * 5000, 1008)):
        follower = await desk.follow()
        await follower.socket.send(said)
        assert await follower.closed() == code


async def test_a_follower_that_gives_no_answer_is_let_go(desk: Desk) -> None:
    silent = await desk.follow(subscriber_name="Muet")
    other = await desk.follow(events="SyncError")
    token = await desk.token()
    for patient in (NORA, PAUL):
        await desk.send(token, "Patient-open", patient=patient)
        await silent.next(status=0)
    assert (await other.next(20))["event"]["hub.event"] == "SyncError"
    assert await silent.closed() == 1008


async def test_each_telling_is_traced_with_its_application(desk: Desk) -> None:
    follower = await desk.follow(await desk.token(*ALL, client="imagerie"))
    await desk.send(await desk.token(client="agenda"), "Patient-open", patient=NORA)
    await follower.patient()
    found = await desk.run(_traces(desk))
    assert ("application imagerie", 200) in found
    assert ("application agenda", 200) in found


async def _traces(desk: Desk) -> list[tuple[str, int]]:
    records = desk._records
    number = await records.party_number(f"Patient/{NORA}")
    async with records.database.transaction(system=True) as connection:
        rows = await connection.fetch(
            "SELECT detail, outcome FROM trace WHERE pat = $1 AND query = $2",
            number,
            b"hub.event=Patient-open",
        )
    return [(row["detail"], row["outcome"]) for row in rows]


async def test_nothing_is_kept_after_the_session(desk: Desk) -> None:
    from importlib import import_module

    topics = import_module("hygie.domains.context.service.topics")
    token = await desk.token()
    await desk.send(token, "Patient-open", patient=NORA)
    topic = await desk.topic()
    database = desk._records.database
    await desk.run(topics.end_topic(database, desk.visit))
    assert (await desk.current_of(token, topic)).status_code == 403
    left = await desk.run(_subjects(desk, topic))
    assert left == ["{}"]


async def _subjects(desk: Desk, topic: str) -> list[str]:
    async with desk._records.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT e.subjects FROM context_event e JOIN context_topic t ON t.num = e.topic "
            "WHERE t.topic = $1",
            topic,
        )
    return [row["subjects"] for row in rows]
