"""Keep each portal to its people, and turn refusals into pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from hygie.kernel.errors import HygieError, Unauthenticated
from hygie.kernel.web.acting import acting_of
from hygie.kernel.web.authentication import level_of, proofs_of, required_level
from hygie.kernel.web.bridge import platform
from hygie.kernel.web.caller import Account, account_of

log = logging.getLogger(__name__)
Respond = Callable[[HttpRequest], HttpResponse]
SERVER_FAULT = 500


class portals:  # noqa: N801  named as Django lists middleware
    """Let only the accounts of a portal into its pages; everybody into the public ones."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; pages of a portal are never kept by a shared cache."""
        response = self._respond(request)
        if request.resolver_match and request.resolver_match.namespaces:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Send strangers to the sign-in page and the others to where they belong."""
        match = request.resolver_match
        if match is None or not match.namespaces:
            return None
        account = account_of(request)
        if account is None:
            return _to_sign_in(request)
        # Who acts for a person enters that person's portal, and ``keeping`` holds them there.
        helping = match.namespaces[0] == "patient" and acting_of(request) is not None
        if account.portal() != match.namespaces[0] and not helping:
            return refusal(request, 403)
        return None if _is_strong_enough(request, account) else _to_strengthen(request)


class refusals:  # noqa: N801  named as Django lists middleware
    """Answer an expected refusal with a page that says what to do, in the reader's language."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self._respond(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page of a HygieError; leave anything else to Django."""
        if isinstance(error, Unauthenticated):
            return _to_sign_in(request)
        if not isinstance(error, HygieError):
            return None
        log.info("page.refused", extra={"status": error.status, "error": type(error).__name__})
        return refusal(request, error.status)


def refusal(request: HttpRequest, status: int) -> HttpResponse:
    """Return the page that says why the request was refused and what to do."""
    return render(request, "refusal.html", {"status": status}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that Django refuses to read."""
    del exception
    return refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a request that is not allowed."""
    del exception
    return refusal(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer an address that leads nowhere."""
    del exception
    return refusal(request, 404)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without its token: forged, or left open for too long."""
    log.info("page.forged", extra={"reason": reason})
    return refusal(request, 403)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer who tried too often (allauth looks for ``handler429``)."""
    del exception
    return refusal(request, 429)


def broken(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer after an unexpected fault, which Django has logged.

    The page is made for nobody in particular: looking up the account may be what failed.
    """
    from django.contrib.auth.models import AnonymousUser  # noqa: PLC0415  after configure

    request.user = AnonymousUser()
    return refusal(request, SERVER_FAULT)


def _is_strong_enough(request: HttpRequest, account: Account) -> bool:
    """Tell whether the session proved what the portal of the account asks in this realm."""
    asked = required_level(
        account.kind, realm=platform().settings.identities, at=timezone.localdate()
    )
    return max(1, level_of(proofs_of(request))) >= asked


def _to_strengthen(request: HttpRequest) -> HttpResponse:
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_strengthen')}?{back}")


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_login')}?{back}")
