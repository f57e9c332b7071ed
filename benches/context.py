"""From the opening of a record to the event at fifty followers, beside a bare WebSocket echo.

    python benches/context.py [EVENTS]

One run, one embedded server with fsync, granian in this process: each event is kept, notified, read
back, decided and traced for each follower. Prints p50 and p95 of the delay until a follower has it
and until the last one has, and their ratio to an echo of the same message to as many sockets on the
same server, in turns.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server
from harness import scratch
from websockets.asyncio.client import ClientConnection, connect

from hygie.domains.context.api.face import HubFace
from hygie.domains.context.model.events import Event
from hygie.domains.context.service import following, publishing, topics
from hygie.domains.context.service.following import Wanted
from hygie.domains.context.service.hub import Hub
from hygie.domains.context.service.topics import Topic
from hygie.kernel.api.http import Receive, Scope, Send
from hygie.kernel.security.caller import SYSTEM, Bearer, Caller, Kind
from hygie.kernel.security.limits import limit_of
from hygie.kernel.security.tokens import issue
from hygie.kernel.store import Repository, open_repository
from hygie.kernel.store.scoping import constraint
from hygie.testing.database import ScratchDatabase
from hygie.testing.law import LAW
from hygie.testing.ports import free_port

FOLLOWERS, EVENTS, PAUSE = 50, 40, 0.4
DOCTOR, PATIENTS = "Practitioner/doctor", ("one", "two")
SCOPE = ("fhircast/*.read", "user/*.rs")
MESSAGE = json.dumps({"id": str(uuid.uuid4()), "event": {"context": ["x" * 300]}})


class Face:
    """The hub, and an echo that sends what one socket says to all of them."""

    def __init__(self, hub: HubFace) -> None:
        self.hub = hub
        self.echoes: list[Send] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["path"] != "/echo":
            await self.hub(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        self.echoes.append(send)
        while (message := await receive())["type"] == "websocket.receive":
            for one in self.echoes:
                await one({"type": "websocket.send", "text": message["text"]})


async def measure(database: ScratchDatabase, events: int) -> None:
    """Print the delays."""
    port = free_port()
    settings = replace(database.settings, port=port)
    repository = await open_repository(settings, law=LAW)
    face = Face(HubFace(Hub(repository, settings.fhir_base), settings.base_url))
    server = Server(face, address="127.0.0.1", port=port, interface=Interfaces.ASGINL)
    serving = asyncio.create_task(server.serve())
    await asyncio.sleep(1)
    topic = await prepare(repository)
    place = f"ws://127.0.0.1:{port}"
    secrets = [await subscribe(repository, topic) for _ in range(FOLLOWERS)]
    async with sockets(f"{place}/fhircast/ws/{one}" for one in secrets) as tools:
        await asyncio.gather(*(one.recv() for one in tools))
        async with sockets(f"{place}/echo" for _ in range(FOLLOWERS)) as echoes:
            told = await turns(repository, topic, tools, echoes, events=events)
    report(*told)
    await face.hub.close()
    server.stop()  # type: ignore[no-untyped-call]  # granian has no types
    await serving
    await repository.database.close()


async def turns(
    repository: Repository,
    topic: Topic,
    tools: list[ClientConnection],
    echoes: list[ClientConnection],
    *,
    events: int,
) -> tuple[list[list[float]], list[list[float]]]:
    """Return the delays of each follower, in milliseconds, of the hub and of the echo."""
    hub, echo = [], []
    for number in range(events):
        patient = PATIENTS[number % 2]
        event = Event(str(uuid.uuid4()), "Patient-open", datetime.now(UTC), {"patient": patient})
        begun = time.perf_counter()
        waiting = asyncio.gather(*(heard(one, begun) for one in tools))
        await publishing.publish(repository.database, topic, event)
        hub.append(await waiting)
        begun = time.perf_counter()
        waiting = asyncio.gather(*(heard(one, begun) for one in echoes))
        await echoes[0].send(MESSAGE)
        echo.append(await waiting)
        await asyncio.sleep(PAUSE)
    return hub, echo


async def heard(socket: ClientConnection, begun: float) -> float:
    """Return when a socket hears, answering what wants an answer; milliseconds since ``begun``."""
    told: dict[str, Any] = json.loads(await socket.recv())
    delay = (time.perf_counter() - begun) * 1000
    if "timestamp" in told:
        await socket.send(json.dumps({"id": told["id"], "status": "200"}))
    return delay


def report(hub: list[list[float]], echo: list[list[float]]) -> None:
    """Print percentiles and ratios."""
    print(f"{FOLLOWERS} followers, {len(hub)} events, milliseconds")
    for name, pick in (("a follower", every), ("the last", worst)):
        ours, bare = pick(hub), pick(echo)
        for share in (50, 95):
            one, other = percentile(ours, share), percentile(bare, share)
            print(f"  {name} p{share}: {one:.1f}, bare echo {other:.1f}, ratio {one / other:.1f}")


def every(rows: list[list[float]]) -> list[float]:
    """Return all of them."""
    return [delay for row in rows for delay in row]


def worst(rows: list[list[float]]) -> list[float]:
    """Return the slowest of each event."""
    return [max(row) for row in rows]


def percentile(values: list[float], share: int) -> float:
    """Return a percentile."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


async def prepare(repository: Repository) -> Topic:
    """Write two patients and their doctor; return the topic of the doctor's session."""
    for name in PATIENTS:
        body = json.dumps({"resourceType": "Patient", "id": name}).encode()
        await repository.update(SYSTEM, "Patient", name, body)
    return await topics.open_topic(repository.database, uuid.uuid4(), DOCTOR)


async def subscribe(repository: Repository, topic: Topic) -> str:
    """Return the secret of a subscription with a token of its own."""
    limit = limit_of("bench", SCOPE, patient=None, constraint=constraint)
    caller = Caller(Kind.SYSTEM, 0, DOCTOR, limit=limit)
    valid = timedelta(minutes=30)
    async with repository.database.connection() as connection:
        token = await issue(connection, caller, at=datetime.now(UTC), valid=valid)
    until = datetime.now(UTC) + valid
    wanted = Wanted(["Patient-open"], until, Bearer.from_token(token), f"bench-{uuid.uuid4()}")
    return await following.follow(repository.database, topic, wanted)


@contextlib.asynccontextmanager
async def sockets(addresses: Iterable[str]) -> AsyncIterator[list[ClientConnection]]:
    """Give open connections."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(connect(one)) for one in addresses]


def main() -> None:
    """Run."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    # The limit of one session is for people; the bench stands for several sessions at once.
    setattr(following, "FOLLOWERS", FOLLOWERS)  # noqa: B010  no name that is exported
    with scratch() as (database, _):
        asyncio.run(measure(database, events))


if __name__ == "__main__":
    main()
