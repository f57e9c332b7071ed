"""Sign out at the provider too: FranceConnect and Pro Santé Connect ask it of their clients.

The ID token that names the session at the provider is kept sealed in our session, and taken out
when somebody signs out. RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_out

from hygie.domains.federation.service.openid.client import Proven
from hygie.domains.federation.service.sealing import seal, unseal
from hygie.kernel.errors import InvalidRequest

if TYPE_CHECKING:
    from django.http import HttpRequest

SESSION, LEAVING = "hygie_outside_session", "hygie_outside_leaving"


def keep(request: HttpRequest, proven: Proven) -> None:
    """Keep what names the session at the provider, until the sign-out."""
    kept = [proven.provider.name, proven.id_token]
    request.session[SESSION] = seal(kept, reader="session")


def listen() -> None:
    """Hear of every sign-out."""
    user_logged_out.connect(_hand_over, dispatch_uid="federation.leaving")


def _hand_over(request: HttpRequest, **_: Any) -> None:
    """Set aside the provider's session: the session of this browser is emptied right after."""
    kept = request.session.get(SESSION) if request is not None else None
    if kept:
        request.hygie_left = kept  # type: ignore[attr-defined]


def begin_leaving(request: HttpRequest) -> None:
    """Carry it over to the new, empty session, where the page of sign-out looks for it."""
    kept = getattr(request, "hygie_left", None)
    if kept:
        request.session[LEAVING] = kept


def take(request: HttpRequest) -> tuple[str, str, str] | None:
    """Return provider, ID token and a state for the sign-out at the provider, once."""
    kept = request.session.pop(LEAVING, None)
    if not kept:
        return None
    try:
        name, token = unseal(kept, reader="session")
    except InvalidRequest:
        return None
    return name, token, secrets.token_urlsafe(24)
