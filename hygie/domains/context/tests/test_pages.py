"""The pages of a professional publish what they open, and say what another tool opened."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
import pytest

from hygie.testing.applications import App, code_of, register, signed_in
from hygie.testing.followers import Desk
from hygie.testing.portal import Site
from hygie.testing.stories import NORA, PAUL

SCOPE = (
    "openid fhirUser online_access user/*.rs fhircast/Patient-open.read fhircast/Patient-open.write"
    " fhircast/Patient-close.read fhircast/UserLogout.read fhircast/UserHibernate.read"
)
EVENTS = "Patient-open,Patient-close,UserLogout,UserHibernate"


def launched(site: Site, browser: Any) -> dict[str, Any]:
    """Return the answer of the token endpoint to an application that was let in."""
    app: App = register(site, audience="professional", asked=SCOPE, name="Imagerie")
    code = code_of(site, app, browser=browser, scope=SCOPE)
    answer: dict[str, Any] = msgspec.json.decode(app.redeem(code).content)
    return answer


@pytest.fixture
async def browser(site: Site, live: str) -> Any:
    """Give Dr Petit's browser."""
    return await asyncio.to_thread(signed_in, site, "dr.petit")


@pytest.fixture
async def told(site: Site, browser: Any) -> dict[str, Any]:
    """Give what the application was told."""
    return await asyncio.to_thread(launched, site, browser)


async def get(browser: Any, path: str) -> str:
    answer = await asyncio.to_thread(browser.get, path)
    assert answer.status_code == 200, answer
    return str(answer.content.decode())


async def follow(desk: Desk, told: dict[str, Any]) -> Any:
    return await desk.follow(told["access_token"], EVENTS, hub_topic=told["hub.topic"])


async def test_the_token_of_an_application_comes_with_hub_and_topic(
    desk: Desk, told: dict[str, Any]
) -> None:
    assert told["hub.url"] == desk.hub
    assert len(told["hub.topic"]) >= 32
    assert "fhircast/Patient-open.read" in told["scope"].split()


async def test_without_a_scope_of_fhircast_there_is_no_topic(site: Site, browser: Any) -> None:
    def flow() -> Any:
        app = register(site, audience="professional", asked="openid user/*.rs")
        code = code_of(site, app, browser=browser, scope="openid user/*.rs")
        return msgspec.json.decode(app.redeem(code).content)

    answer = await asyncio.to_thread(flow)
    assert "hub.topic" not in answer


async def test_opening_a_record_is_published_once(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    follower = await follow(desk, told)
    await get(browser, f"/professional/record/{NORA}/")
    await get(browser, f"/professional/record/{NORA}/timeline/")
    assert await follower.patient() == ("Patient-open", NORA)
    assert await follower.hears_nothing()
    await get(browser, f"/professional/record/{PAUL}/")
    assert await follower.patient() == ("Patient-open", PAUL)


async def test_a_record_that_is_refused_is_not_published(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    follower = await follow(desk, told)
    answer = await asyncio.to_thread(browser.get, "/professional/record/ada-leroy/")
    assert answer.status_code in (403, 404)
    assert await follower.hears_nothing()


async def test_closing_everywhere_closes_in_the_tools(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    follower = await follow(desk, told)
    await get(browser, f"/professional/record/{NORA}/")
    await follower.patient()
    page = await get(browser, f"/professional/record/{NORA}/")
    assert "Ce dossier s’ouvre aussi dans vos autres outils." in page
    await asyncio.to_thread(browser.post, "/professional/context/close/")
    assert await follower.patient() == ("Patient-close", NORA)


async def test_signing_out_tells_the_tools_and_forgets(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    follower = await follow(desk, told)
    await asyncio.to_thread(browser.post, "/sign-out/")
    assert (await follower.next())["event"]["hub.event"] == "UserLogout"
    assert await follower.closed() == 1000


async def test_locking_the_station_tells_the_tools(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    follower = await follow(desk, told)
    await asyncio.to_thread(browser.post, "/account/lock/")
    assert (await follower.next())["event"]["hub.event"] == "UserHibernate"


async def test_what_another_tool_opened_is_said_and_nothing_jumps(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    await follow(desk, told)
    await get(browser, f"/professional/record/{NORA}/")
    await opened_elsewhere(desk, told, PAUL)
    page = await get(browser, f"/professional/record/{NORA}/timeline/")
    assert "Un autre outil a ouvert le dossier de Paul D" in page
    assert f'href="/professional/record/{PAUL}/"' in page
    there = await get(browser, f"/professional/record/{PAUL}/")
    assert "Un autre outil a ouvert" not in there


async def test_what_was_set_aside_is_not_said_again(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    await get(browser, f"/professional/record/{NORA}/")
    await opened_elsewhere(desk, told, PAUL)
    await asyncio.to_thread(browser.post, "/professional/context/stay/")
    assert "Un autre outil" not in await get(browser, "/professional/patients/")
    await opened_elsewhere(desk, told, NORA)
    assert "Un autre outil" not in await get(browser, "/professional/patients/"), "it is here"
    await opened_elsewhere(desk, told, PAUL)
    assert "Un autre outil" in await get(browser, "/professional/patients/")


async def test_following_can_be_paused(desk: Desk, browser: Any, told: dict[str, Any]) -> None:
    await opened_elsewhere(desk, told, PAUL)
    await asyncio.to_thread(browser.post, "/professional/context/pause/")
    assert "Un autre outil" not in await get(browser, "/professional/patients/")
    listening = await asyncio.to_thread(browser.post, "/professional/context/listen/")
    assert listening.status_code == 204
    assert "Suivre de nouveau" in await get(browser, "/professional/context/")
    await asyncio.to_thread(browser.post, "/professional/context/resume/")
    assert "Un autre outil" in await get(browser, "/professional/patients/")


async def test_the_pages_speak_english(
    desk: Desk, site: Site, browser: Any, told: dict[str, Any]
) -> None:
    await follow(desk, told)
    await asyncio.to_thread(browser.post, "/language/", {"language": "en", "next": "/"})
    await opened_elsewhere(desk, told, PAUL)
    page = await get(browser, "/professional/context/")
    assert "Another tool opened the record of Paul" in page
    assert "Following between your tools" in page
    assert "Settings of following" in page
    assert "outil" not in page.replace('lang="fr"', "")


async def test_an_open_page_hears_that_something_happened_and_not_what(
    desk: Desk, browser: Any, told: dict[str, Any]
) -> None:
    answer = await asyncio.to_thread(browser.post, "/professional/context/listen/")
    path = answer.json()["path"]
    assert re.fullmatch(r"/fhircast/ws/[\w-]{43}", path)
    page = await desk.connect(desk.address.replace("http", "ws") + path)
    await opened_elsewhere(desk, told, PAUL)
    heard = await page.next()
    assert heard["event"]["context"] == []
    bar = await get(browser, f"/professional/context/bar/?patient={NORA}")
    assert "Paul D" in bar


async def opened_elsewhere(desk: Desk, told: dict[str, Any], patient: str) -> None:
    event = await desk.event("Patient-open", patient=patient)
    event["event"]["hub.topic"] = told["hub.topic"]
    answer = await desk.post(told["access_token"], json=event)
    assert answer.status_code == 202, answer.text
