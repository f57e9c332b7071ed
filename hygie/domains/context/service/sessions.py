"""The session of a professional's pages as a source of context, for the pages (synchronous)."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hygie.domains.context.model.events import HIBERNATE, Event
from hygie.domains.context.model.rules import LEASE
from hygie.domains.context.service import following, publishing, topics
from hygie.domains.context.service.following import Wanted
from hygie.kernel.errors import Conflict, HygieError
from hygie.kernel.web.bridge import ask, platform, repository
from hygie.kernel.web.visits import known_visit, visit_name

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.kernel.platform import Granted

log = logging.getLogger(__name__)
WORD = "fhircast/"
HUB = "/fhircast"
BY_PAGES = ("Patient-open", "Patient-close", "UserLogout")


def listen() -> None:
    """Hear of every sign-out."""
    from django.contrib.auth.signals import user_logged_out  # noqa: PLC0415  after configure

    user_logged_out.connect(_over, dispatch_uid="context.sessions")


def launch_context(granted: Granted) -> dict[str, Any]:
    """Return ``hub.url`` and ``hub.topic`` for a consent with a scope of FHIRcast.

    Source: FHIRcast 3.0.0, section 2.1, "Session Discovery". A session that is over gives none.
    """
    if not any(word.startswith(WORD) for word in granted.scope):
        return {}
    return ask(_admit(granted))


async def _admit(granted: Granted) -> dict[str, Any]:
    database = repository().database
    try:
        topic = await topics.open_topic(database, granted.visit, granted.subject)
    except HygieError:
        return {}
    await topics.admit(database, topic, granted.family)
    return {"hub.url": f"{platform().settings.base_url}{HUB}", "hub.topic": topic.name}


def open_patient(request: HttpRequest, owner: str, patient: str) -> None:
    """Say that a record was opened on the pages."""
    event = _of_pages("Patient-open", {"patient": patient})
    ask(_publish(visit_name(request), owner, event, anew=False))


def close_patient(request: HttpRequest, owner: str, patient: str) -> None:
    """Say that a record was closed on the pages."""
    _say(request, owner, _of_pages("Patient-close", {"patient": patient}))


def hibernate(request: HttpRequest, owner: str) -> None:
    """Say that the workstation was locked."""
    _say(request, owner, _of_pages(HIBERNATE, {}))


def _say(request: HttpRequest, owner: str, event: Event) -> None:
    visit = known_visit(request)
    if visit is not None:
        ask(_publish(visit, owner, event))


def _of_pages(name: str, subjects: dict[str, str]) -> Event:
    return Event(str(uuid.uuid4()), name, datetime.now(UTC), subjects)


async def _publish(visit: uuid.UUID, owner: str, event: Event, *, anew: bool = True) -> None:
    database = repository().database
    try:
        topic = await topics.open_topic(database, visit, owner)
        await publishing.publish(database, topic, event, anew=anew)
    except Conflict:
        # A tool whose clock is ahead of ours, by seconds, has opened another record meanwhile.
        log.info("context.newer_stands")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a session shares now.

    Attributes:
        newest: the opening that stands and came last, None for none.
        tools: the names of the applications that follow.
    """

    newest: Event | None = None
    tools: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> Event | None:
        """Return what another tool opened last, None where these pages did."""
        return self.newest if self.newest is not None and self.newest.sender else None


def shared(request: HttpRequest, owner: str) -> Shared:
    """Return what this session shares with the tools of its person."""
    visit = known_visit(request)
    return Shared() if visit is None else ask(_shared(visit, owner))


async def _shared(visit: uuid.UUID, owner: str) -> Shared:
    topic = await topics.known_topic(repository().database, visit, owner)
    if topic is None:
        return Shared()
    async with repository().database.connection() as connection:
        held = await publishing.held_in(connection, topic.num)
        followers = (await following.of_topic(connection, topic.num)).values()
    now = datetime.now(UTC)
    apps = [one for one in followers if one.bearer is not None and one.expires > now]
    tools = dict.fromkeys(one.name or one.client for one in apps)
    return Shared(held[-1] if held else None, tuple(tools))


def follow(request: HttpRequest, owner: str) -> str:
    """Return the path where a page hears that something was opened elsewhere; empty for nowhere.

    It is told that something happened, not what: the page then asks as who is signed in.
    """
    visit = known_visit(request)
    secret = "" if visit is None else ask(_follow(visit, owner))
    return f"{HUB}/ws/{secret}" if secret else ""


async def _follow(visit: uuid.UUID, owner: str) -> str:
    database = repository().database
    topic = await topics.known_topic(database, visit, owner)
    if topic is None:
        return ""
    return await following.follow(database, topic, Wanted(BY_PAGES, datetime.now(UTC) + LEASE))


def _over(request: HttpRequest | None, **_: Any) -> None:
    """End the context of a session that its person ends."""
    visit = known_visit(request) if request is not None and hasattr(request, "session") else None
    if visit is not None:
        try:
            ask(topics.end_topic(repository().database, visit))
        except HygieError:
            log.warning("context.not_ended")
