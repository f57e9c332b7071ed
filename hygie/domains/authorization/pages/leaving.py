"""Sign out at the wish of an application (RP-Initiated Logout 1.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import OAuth2Error
from django.contrib.auth import logout
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from hygie.domains.authorization.pages.authorize import Away, lets_go, stopped
from hygie.domains.authorization.service.asking import single
from hygie.domains.authorization.service.leaving import way_out
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.web.visits import VISIT

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

BACK = "hygie_way_out"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Sign out at once where the application names this very session; else ask the person."""
    try:
        app, back, session = way_out(single(request.POST or request.GET))
    except (InvalidRequest, OAuth2Error) as wrong:
        return stopped(request, "invalid_request", str(wrong))
    named = bool(session) and request.session.get(VISIT) == session
    if not request.user.is_authenticated or named:
        logout(request)
        return Away(back) if back else redirect("start")
    request.session[BACK] = back
    response = render(request, "authorization/logout.html", {"app": app})
    return lets_go(response, back) if back else response


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out, as the person confirmed."""
    back = request.session.get(BACK, "")
    logout(request)
    return Away(back) if back else redirect("start")
