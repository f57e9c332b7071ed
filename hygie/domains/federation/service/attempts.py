"""Sign-ins that have begun: bound to one browser, used once, forgotten after minutes.

The state comes back in an address, so it is kept as a digest only; nonce and verifier are sealed.
A row is deleted in the statement that finds it: of two returns with one state, one is answered.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from hygie.domains.federation.orm import Begun
from hygie.domains.federation.service.openid.client import Attempt
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import Forbidden

if TYPE_CHECKING:
    from django.http import HttpRequest

BROWSER = "hygie_outside"
"""Where the session of the browser keeps its half."""
LASTS = timedelta(minutes=10)


def remember(request: HttpRequest, provider: str, attempt: Attempt, *, back: str) -> None:
    """Keep a sign-in that begins, and where to go after it."""
    now = timezone.now()
    Begun.objects.filter(expires__lt=now).delete()
    mine = request.session.setdefault(BROWSER, secrets.token_urlsafe(32))
    kept = {"nonce": attempt.nonce, "verifier": attempt.verifier, "to": attempt.redirect_uri}
    Begun.objects.create(
        state=_digest(attempt.state),
        browser=_digest(mine),
        provider=provider,
        sealed=seal({**kept, "back": back}, reader=provider),
        expires=now + LASTS,
    )


def recall(request: HttpRequest, provider: str, state: str) -> tuple[Attempt, str]:
    """Return the sign-in that a state belongs to, and where to go after it; it is over now.

    Raises:
        Forbidden: no sign-in of this browser with this provider has this state, or no more.
    """
    mine = request.session.get(BROWSER, "")
    found = Begun.objects.filter(
        state=_digest(state),
        browser=_digest(mine),
        provider=provider,
        expires__gte=timezone.now(),
    ).first()
    if not state or not mine or found is None:
        raise Forbidden("This sign-in did not begin in this browser, or it is over. Start again.")
    deleted, _ = Begun.objects.filter(pk=found.pk).delete()
    if not deleted:
        raise Forbidden("This sign-in was used already. Start again.")
    kept = unseal(found.sealed, reader=provider)
    return Attempt(state, kept["nonce"], kept["verifier"], kept["to"]), kept["back"]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
