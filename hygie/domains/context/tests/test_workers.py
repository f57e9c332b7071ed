"""Several workers, one context: what one takes, the followers of the other hear."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil
import psycopg
import pytest
import requests
from websockets.exceptions import ConnectionClosed

from hygie.testing.followers import Desk, Follower
from hygie.testing.portal import Site
from hygie.testing.ports import free_port
from hygie.testing.stories import NORA, PAUL

TOOLS = 8


@dataclass
class Workers:
    """A served hub."""

    process: psutil.Process
    address: str

    def pids(self) -> list[int]:
        """Return the workers, without granian's own helpers."""
        return [one.pid for one in self.process.children() if one.status() != "zombie"]


@pytest.fixture(scope="module")
async def workers(site: Site) -> AsyncIterator[Workers]:
    """Give the hub in two processes, on the database of the site."""
    settings, port = site.platform.settings, free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HYGIE_APPLICATION": "hygie.testing.hub_workers:application",
        "HYGIE_DATABASE_URL": settings.database_url,
        "HYGIE_DATA": str(settings.data),
        "HYGIE_PORT": str(port),
        "HYGIE_WORKERS": "2",
    }
    serving = subprocess.Popen(  # noqa: ASYNC220  our own server, ended below
        [sys.executable, "-m", "hygie.supervisor.serving"], env=environment
    )
    found = Workers(psutil.Process(serving.pid), f"http://127.0.0.1:{port}")
    await _ready(found)
    yield found
    serving.terminate()
    await asyncio.to_thread(serving.wait, 20)


async def _ready(workers: Workers) -> None:
    place = f"{workers.address}/fhircast/.well-known/fhircast-configuration"
    for _ in range(200):
        try:
            if (await asyncio.to_thread(requests.get, place, timeout=2)).ok:
                return
        except requests.ConnectionError:
            await asyncio.sleep(0.1)
    pytest.fail("the workers do not answer")


@pytest.fixture
async def spread(site: Site, workers: Workers) -> AsyncIterator[Desk]:
    """Give a session whose tools connect to the workers."""
    desk = Desk(site, address=workers.address)
    yield desk
    await desk.close()


async def test_followers_of_every_worker_hear_what_one_took(spread: Desk) -> None:
    token = await spread.token()
    tools = [await spread.follow(token) for _ in range(TOOLS)]
    answer = await spread.send(token, "Patient-open", patient=NORA)
    assert answer.status_code == 202, answer.text
    assert [await one.patient() for one in tools] == [("Patient-open", NORA)] * TOOLS


async def test_what_the_pages_publish_reaches_the_workers(spread: Desk) -> None:
    from hygie.domains.context.service import sessions

    tool = await spread.follow()
    event = sessions._of_pages("Patient-open", {"patient": PAUL})
    await spread.run(sessions._publish(spread.visit, spread.owner, event))
    assert await tool.patient() == ("Patient-open", PAUL)


async def test_nothing_is_missed_when_the_database_drops_who_listens(spread: Desk) -> None:
    token = await spread.token()
    tools = [await spread.follow(token) for _ in range(2)]
    dsn = spread.site.platform.settings.database_url
    dropped = await asyncio.to_thread(_drop_listeners, dsn)
    assert dropped >= 1
    await spread.send_anyhow(token, "Patient-open", patient=NORA)
    assert [await one.patient() for one in tools] == [("Patient-open", NORA)] * 2


def _drop_listeners(dsn: str) -> int:
    """Drop them as their own database account, which sees what they last asked."""
    with psycopg.connect(dsn) as session:
        rows = session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')"
        ).fetchall()
    return len(rows)


async def test_when_a_worker_dies_its_followers_come_back_to_the_context(
    spread: Desk, workers: Workers
) -> None:
    token = await spread.token()
    tools = [await spread.follow(token) for _ in range(TOOLS)]
    before = workers.pids()
    os.kill(before[0], signal.SIGKILL)
    await spread.send_anyhow(token, "Patient-open", patient=NORA)
    tools = [await _back(spread, one) for one in tools]
    await spread.send_anyhow(token, "Patient-open", patient=PAUL)
    assert [await _last(one) for one in tools] == [PAUL] * TOOLS


async def _back(desk: Desk, follower: Follower) -> Follower:
    """Return the follower, connected again where its worker died."""
    try:
        await follower.patient(2)
    except ConnectionClosed:
        again = await _again(desk, follower.endpoint)
        assert await again.patient() == ("Patient-open", NORA)
        return again
    return follower


async def _again(desk: Desk, endpoint: str) -> Follower:
    for _ in range(100):
        try:
            return await desk.connect(endpoint)
        except OSError:
            await asyncio.sleep(0.1)
    raise TimeoutError


async def _last(follower: Follower) -> str:
    event, patient = await follower.patient()
    assert event == "Patient-open"
    return patient
