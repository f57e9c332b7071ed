"""What is asked of the hub over HTTP: subscribe, unsubscribe, change the context, read it.

Source: FHIRcast 3.0.0, sections 2.4, 2.6 and 2.9. Webhooks are refused: Hygie calls nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from hygie.domains.context.model import messages
from hygie.domains.context.model.events import EVENTS, SYNC_ERROR, allows, check_may_send, granted
from hygie.domains.context.service import following, publishing, showing, topics
from hygie.domains.context.service.following import Wanted
from hygie.kernel.api.http import HttpRequest
from hygie.kernel.errors import (
    Forbidden,
    InvalidRequest,
    NotSupported,
    Unauthenticated,
    UnsupportedMediaType,
)
from hygie.kernel.security.caller import Bearer
from hygie.kernel.store.pairs import read_pairs

if TYPE_CHECKING:
    from hygie.domains.context.model.events import Event
    from hygie.domains.context.model.messages import Json
    from hygie.domains.context.service.hub import Hub
    from hygie.domains.context.service.topics import Topic
    from hygie.kernel.security.tokens import TokenFacts

FORM = "application/x-www-form-urlencoded"
JSON = ("application/json", "application/fhir+json")
LONGEST_NAME = 80


def described() -> Json:
    """Return what the hub says of itself."""
    return messages.configuration()


async def post(hub: Hub, request: HttpRequest, named: str, sockets: str) -> Json | None:
    """Take a subscription (a form) or an event (JSON); ``named`` is the topic of the path.

    Raises:
        HygieError: the request is refused; the sentence says what to do.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        return await _subscription(hub, request, sockets)
    if kind in JSON:
        await _event(hub, request, named)
        return None
    raise UnsupportedMediaType(f"Send a subscription as {FORM}, an event as {JSON[1]}.")


async def current(hub: Hub, request: HttpRequest, name: str) -> Json:
    """Return the newest opening that stands and that the token may hear of."""
    bearer = _bearer(request)
    async with hub.repository.database.connection() as connection:
        topic, facts = await topics.find(connection, name, bearer)
        held = await publishing.held_in(connection, topic.num)
    heard = [name for name in EVENTS if allows(facts.scope, name, "read")]
    if not heard:
        raise Forbidden("Your token has no scope for this; ask for fhircast/Patient-open.read.")
    event = next((one for each in reversed(held) if (one := each.within(heard))), None)
    if event is None:
        return messages.current(None, [])
    context = await showing.context_for(hub.repository, bearer, event, base=hub.base)
    return messages.current(event if context is not None else None, context or [])


async def _subscription(hub: Hub, request: HttpRequest, sockets: str) -> Json:
    form = _form(request.body)
    if form.get("hub.channel.type") != "websocket":
        raise NotSupported("The hub tells by hub.channel.type=websocket; it calls no webhook.")
    bearer = _bearer(request)
    secret = form.get("hub.channel.endpoint", "").strip().removeprefix(sockets)
    async with hub.repository.database.connection() as connection:
        topic, facts = await topics.find(connection, form.get("hub.topic", ""), bearer)
        if form.get("hub.mode") == "unsubscribe":
            await following.stop(connection, topic, secret, facts.client)
            return {"hub.channel.endpoint": f"{sockets}{secret}"}
        if form.get("hub.mode") != "subscribe":
            raise InvalidRequest("hub.mode is subscribe or unsubscribe.")
        wanted = _wanted(form, facts, bearer)
        if secret:
            await following.renew(connection, topic, secret, wanted)
    secret = secret or await following.follow(hub.repository.database, topic, wanted)
    return {"hub.channel.endpoint": f"{sockets}{secret}"}


def _wanted(form: dict[str, str], facts: TokenFacts, bearer: Bearer) -> Wanted:
    return Wanted(
        granted(form.get("hub.events", ""), facts.scope),
        facts.expires,
        bearer,
        facts.client,
        _printed(form.get("subscriber.name", "")),
    )


def _form(body: bytes) -> dict[str, str]:
    pairs = read_pairs(body.decode("latin-1"))
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequest("Send each parameter once.")
    return form


def _printed(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:LONGEST_NAME]


async def _event(hub: Hub, request: HttpRequest, named: str) -> None:
    try:
        told = msgspec.json.decode(request.body)
    except msgspec.DecodeError as wrong:
        raise InvalidRequest("The body is no JSON.") from wrong
    name, event = messages.read_request(told)
    if named and named != name:
        raise InvalidRequest("hub.topic is not the topic of the address.")
    bearer = _bearer(request)
    async with hub.repository.database.connection() as connection:
        topic, facts = await topics.find(connection, name, bearer)
    check_may_send(event.name, facts.scope)
    if event.focus:
        await showing.resources(hub.repository, bearer, event)
    if event.name == SYNC_ERROR:
        why = f"{facts.client} does not follow"
        about = {**event.subjects, "subscriber": facts.client, "why": why}
        event = replace(event, subjects=about)
    await _publish(hub, topic, replace(event, sender=facts.client))


async def _publish(hub: Hub, topic: Topic, event: Event) -> None:
    await publishing.publish(hub.repository.database, topic, event)


def _bearer(request: HttpRequest) -> Bearer:
    access = request.access
    if not isinstance(access, Bearer):
        raise Unauthenticated("Send a bearer token in the Authorization header.")
    return access
