"""Ask the password again before a sensitive act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def confirm_identity(request: HttpRequest) -> HttpResponse | None:
    """Return the page that asks the password again, None where it was given a moment ago."""
    # The sign-in library cannot be imported before Django is configured.
    from allauth.account.decorators import reauthentication_required  # noqa: PLC0415
    from allauth.core.exceptions import ReauthenticationRequired  # noqa: PLC0415

    try:
        reauthentication_required(lambda _request: None)(request)
    except ReauthenticationRequired:
        again = urlencode({"next": request.get_full_path()})
        return redirect(f"{reverse('account_reauthenticate')}?{again}")
    return None
