"""Devices that signed in before: a signed cookie that says of which accounts, and nothing else.

It opens nothing. It gives a person's own device a count of failed passwords that strangers cannot
use up (OWASP, device cookies).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.core import signing

from hygie.kernel.web.stepping_up import is_shared

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from hygie.domains.sign_in.orm import User

COOKIE = "hygie_device"
SALT = "hygie.device"
LASTS = 180 * 24 * 3600
"""Seconds."""
MOST = 8
"""Accounts that one device remembers."""
_WRITTEN = "_hygie_device"


def known(request: HttpRequest, account: User | None) -> str:
    """Return the name of a device where ``account`` signed in before, else an empty text."""
    kept = _read(request)
    return str(kept["id"]) if account is not None and account.pk in kept["accounts"] else ""


def is_remembering(request: HttpRequest) -> bool:
    """Tell whether the device may keep something: a shared computer never does."""
    return not is_shared(request)


def remember(request: HttpRequest, account: User) -> None:
    """Let the answer to this request carry the cookie."""
    if not is_remembering(request):
        return
    kept = _read(request)
    accounts = [*[one for one in kept["accounts"] if one != account.pk], account.pk][-MOST:]
    setattr(request, _WRITTEN, {"id": kept["id"], "accounts": accounts})


def write(request: HttpRequest, response: HttpResponse) -> None:
    """Add the cookie to an answer, where something is to be remembered."""
    kept = getattr(request, _WRITTEN, None)
    if kept is not None:
        response.set_cookie(
            COOKIE,
            signing.dumps(kept, salt=SALT),
            max_age=LASTS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
            path="/sign-in/",
        )


def _read(request: HttpRequest) -> dict[str, Any]:
    nobody: dict[str, Any] = {"id": secrets.token_hex(8), "accounts": []}
    try:
        read: dict[str, Any] = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS
        )
    except signing.BadSignature:
        return nobody
    return read
