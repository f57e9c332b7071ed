"""Tools that follow a context (FHIRcast), for tests and benches: real HTTP, real WebSockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hygie.kernel.platform import Granted
from hygie.kernel.security.caller import Bearer, Caller, Kind
from hygie.kernel.security.limits import limit_of
from hygie.kernel.security.tokens import issue, revoke
from hygie.kernel.store.scoping import constraint
from hygie.testing.stories import HELENE

if TYPE_CHECKING:
    from hygie.kernel.store import Repository
    from hygie.testing.portal import Site

Json = dict[str, Any]
T = TypeVar("T")
ALL = ("fhircast/*.read", "fhircast/*.write", "user/*.rs")
PATIENTS = "Patient-open,Patient-close"
PATIENCE = 10.0


@dataclass
class Desk:
    """The session of a professional, and the addresses of the hub it is told to."""

    site: Site
    owner: str = f"Practitioner/{HELENE}"
    visit: uuid.UUID = field(default_factory=uuid.uuid4)
    address: str = ""
    followers: list[Follower] = field(default_factory=list)

    @property
    def hub(self) -> str:
        """Return the address of the hub."""
        return f"{self.address or self.site.platform.settings.base_url}/fhircast"

    async def topic(self) -> str:
        """Return the topic of the session."""
        topics = import_module("hygie.domains.context.service.topics")
        found = await self.run(topics.open_topic(self._records.database, self.visit, self.owner))
        return str(found.name)

    async def token(
        self, *scope: str, patient: str = "", valid: float = 600, client: str = "viewer"
    ) -> str:
        """Return the token of an application that this session let in."""
        family = uuid.uuid4()
        sessions = import_module("hygie.domains.context.service.sessions")
        granted = Granted(self.visit, family, self.owner, scope or ALL)
        await asyncio.to_thread(sessions.launch_context, granted)
        seconds = timedelta(seconds=valid)
        return await self.run(
            self._issue(scope or ALL, family, patient=patient, valid=seconds, client=client)
        )

    async def _issue(
        self,
        scope: tuple[str, ...],
        family: uuid.UUID,
        *,
        patient: str,
        valid: timedelta,
        client: str,
    ) -> str:
        records = self._records
        number = await records.party_number(self.owner)
        about = await records.party_number(f"Patient/{patient}") if patient else None
        limit = limit_of(client, scope, patient=about, constraint=constraint)
        caller = Caller(Kind.PROFESSIONAL, number, self.owner)
        async with records.database.connection() as connection:
            at = datetime.now(UTC)
            asker = replace(caller, limit=limit)
            return await issue(connection, asker, at=at, valid=valid, family=family)

    async def revoke(self, token: str) -> None:
        """Take a token back."""
        await self.run(self._revoke(token))

    async def _revoke(self, token: str) -> None:
        async with self._records.database.connection() as connection:
            await revoke(connection, Bearer.from_token(token))

    @property
    def _records(self) -> Repository:
        found = self.site.platform.repository
        if found is None:
            raise RuntimeError("the site is not open")
        return found

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work of the engine on its own loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.site.loop))

    async def subscribe(
        self, token: str, events: str = PATIENTS, **changed: str
    ) -> requests.Response:
        """Ask for a subscription; a name with underscores stands for one with dots."""
        form = {
            "hub.channel.type": "websocket",
            "hub.mode": "subscribe",
            "hub.topic": await self.topic(),
            "hub.events": events,
        } | {name.replace("_", "."): value for name, value in changed.items()}
        return await self.post(token, data=form)

    async def follow(self, token: str = "", events: str = PATIENTS, **changed: str) -> Follower:
        """Return a connected follower whose subscription is confirmed."""
        token = token or await self.token()
        answer = await self.subscribe(token, events, **changed)
        answer.raise_for_status()
        return await self.connect(answer.json()["hub.channel.endpoint"])

    async def connect(self, endpoint: str) -> Follower:
        """Connect to the address of a subscription."""
        found = await Follower.connect(endpoint)
        self.followers.append(found)
        return found

    async def close(self) -> None:
        """Close every connection."""
        for one in self.followers:
            await one.close()

    async def send(self, token: str, name: str, *, id: str = "", **ids: str) -> requests.Response:  # noqa: A002
        """Ask for a change of context; ``patient="x"`` names resources by key."""
        event = await self.event(name, id=id, **ids)
        return await self.post(token, json=event)

    async def send_anyhow(self, token: str, name: str, **ids: str) -> None:
        """Ask for a change of context until a server answers: one may have just died."""
        event = await self.event(name, **ids)
        for _ in range(100):
            try:
                answer = await self.post(token, json=event)
            except requests.ConnectionError:
                await asyncio.sleep(0.1)
            else:
                answer.raise_for_status()
                return

    async def event(self, name: str, *, id: str = "", at: str = "", **ids: str) -> Json:  # noqa: A002
        """Return a request to change the context."""
        types = import_module("hygie.domains.context.model.events").TYPES
        context = [
            {"key": key, "resource": {"resourceType": types[key], "id": rid}}
            for key, rid in ids.items()
        ]
        return {
            "timestamp": at or datetime.now(UTC).isoformat(),
            "id": id or secrets.token_hex(8),
            "event": {"hub.topic": await self.topic(), "hub.event": name, "context": context},
        }

    async def post(self, token: str, **sent: Any) -> requests.Response:
        """Send something to the hub."""
        headers = {"authorization": f"Bearer {token}"}
        return await asyncio.to_thread(
            requests.post, self.hub, headers=headers, timeout=PATIENCE, **sent
        )

    async def current(self, token: str) -> requests.Response:
        """Ask for the current context."""
        return await self.current_of(token, await self.topic())

    async def current_of(self, token: str, topic: str) -> requests.Response:
        """Ask for the current context of a topic."""
        headers = {"authorization": f"Bearer {token}"}
        place = f"{self.hub}/{topic}"
        return await asyncio.to_thread(requests.get, place, headers=headers, timeout=PATIENCE)


@dataclass
class Follower:
    """One connected tool."""

    socket: ClientConnection
    endpoint: str
    confirmed: Json

    @classmethod
    async def connect(cls, endpoint: str) -> Follower:
        """Connect to the address of a subscription and read its confirmation."""
        socket = await connect(endpoint)
        told = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        return cls(socket, endpoint, told)

    async def next(self, within: float = PATIENCE, *, status: int = 200) -> Json:
        """Return the next message; a notification is answered with ``status``, 0 for none."""
        told: Json = json.loads(await asyncio.wait_for(self.socket.recv(), within))
        if "event" in told and status:
            # The hub may close at once after the last event of a session.
            with contextlib.suppress(ConnectionClosed):
                await self.socket.send(json.dumps({"id": told["id"], "status": str(status)}))
        return told

    async def patient(self, within: float = PATIENCE) -> tuple[str, str]:
        """Return the next event and the id of its Patient."""
        event = (await self.next(within))["event"]
        told = {one["key"]: one["resource"]["id"] for one in event["context"]}
        return event["hub.event"], told.get("patient", "")

    async def hears_nothing(self, within: float = 0.7) -> bool:
        """Tell whether nothing comes for a moment."""
        try:
            await self.next(within)
        except TimeoutError:
            return True
        return False

    async def closed(self, within: float = PATIENCE) -> int:
        """Return the code with which the hub closes, whatever it says before."""
        try:
            while True:
                await self.next(within)
        except ConnectionClosed as over:
            return over.rcvd.code if over.rcvd else 1006

    async def close(self) -> None:
        """Say goodbye."""
        await self.socket.close()
