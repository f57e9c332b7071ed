"""Say again who is there: before a sensitive act, and when a locked screen is opened again."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hygie.domains.sign_in.model.sessions import Standing
from hygie.domains.sign_in.pages.door import send_to
from hygie.domains.sign_in.pages.forms import WRONG_CODE, ConfirmForm
from hygie.domains.sign_in.service import proving, sessions
from hygie.domains.sign_in.service.factors import Held, held_by
from hygie.domains.sign_in.service.limiting import take
from hygie.kernel.web.stepping_up import SUBSTANTIAL, wanted_level


@never_cache
@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask who is there, as strongly as the account allows, then go on."""
    account: Any = request.user
    held = held_by(account)
    strong = wanted_level(request) >= SUBSTANTIAL
    form = _form(request, held, code=strong and _has_codes(held))
    if request.method == "POST" and _is_proven(request, account, form):
        return redirect(get_next_redirect_url(request) or reverse("home"))
    shown = {"form": form, "held": held, "sent": request.GET.get("sent", ""), "strong": strong}
    return render(request, "account/confirm.html", {**shown, **_passkey(request, held)})


@require_POST
@login_required
def send(request: HttpRequest) -> HttpResponse:
    """Send a code to the telephone of the account."""
    sent = send_to(request, request.user)
    back = get_next_redirect_url(request) or reverse("account_security")
    return redirect(
        f"{reverse('account_reauthenticate')}?{urlencode({'sent': sent, 'next': back})}"
    )


@require_POST
@login_required
def lock(request: HttpRequest) -> HttpResponse:
    """Lock the screen: the work stays where it is, and nothing of it is shown."""
    if sessions.standing(request) is Standing.OPEN:
        sessions.lock(request)
    back = urlencode({"next": get_next_redirect_url(request) or reverse("home")})
    answer = redirect(f"{reverse('account_locked')}?{back}")
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@never_cache
@login_required
def locked(request: HttpRequest) -> HttpResponse:
    """Open the screen again to the same person; whoever else is there signs in instead."""
    if sessions.standing(request) is not Standing.LOCKED:
        return redirect(get_next_redirect_url(request) or reverse("home"))
    account: Any = request.user
    held = held_by(account)
    form = _form(request, held, code=False)
    if request.method == "POST" and _is_proven(request, account, form):
        sessions.unlock(request)
        return redirect(get_next_redirect_url(request) or reverse("home"))
    shown = {"form": form, "who": account.display_name, "held": held}
    return render(request, "account/locked.html", {**shown, **_passkey(request, held)})


@never_cache
@login_required
def idle(request: HttpRequest) -> HttpResponse:
    """Hide a page that stayed open, while the same session is used elsewhere."""
    return render(request, "account/idle.html", {"next": get_next_redirect_url(request)})


def _form(request: HttpRequest, held: Held, *, code: bool) -> ConfirmForm:
    data = request.POST if request.method == "POST" and "credential" not in request.POST else None
    return ConfirmForm(data, password=held.password, code=code)


def _has_codes(held: Held) -> bool:
    return bool(held.application or held.recovery or held.paper or held.phone)


def _passkey(request: HttpRequest, held: Held) -> dict[str, str]:
    if not held.keys:
        return {}
    return {"options": json.dumps(auth.begin_authentication(request.user))}


def _is_proven(request: HttpRequest, account: Any, form: ConfirmForm) -> bool:
    """Check what was posted; tries are counted before a password is hashed."""
    counted = take(request, "confirm", "account", key=str(account.pk))
    if counted is None:
        form.full_clean()
        form.add_error(None, _("Trop d’essais ratés. Attendez cinq minutes."))
        return False
    right = _passkey_holds(account, request) if "credential" in request.POST else None
    if right is None:
        right = form.is_valid() and _words_hold(request, account, form)
    if right:
        counted.rollback()
    return right


def _words_hold(request: HttpRequest, account: Any, form: ConfirmForm) -> bool:
    """Check the code first: one that is wrong costs no hash."""
    given = [proving.Given("password")] if "password" in form.fields else []
    if "code" in form.fields:
        found = proving.check(request, account, form.cleaned_data["code"])
        if found is None:
            form.add_error("code", WRONG_CODE)
            return False
        given.append(found)
    if "password" in form.fields and not account.check_password(form.cleaned_data["password"]):
        form.add_error("password", _("Le mot de passe n’est pas le bon."))
        return False
    for one in given:
        proving.record(request, account, one)
    return bool(given)


def _passkey_holds(account: Any, request: HttpRequest) -> bool:
    posted = ReauthenticateWebAuthnForm(user=account, data=request.POST)
    try:
        right = posted.is_valid()
    except (ValidationError, TypeError, KeyError, ValueError):
        return False  # what is posted is a stranger's JSON, of any shape
    if right:
        posted.save()
    return bool(right)
