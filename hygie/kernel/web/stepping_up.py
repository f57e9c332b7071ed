"""Ask the password again before a sensitive act."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

FRESH = 300.0
"""Seconds for which a password that was given opens sensitive acts."""


def confirm_identity(request: HttpRequest) -> HttpResponse | None:
    """Return the page that asks the password again, None where it was given a moment ago.

    Signing in gives it as well: whoever has just signed in is not asked twice, and the first visit
    goes on without a halt. Five minutes later every sensitive act asks, the first visit too.
    """
    if was_given(request, now=time.time()):
        return None
    again = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_reauthenticate')}?{again}")


def was_given(request: HttpRequest, *, now: float) -> bool:
    """Say whether this session gave the password within ``FRESH`` seconds of ``now``.

    ``now`` is in seconds since 1970. What a session recorded for a former account does not count,
    nor does a sign-in by any other means than the password.
    """
    # The sign-in library cannot be imported before Django is configured.
    from allauth.account.authentication import get_authentication_records  # noqa: PLC0415

    if not request.user.is_authenticated:
        return False
    records = get_authentication_records(request, request.user)
    given = [one["at"] for one in records if one.get("method") == "password"]
    return bool(given) and 0 <= now - max(given) < FRESH
