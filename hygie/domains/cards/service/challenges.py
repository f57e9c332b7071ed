"""Challenges that a terminal gave: short-lived, answered once, by a card shown to that terminal.

The terminal is one browser of one account: what was presented to another one is worth nothing here.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

from django.utils import timezone

from hygie.domains.cards.model.presentation import Asked
from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.tables import lasts
from hygie.domains.cards.orm import Challenge
from hygie.domains.cards.service.attempts import digest

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

TERMINAL = "hygie_card_terminal"
"""Where the session keeps what makes this browser a terminal."""
_RANDOM = 10


def give(request: HttpRequest) -> Asked:
    """Give a new challenge to the terminal of a session."""
    now = timezone.now()
    Challenge.objects.filter(expires__lt=now).delete()
    secret = request.session.setdefault(TERMINAL, secrets.token_urlsafe(32))
    challenge = base64.b32encode(secrets.token_bytes(_RANDOM)).decode()
    Challenge.objects.create(
        digest=digest(challenge),
        terminal=digest(secret),
        account_id=request.user.pk or 0,
        expires=now + lasts("challenge", now.date()),
    )
    return Asked(challenge, name_of(secret), now)


def check_waits(request: HttpRequest, challenge: str) -> Asked:
    """Return what was asked, where this terminal still waits for it.

    Raises:
        CardRefused: this terminal does not wait for it, or no more.
    """
    if not _mine(request, challenge).exists():
        raise CardRefused(Why.OVER)
    return Asked(challenge, name_of(request.session[TERMINAL]), timezone.now())


def close(request: HttpRequest, challenge: str) -> None:
    """Close a challenge that was answered; of two answers to one challenge, one is heard.

    Raises:
        CardRefused: it was answered already.
    """
    deleted, _ = _mine(request, challenge).delete()
    if not deleted:
        raise CardRefused(Why.OVER)


def name_of(secret: str) -> str:
    """Return the name under which cards know a terminal."""
    return hashlib.sha256(b"terminal " + secret.encode()).hexdigest()[:16].upper()


def _mine(request: HttpRequest, challenge: str) -> QuerySet[Challenge]:
    return Challenge.objects.filter(
        digest=digest(challenge),
        terminal=digest(request.session.get(TERMINAL, "")),
        account_id=request.user.pk,
        expires__gte=timezone.now(),
    )
