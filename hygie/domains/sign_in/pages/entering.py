"""Ways in for who has no password: a printed sheet, a recovery."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from hygie.domains.sign_in.pages.forms import NewPasswordForm, RecoverForm, SheetForm
from hygie.domains.sign_in.pages.security import confirmed
from hygie.domains.sign_in.service import devices
from hygie.domains.sign_in.service.entering import (
    change_password,
    enter_by_codes,
    enter_by_sheet,
)
from hygie.kernel.web.authentication import Proof, enter


@never_cache
def activate(request: HttpRequest) -> HttpResponse:
    """Open an account by the sheet that a practice or a desk printed."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SheetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            account = enter_by_sheet(
                request, given["code"], given["birth"], password=given["password1"]
            )
        except ValidationError as weak:
            form.add_error("password1", weak)
        else:
            if account is not None:
                _enter(request, account)
                return redirect("home")
            form.add_error(None, _("Ce code et cette date n’ouvrent aucun compte, ou pas encore."))
    return render(request, "account/activate.html", {"form": form})


@never_cache
def recover(request: HttpRequest) -> HttpResponse:
    """Show every way back to an account, and open the one by two kept codes."""
    if request.user.is_authenticated:
        return redirect("account_security")
    form = RecoverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            account = enter_by_codes(
                request,
                given["login"],
                given["recovery"],
                code=given["code"],
                password=given["password1"],
            )
        except ValidationError as weak:
            form.add_error("password1", weak)
        else:
            if account is not None:
                backend = settings.AUTHENTICATION_BACKENDS[0]
                login(request, account, backend=backend)
                return redirect("account_security")
            form.add_error(None, _("Ces codes n’ouvrent aucun compte. Vérifiez-les."))
    return render(request, "account/recover.html", {"form": form})


@confirmed
def set_password(request: HttpRequest) -> HttpResponse:
    """Give a first password, or a new one, to who proved who they are by another way."""
    account: Any = request.user
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password1"]
        try:
            change_password(request, account, password)
        except ValidationError as weak:
            form.add_error("password1", weak)
        else:
            return redirect("/account/security/?done=password")
    return render(request, "account/password_set.html", {"form": form})


def _enter(request: HttpRequest, account: Any) -> None:
    """Sign in with one proof: the sheet; the password just chosen proves nothing more."""
    enter(request, account, Proof("activation-sheet", time.time()))
    devices.remember(request, account)
