"""Sign out at the provider too: FranceConnect and Pro Santé Connect ask it of their clients.

The ID token that names the session at the provider is kept sealed in our session. At the sign-out
it goes, sealed, into a row that one address finds once: our session is emptied meanwhile
(OpenID Connect RP-Initiated Logout 1.0).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils import timezone

from hygie.domains.federation.orm import Begun
from hygie.domains.federation.service.attempts import LASTS
from hygie.domains.federation.service.openid.client import Proven
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from django.http import HttpRequest

SESSION = "hygie_outside_session"
READER = "session"


def keep(request: HttpRequest, proven: Proven) -> None:
    """Keep what names the session at the provider, until the sign-out."""
    request.session[SESSION] = seal([proven.provider.name, proven.id_token], reader=READER)


def departure(request: HttpRequest) -> str:
    """Return where to go on from the sign-out; empty for who came by no provider."""
    kept = request.session.get(SESSION)
    if not kept:
        return ""
    key = secrets.token_urlsafe(32)
    Begun.objects.create(
        state=_digest(key),
        browser=b"",
        provider=READER,
        sealed=kept,
        expires=timezone.now() + LASTS,
    )
    return reverse("federation_leaving", kwargs={"key": key})


def take(key: str) -> tuple[str, str]:
    """Return provider and ID token of a session that is ending, once.

    Raises:
        NotFound: there is none under this key, or no more.
    """
    rows = Begun.objects.filter(state=_digest(key), provider=READER, expires__gte=timezone.now())
    found = rows.first()
    if found is None or not rows.delete()[0]:
        raise NotFound("This sign-out is over.")
    try:
        name, token = unseal(found.sealed, reader=READER)
    except InvalidRequest as other:
        raise NotFound("This sign-out is over.") from other
    return name, token


def _digest(key: str) -> bytes:
    return hashlib.sha256(b"leaving" + key.encode()).digest()
