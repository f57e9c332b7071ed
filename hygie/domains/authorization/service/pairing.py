"""The catalogue as people see it: what they paired, what it read, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from hygie.domains.authorization.model.apps import State
from hygie.domains.authorization.orm import App, Family, Pairing
from hygie.domains.authorization.service import tokens
from hygie.domains.authorization.service.places import fhir_base, now, realm
from hygie.kernel.audit.provider import AuditEvents
from hygie.kernel.clock import SystemClock
from hygie.kernel.errors import NotFound
from hygie.kernel.store.ids import key_of
from hygie.kernel.store.tracing import Request
from hygie.kernel.web.bridge import ask, platform, repository

if TYPE_CHECKING:
    from hygie.kernel.security.caller import Caller

SHOWN = "100"


@dataclass(frozen=True, slots=True)
class Access:
    """One access of an application: when, what it did, to which type, and whether it was let."""

    at: datetime
    interaction: str
    rt: str
    allowed: bool


def catalogue(account: Any) -> list[App]:
    """Return the approved applications for this kind of account, by name."""
    return list(
        App.objects.filter(state=State.APPROVED, realm=realm(), audience=account.kind).order_by(
            "name"
        )
    )


def mine(account: Any) -> list[Pairing]:
    """Return the standing pairings of an account, newest first."""
    standing = Pairing.objects.filter(account=account, ended=None, until__gt=now())
    return list(standing.select_related("app").order_by("-since"))


def find(account: Any, pk: int) -> Pairing:
    """Return a pairing of an account, ended or not.

    Raises:
        NotFound: it is nobody's, or somebody else's.
    """
    found = Pairing.objects.filter(account=account, pk=pk).select_related("app").first()
    if found is None:
        raise NotFound("There is no such pairing.")
    return found


def end(pairing: Pairing) -> None:
    """End a pairing: the next request of the application is refused."""
    with transaction.atomic():
        Pairing.objects.filter(pk=pairing.pk, ended=None).update(ended=now())
        tokens.end(Family.objects.filter(pairing=pairing, ended=None))


def accesses(caller: Caller, client: str) -> list[Access]:
    """Return what an application did, as the access log tells it to this person."""
    return ask(_accesses(caller, client))


async def _accesses(caller: Caller, client: str) -> list[Access]:
    events = AuditEvents(
        base=fhir_base(),
        key_of=key_of,
        zone=ZoneInfo(platform().settings.zone),
        clock=SystemClock(),
    )
    asked = [("altid", client), ("_count", SHOWN)]
    request = Request("search-type")
    async with repository().reading(caller, request) as reading:
        page = await events.search(reading.connection, reading.caller, asked)
        reading.seen(one.pat for one in page.events)
    return [_access(msgspec.json.decode(one.body)) for one in page.events]


def _access(event: Any) -> Access:
    objects = [
        (one.get("what") or {}).get("reference", one.get("name", ""))
        for one in event.get("entity", [])
        if one.get("role", {}).get("code") == "4"
    ]
    return Access(
        datetime.fromisoformat(event["recorded"]),
        event["subtype"][-1]["code"],
        objects[0].partition("/")[0] if objects else "",
        event["outcome"] == "0",
    )
