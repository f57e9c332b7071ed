"""Keep what is kept for as long as it serves, and no longer."""

from __future__ import annotations

from datetime import timedelta

from hygie.domains.authorization.orm import Asked, Ciba, Code, Family, Launch, Refresh, Used, Visit
from hygie.domains.authorization.service import signing
from hygie.domains.authorization.service.places import now

REMEMBERED = timedelta(days=1)
"""How long a used code or token is kept after it expired, to notice that it comes back."""


def rotate() -> int:
    """Make the next signing keys where it is time; return how many."""
    return signing.rotate(now())


def forget() -> int:
    """Forget what expired; return how many rows."""
    before = now() - REMEMBERED
    gone = 0
    for model in (Asked, Launch, Ciba, Code, Refresh, Used, Visit):
        gone += model.objects.filter(expires__lt=before).delete()[0]
    return gone + Family.objects.filter(until__lt=before).delete()[0]
