"""Ask again who is there before a sensitive act, as strongly as the account allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from hygie.kernel.web.authentication import FRESH as _FRESH
from hygie.kernel.web.authentication import level_of, proofs_of
from hygie.kernel.web.caller import account_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

FRESH: Final = _FRESH.total_seconds()
"""Seconds for which what was proven opens sensitive acts."""
SUBSTANTIAL = 2
SHARED = "hygie_shared"
"""Where a session keeps that it runs on a computer that others use next."""


def confirm_identity(request: HttpRequest) -> HttpResponse | None:
    """Return the page that asks who is there, None where it was proven a moment ago.

    An account that has a second factor, or that came in by a strong outside identity, proves level
    2 again; one that has a password only gives its password. Signing in counts: whoever has just
    signed in is not asked twice.
    """
    if is_confirmed(request):
        return None
    again = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_reauthenticate')}?{again}")


def is_confirmed(request: HttpRequest, *, at: datetime | None = None) -> bool:
    """Say whether the session proved within ``FRESH`` seconds of ``at`` (now) what is wanted.

    What it proved for a former account does not count.
    """
    proofs = proofs_of(request)
    fresh = level_of(proofs, at=at or datetime.now(UTC), within=_FRESH)
    return fresh >= wanted_level(request)


def wanted_level(request: HttpRequest) -> int:
    """Return the level that a sensitive act asks of the signed-in account: 1 or 2."""
    account = account_of(request)
    strong = account is not None and account.has_strong_factor()
    return SUBSTANTIAL if strong or level_of(proofs_of(request)) >= SUBSTANTIAL else 1


def is_shared(request: HttpRequest) -> bool:
    """Tell whether the session runs on a shared computer, where nothing is kept."""
    return bool(request.session.get(SHARED))
