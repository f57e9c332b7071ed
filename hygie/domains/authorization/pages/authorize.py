"""A request for authorization, from the application's link to the answer it takes back.

Every page works without JavaScript; where a form ends at the application, the page's policy lets
forms go there and nowhere else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error
from django.contrib.auth import logout
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from hygie.domains.authorization.model import words
from hygie.domains.authorization.model.apps import origin_of
from hygie.domains.authorization.model.levels import level_asked
from hygie.domains.authorization.model.lifetimes import CHOICES
from hygie.domains.authorization.model.sentences import lines
from hygie.domains.authorization.orm import Asked
from hygie.domains.authorization.pages.reading import language
from hygie.domains.authorization.service import consenting
from hygie.domains.authorization.service.asking import single
from hygie.domains.authorization.service.consenting import Step
from hygie.domains.authorization.service.limiting import is_too_fast
from hygie.domains.authorization.service.requesting import begin, find, leave, refusal
from hygie.kernel.errors import InvalidRequest
from hygie.kernel.web.acting import own_only
from hygie.kernel.web.stepping_up import confirm_identity

if TYPE_CHECKING:
    from django.http import HttpRequest

DURATIONS = {
    "once": _("Cette fois seulement (une heure)"),
    "day": _("Un jour"),
    "month": _("Un mois"),
    "half-year": _("Six mois"),
    "year": _("Un an"),
}
USUAL = "month"
MOST_IN_A_MINUTE = 60


class Away(HttpResponseRedirect):
    """A redirect to an application, whatever its scheme: the address was registered."""

    def __init__(self, address: str) -> None:
        self.allowed_schemes = [urlsplit(address).scheme]
        super().__init__(address)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Take a request; show what is wrong where it cannot be sent back."""
    if is_too_fast(f"authorize:{request.META.get('REMOTE_ADDR')}", most=MOST_IN_A_MINUTE):
        return stopped(request, "temporarily_unavailable", "Too many requests.", status=429)
    try:
        ticket = begin(single(request.POST if request.method == "POST" else request.GET))
    except OAuth2Error as wrong:
        told = dict(wrong.get_body())
        told.pop("state", None)
        if not wrong.redirect_uri:
            return stopped(request, told["error"], told.get("error_description", ""))
        return Away(leave(wrong.redirect_uri, told, state=wrong.state or ""))
    return redirect(f"{reverse('oauth_consent')}?{urlencode({'ticket': ticket})}")


@own_only
@require_http_methods(["GET", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """Do what a request still wants: a sign-in, more proof, a patient, a choice."""
    ticket = request.GET.get("ticket", "")
    try:
        asked = find(ticket)
    except InvalidRequest as over:
        return stopped(request, "invalid_request", str(over))
    step = consenting.next_step(request, asked)
    if "none" in asked.parameters.get("prompt", "") and step != Step.PASS:
        return Away(refusal(asked, step.value.strip(), "The person must do something first."))
    if request.method == "POST" and request.POST.get("answer") == "refuse":
        return Away(refusal(asked, "access_denied", "The person refused."))
    if step == Step.PASS:
        return _gone(request, asked, consenting.grant(request, asked, None))
    return _STEPS[step](request, asked)


def _sign_in(request: HttpRequest, asked: Asked) -> HttpResponse:
    _signs_in(asked)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")


def _confirm(request: HttpRequest, asked: Asked) -> HttpResponse:
    _signs_in(asked)
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_reauthenticate')}?{back}")


def _signs_in(asked: Asked) -> None:
    Asked.objects.filter(pk=asked.pk).update(signed_in_after=True)


def _stronger(request: HttpRequest, asked: Asked) -> HttpResponse:
    if request.method == "POST" and request.POST.get("answer") == "again":
        logout(request)
        return _sign_in(request, asked)
    if request.method == "POST":
        sentence = "The person cannot sign in strongly enough."
        return Away(refusal(asked, Step.STRONGER.value, sentence))
    wanted = level_asked(asked.parameters.get("acr_values", ""))
    return _shown(request, asked, "authorization/stronger.html", {"wanted": wanted})


def _pick(request: HttpRequest, asked: Asked) -> HttpResponse:
    if request.method == "POST" and request.POST.get("patient"):
        consenting.choose_patient(request, asked, request.POST["patient"])
        return redirect(request.get_full_path())
    text = request.GET.get("q", "")[:100]
    context = {"people": consenting.people(request, text), "q": text, "own": _own(request)}
    return _shown(request, asked, "authorization/pick.html", context)


def _ask(request: HttpRequest, asked: Asked) -> HttpResponse:
    if asked.app.audience == "patient" and (again := confirm_identity(request)):
        _signs_in(asked)
        return again
    offered = consenting.offered(asked)
    if request.method == "POST" and request.POST.get("answer") == "allow":
        valid = CHOICES.get(request.POST.get("valid", ""), timedelta(hours=1))
        choice = consenting.chosen(asked, request.POST.getlist("scope"), valid)
        return Away(consenting.grant(request, asked, choice))
    before = consenting.former(request, asked)
    context = {
        "lines": lines(offered, language()),
        "before": set(before.scope) if before is not None else set(offered),
        "durations": DURATIONS.items() if words.OFFLINE in offered else [],
        "usual": USUAL,
        "patient": consenting.chosen_person(request, asked),
        "host": urlsplit(asked.parameters["redirect_uri"]).netloc,
    }
    return _shown(request, asked, "authorization/consent.html", context)


_STEPS = {
    Step.SIGN_IN: _sign_in,
    Step.CONFIRM: _confirm,
    Step.STRONGER: _stronger,
    Step.PICK: _pick,
    Step.ASK: _ask,
}


def _own(request: HttpRequest) -> str:
    account: Any = request.user
    return str(account.fhir_reference)


def _shown(
    request: HttpRequest, asked: Asked, template: str, context: dict[str, Any]
) -> HttpResponse:
    app = asked.app
    purpose = app.purpose_fr if language() == "fr" else app.purpose_en
    response = render(request, template, {"app": app, "purpose": purpose, **context})
    return lets_go(response, asked.parameters["redirect_uri"])


def lets_go(response: HttpResponse, address: str) -> HttpResponse:
    """Let the forms of a page end at an address of an application."""
    place = origin_of(address) or f"{urlsplit(address).scheme}:"
    response._csp_update = {"form-action": [place]}  # type: ignore[attr-defined]  # noqa: SLF001  django-csp reads it
    response["Cache-Control"] = "no-store"
    return response


def _gone(request: HttpRequest, asked: Asked, address: str) -> HttpResponse:
    """Go to the application; after a form of the sign-in page, by a page of its own.

    Browsers let the forms of a page end only where its policy says, redirects included.
    """
    if not asked.signed_in_after:
        return Away(address)
    context = {"app": asked.app, "address": address}
    response = render(request, "authorization/leave.html", context)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def stopped(request: HttpRequest, error: str, sentence: str, *, status: int = 400) -> HttpResponse:
    """Show a refusal that goes nowhere: the application is unknown, or its address."""
    context = {"error": error, "sentence": sentence}
    return render(request, "authorization/stopped.html", context, status=status)
