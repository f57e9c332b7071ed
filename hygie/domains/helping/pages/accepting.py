"""Answer an invitation: the code, one's name and birth date, then yes or no."""

from __future__ import annotations

from django import forms
from django.core import cache as caching
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import Invited
from hygie.domains.helping.orm import Invitation
from hygie.domains.helping.pages.asking import account, helper_of, now
from hygie.domains.helping.pages.words import SCOPES, last_day
from hygie.domains.helping.service.accepting import accept, decline, find
from hygie.kernel.errors import Conflict, Forbidden, InvalidRequest, NotFound
from hygie.kernel.web.bridge import repository

SALT = "helping.accept"
FOUND_FOR = 15 * 60
"""Seconds between the code and the answer."""
TRIED_FOR = 3600


class AnswerForm(forms.Form):
    """What stands on the sheet, and who one is."""

    code = forms.CharField(
        label=_("Le code de l’invitation"),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
        error_messages={"required": _("Écrivez le code de l’invitation.")},
    )
    given = forms.CharField(
        label=_("Votre prénom"),
        max_length=100,
        error_messages={"required": _("Écrivez votre prénom.")},
    )
    family = forms.CharField(
        label=_("Votre nom"),
        max_length=100,
        error_messages={"required": _("Écrivez votre nom.")},
    )
    birth = forms.DateField(
        label=_("Votre date de naissance"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": _("Choisissez votre date de naissance."),
            "invalid": _("Choisissez une date."),
        },
    )


def show(request: HttpRequest) -> HttpResponse:
    """Ask for the code, then show who asks for help, with what, until when."""
    if request.method == "POST" and "answer" in request.POST:
        return _answer(request)
    form = AnswerForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "helping/accept.html", {"form": form}, status=status)
    told = form.cleaned_data
    invited = Invited(told["given"], told["family"], told["birth"])
    try:
        _check_tries(request)
        found = find(repository(), helper_of(request), told["code"], invited, at=now())
    except (InvalidRequest, Conflict):
        _miss(request)
        form.add_error(
            "code",
            gettext(
                "Aucune invitation n’attend ce code, ce nom et cette date de naissance. "
                "Vérifiez-les, ou demandez une autre invitation."
            ),
        )
        return render(request, "helping/accept.html", {"form": form}, status=422)
    context = {
        "found": found,
        "scope": SCOPES[found.scope],
        "last": last_day(found.until),
        "kept": signing.dumps(found.pk, salt=_salt(request)),
    }
    return render(request, "helping/answer.html", context)


def _answer(request: HttpRequest) -> HttpResponse:
    """Accept or decline what was shown to this very account."""
    try:
        kept = request.POST.get("kept", "")
        number = signing.loads(kept, salt=_salt(request), max_age=FOUND_FOR)
    except signing.BadSignature:
        return redirect("patient:helping:accept")
    found = Invitation.objects.filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such invitation.")
    helper = helper_of(request)
    said = "accepted"
    try:
        if request.POST["answer"] == "accept":
            accept(repository(), helper, found, at=now())
        else:
            decline(repository(), helper, found, at=now())
            said = "declined"
    except (Conflict, Forbidden, NotFound):
        said = "gone"
    return redirect(f"{reverse('patient:helping:mine')}?done={said}")


def _check_tries(request: HttpRequest) -> None:
    """Check how many wrong codes one account tried: a code is not to be guessed.

    Raises:
        InvalidRequest: too many in an hour.
    """
    tried = int(caching.cache.get(_tries(request), 0))
    if tried >= limits.amount("wrong-codes", "tries", at=localdate()):
        raise InvalidRequest("Too many codes were tried; wait an hour.")


def _miss(request: HttpRequest) -> None:
    tried = int(caching.cache.get(_tries(request), 0))
    caching.cache.set(_tries(request), tried + 1, timeout=TRIED_FOR)


def _tries(request: HttpRequest) -> str:
    return f"helping-tries-{account(request).pk}"


def _salt(request: HttpRequest) -> str:
    """Return what binds an invitation to who was shown it."""
    return f"{SALT}.{account(request).pk}"
