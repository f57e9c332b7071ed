"""Sign-ins by card that have begun: bound to one browser, proven elsewhere, redeemed once here.

The listener is another origin, so it cannot open the session: it hands over a ticket that is worth
something in the browser that asked, and only there. Rows hold digests; the row goes in the
statement that redeems it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.tables import lasts
from hygie.domains.cards.orm import Attempt

if TYPE_CHECKING:
    from django.http import HttpRequest

BROWSER = "hygie_card_browser"
"""Where the session of the browser keeps its half."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the listener read from the card, and where to go after."""

    number: str
    rpps: str
    profession: str
    serial: str
    back: str


def begin(request: HttpRequest, *, back: str) -> str:
    """Begin a sign-in; return the state that goes to the listener in an address."""
    now = timezone.now()
    Attempt.objects.filter(expires__lt=now).delete()
    state = secrets.token_urlsafe(32)
    mine = request.session.setdefault(BROWSER, secrets.token_urlsafe(32))
    Attempt.objects.create(
        state=digest(state),
        browser=digest(mine),
        back=back,
        expires=now + lasts("attempt", now.date()),
    )
    return state


def hand_over(state: str, told: dict[str, str]) -> str:
    """Keep what a card proved and return the ticket; for a proxy, that asks in the same process.

    Raises:
        CardRefused: no sign-in that still waits has this state.
    """
    now, ticket = timezone.now(), secrets.token_urlsafe(32)
    waiting = Attempt.objects.filter(state=digest(state), ticket=None, expires__gte=now)
    kept = waiting.update(
        ticket=digest(ticket), ticket_expires=now + lasts("ticket", now.date()), proven=told
    )
    if not kept:
        raise CardRefused(Why.OVER)
    return ticket


def redeem(request: HttpRequest, ticket: str) -> Proven:
    """Return what a ticket stands for; it is worth nothing afterwards.

    Raises:
        CardRefused: it was used, is too old, or belongs to another browser.
    """
    mine = request.session.get(BROWSER, "")
    found = Attempt.objects.filter(
        ticket=digest(ticket), browser=digest(mine), ticket_expires__gte=timezone.now()
    ).first()
    if not ticket or not mine or found is None:
        raise CardRefused(Why.OVER)
    deleted, _ = Attempt.objects.filter(pk=found.pk).delete()
    if not deleted:
        raise CardRefused(Why.OVER)
    told: dict[str, Any] = found.proven
    return Proven(told["number"], told["rpps"], told["profession"], told["serial"], found.back)


def digest(text: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(text.encode()).digest()
