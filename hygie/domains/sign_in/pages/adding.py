"""Add a second proof: an application, a passkey, a telephone, codes on paper."""

from __future__ import annotations

import json
import time
from typing import Any

from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hygie.domains.sign_in.model.codes import CodeKind, spoken
from hygie.domains.sign_in.model.steps import accepted_step, new_secret
from hygie.domains.sign_in.model.telling import Told
from hygie.domains.sign_in.pages.forms import WRONG_CODE, CodeForm, PhoneForm
from hygie.domains.sign_in.pages.security import confirmed
from hygie.domains.sign_in.service import codes, factors
from hygie.domains.sign_in.service.keys import seal, unseal
from hygie.domains.sign_in.service.limiting import take
from hygie.domains.sign_in.service.telling import tell
from hygie.kernel.errors import HygieError

ENROLLING = "hygie_enrolling"
PROVING = "hygie_phone"
"""Where the session keeps a sealed secret that is not enrolled, and a number that is not proven."""


@confirmed
def application(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator application: a drawing, the same key as text, then a first code."""
    account: Any = request.user
    if factors.held_by(account).application:
        return redirect("account_security")
    if request.method != "POST" or ENROLLING not in request.session:
        request.session[ENROLLING] = seal(new_secret())
    secret = unseal(request.session[ENROLLING])
    fault = ""
    if request.method == "POST":
        step = _first_step(request, account, secret)
        if step is not None:
            del request.session[ENROLLING]
            factors.add_application(request, account, secret, step=step)
            return _after(request, account)
        fault = str(WRONG_CODE)
    drawn = mark_safe(factors.drawing(factors.address(account, secret)))  # noqa: S308 - drawn here
    told = {"drawing": drawn, "secret": spoken(secret), "fault": fault}
    return render(request, "account/application.html", told)


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Make a passkey that names its account and asks the finger, the face or the code."""

    template_name = "account/passkey.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask for one that the device keeps, with verification of its user."""
        told: dict[str, Any] = super().get_context_data(**kwargs)
        told["options"] = json.dumps(auth.begin_registration(self.request.user, passwordless=True))
        return told

    def get_success_url(self) -> str:
        """Return where one goes on; the spare codes are shown before."""
        return "/account/security/?done=added"

    def form_valid(self, form: Any) -> HttpResponse:
        """Add it, and show the spare codes that came with it."""
        super().form_valid(form)
        return _after(self.request, self.request.user, made=self.did_generate_recovery_codes)


passkey = confirmed(AddPasskey.as_view())


@require_POST
@confirmed
def recovery(request: HttpRequest) -> HttpResponse:
    """Make new spare codes and show them once."""
    account: Any = request.user
    if not account.has_strong_factor():
        return redirect("account_security")
    return _codes(request, factors.new_recovery_codes(account), kind="recovery")


@require_POST
@confirmed
def paper(request: HttpRequest) -> HttpResponse:
    """Make a list of codes to print, and show it once."""
    account: Any = request.user
    return _codes(request, codes.print_list(account), kind="paper")


@confirmed
def phone(request: HttpRequest) -> HttpResponse:
    """Take a telephone number, to which a code is sent."""
    account: Any = request.user
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["phone"]
        if take(request, "sms", "account", key=str(account.pk)) is None:
            form.add_error(None, _("Trop de messages envoyés. Attendez une heure."))
        else:
            try:
                codes.send_by_sms(account, to=number)
            except HygieError:
                form.add_error(None, _("Le message n’est pas parti. Prenez une liste de codes."))
            else:
                request.session[PROVING] = number
                return redirect("account_phone_code")
    return render(request, "account/phone.html", {"form": form})


@confirmed
def phone_code(request: HttpRequest) -> HttpResponse:
    """Take the code that was sent: the number is proven."""
    account: Any = request.user
    if PROVING not in request.session:
        return redirect("account_phone")
    form = CodeForm(user=account)
    if request.method == "POST":
        counted = take(request, "code", "account", key=f"phone:{account.pk}")
        code, number = request.POST.get("code", ""), request.session[PROVING]
        if counted and codes.use(account, CodeKind.SMS, code, bound=number):
            account.phone = request.session.pop(PROVING)
            account.phone_proved = timezone.now()
            account.save(update_fields=["phone", "phone_proved"])
            tell(account, Told.PHONE_CHANGED)
            return redirect("/account/security/?done=phone")
        form = CodeForm({"code": ""}, user=account)
        form.full_clean()
        form.errors["code"] = form.error_class([str(WRONG_CODE)])
    return render(request, "account/phone_code.html", {"form": form})


def _first_step(request: HttpRequest, account: Any, secret: str) -> int | None:
    if take(request, "code", "account", key=f"enrol:{account.pk}") is None:
        return None
    return accepted_step(secret, request.POST.get("code", ""), now=time.time())


def _after(request: HttpRequest, account: Any, *, made: bool | None = None) -> HttpResponse:
    """Show the spare codes where they are new: they are shown this once."""
    if made is None:
        made = factors.held_by(account).recovery == 0
    if made:
        return _codes(request, factors.new_recovery_codes(account), kind="recovery")
    return redirect("/account/security/?done=added")


def _codes(request: HttpRequest, made: list[str], *, kind: str) -> HttpResponse:
    listed = [one if "-" in one else spoken(one) for one in made]
    told = {"codes": listed, "kind": kind, "day": timezone.localdate()}
    response = render(request, "account/codes.html", told)
    response.headers["Cache-Control"] = "no-store"
    return response
