"""The pages of integrators: how to begin, register an application, follow its registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hygie.domains.authorization.model.sentences import lines
from hygie.domains.authorization.orm import App
from hygie.domains.authorization.pages.reading import language
from hygie.domains.authorization.service import registering, sandbox
from hygie.domains.authorization.service.limiting import is_too_fast
from hygie.domains.authorization.service.places import fhir_base, issuer, realm
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_IN_AN_HOUR = 20
HOUR = 3600


def developers(request: HttpRequest) -> HttpResponse:
    """Say how to begin; in a demonstration, show the sandbox."""
    context = {
        "issuer": issuer(),
        "fhir": fhir_base(),
        "sandbox": sandbox.shown() if platform().settings.demo is not None else None,
        "reset": "reset" in request.GET,
    }
    return render(request, "authorization/developers.html", context)


def register(request: HttpRequest) -> HttpResponse:
    """Take a registration; a secret is shown on the page that follows, once."""
    if request.method != "POST":
        return _form(request, {})
    who = f"register:{request.META.get('REMOTE_ADDR')}"
    if is_too_fast(who, most=MOST_IN_AN_HOUR, seconds=HOUR):
        return _form(request, request.POST, error="429", status=429)
    try:
        made = registering.register(request.POST, ciba=request.POST.get("ciba") == "on")
    except InvalidRequest as wrong:
        return _form(request, request.POST, error=str(wrong), status=400)
    context = {"app": made.app, "secret": made.secret}
    response = render(request, "authorization/registered.html", context, status=201)
    response["Cache-Control"] = "no-store"
    return response


def _form(
    request: HttpRequest, given: object, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"given": given, "error": error}
    return render(request, "authorization/register.html", context, status=status)


def follow(request: HttpRequest, client: str) -> HttpResponse:
    """Show where a registration stands, to who knows its id.

    Raises:
        Http404: there is none.
    """
    app = App.objects.filter(client_id=client, realm=realm()).first()
    if app is None:
        raise Http404
    context = {"app": app, "lines": lines(app.approved or app.asked, language())}
    return render(request, "authorization/follow.html", context)


@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Put the sandbox back as it was; in a demonstration only.

    Raises:
        Http404: this is no demonstration.
    """
    if platform().settings.demo is None:
        raise Http404
    if not is_too_fast(f"sandbox:{request.META.get('REMOTE_ADDR')}", most=6):
        sandbox.reset()
    return redirect("/developers/?reset")
