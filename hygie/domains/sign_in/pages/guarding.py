"""Hold each session to its limits: locked or ended when nobody is there, over after a while.

A page that stays open hides itself: the Refresh header needs no JavaScript. On a shared computer
nothing is kept, and the browser is told to forget everything at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from hygie.domains.sign_in.model.sessions import Standing
from hygie.domains.sign_in.service import devices, sessions
from hygie.kernel.web.stepping_up import is_shared

FREE = frozenset(
    {"account_locked", "account_logout", "account_lock", "account_confirm_send", "set_language"}
)
"""Pages that a locked session may ask for."""
GRACE = 5
"""Seconds after the idle time before a page hides itself."""
FORGET = '"cache", "cookies", "storage"'
Respond = Callable[[HttpRequest], HttpResponse]


class sessions_guard:  # noqa: N801  named as Django lists middleware
    """Open, lock or end the session of each request."""

    def __init__(self, respond: Respond) -> None:
        self._respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and keep nothing on a shared computer."""
        began_shared = is_shared(request)
        response = self._respond(request)
        devices.write(request, response)
        if began_shared or is_shared(request):
            _keep_nothing(response)
            if began_shared and not request.user.is_authenticated and _was_entered(request):
                response.headers["Clear-Site-Data"] = FORGET
        if request.user.is_authenticated:
            _hide_when_idle(request, response)
        return response

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """Send a session that is locked, idle or over to the page that says so."""
        if not request.user.is_authenticated:
            return None
        setattr(request, _ENTERED, True)
        name = request.resolver_match.url_name if request.resolver_match else ""
        found = sessions.standing(request)
        if found is Standing.OPEN:
            if name != "account_idle":
                sessions.touch(request)
            return None
        if found in {Standing.OVER, Standing.IDLE}:
            return _ended(request, found)
        return None if name in FREE and _is_locked(request) else _locked(request)


_ENTERED = "_hygie_entered"


def _was_entered(request: HttpRequest) -> bool:
    return bool(getattr(request, _ENTERED, False))


def _ended(request: HttpRequest, why: Standing) -> HttpResponse:
    shared = is_shared(request)
    logout(request)
    told = {"ended": why.value}
    if request.method == "GET" and not shared:
        told["next"] = request.GET.get("next", "") or request.get_full_path()
    return redirect(f"{reverse('account_login')}?{urlencode(told)}")


def _is_locked(request: HttpRequest) -> bool:
    return bool(request.session.get(sessions.STATE, {}).get("locked"))


def _locked(request: HttpRequest) -> HttpResponse:
    """Lock, and show the lock; what a form had sent is not done."""
    if not _is_locked(request):
        sessions.lock(request)
    back = request.GET.get("next", "") if request.path == reverse("account_idle") else ""
    wanted = back or (request.get_full_path() if request.method == "GET" else "/home/")
    if request.resolver_match and request.resolver_match.url_name == "account_locked":
        wanted = request.GET.get("next", "/home/")
    return redirect(f"{reverse('account_locked')}?{urlencode({'next': wanted})}")


def _hide_when_idle(request: HttpRequest, response: HttpResponse) -> None:
    page = response.headers.get("Content-Type", "").startswith("text/html")
    if not page or request.method != "GET" or request.path.startswith("/account/idle/"):
        return
    if _is_locked(request):
        return
    seconds = int(sessions.limits(request).idle.total_seconds()) + GRACE
    address = f"{reverse('account_idle')}?{urlencode({'next': request.get_full_path()})}"
    response.headers["Refresh"] = f"{seconds};url={address}"


def _keep_nothing(response: HttpResponse) -> None:
    response.headers["Cache-Control"] = "no-store"
    for cookie in response.cookies.values():
        if cookie["max-age"] != 0:  # one that is being deleted stays so
            cookie["max-age"], cookie["expires"] = "", ""
