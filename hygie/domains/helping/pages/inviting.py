"""Invite somebody to help: a form, then a code that is shown once, to print or to tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import Invited, Scope, Wish, longest_help
from hygie.domains.helping.pages.asking import after, check_decides, now
from hygie.domains.helping.pages.words import SCOPES, last_day
from hygie.domains.helping.service import records
from hygie.domains.helping.service.inviting import Made, invite, withdraw
from hygie.kernel.errors import Conflict, InvalidRequest
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity


class InvitationForm(forms.Form):
    """Who is invited, to do what, until when."""

    given = forms.CharField(
        label=_("Son prénom"),
        max_length=100,
        error_messages={"required": _("Écrivez le prénom de cette personne.")},
    )
    family = forms.CharField(
        label=_("Son nom"),
        max_length=100,
        error_messages={"required": _("Écrivez le nom de cette personne.")},
    )
    birth = forms.DateField(
        label=_("Sa date de naissance"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Elle devra écrire la même pour accepter."),
        error_messages={
            "required": _("Choisissez sa date de naissance."),
            "invalid": _("Choisissez une date."),
        },
    )
    scope = forms.ChoiceField(
        choices=[(value, label) for value, label in SCOPES.items()],
        error_messages={"required": _("Choisissez ce que cette personne peut faire.")},
    )
    until = forms.DateField(
        label=_("Jusqu’au"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={
            "required": _("Choisissez jusqu’à quand cette personne vous aide."),
            "invalid": _("Choisissez une date."),
        },
    )

    def __init__(self, *args: Any, longest: timedelta, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.longest = longest

    def clean_until(self) -> object:
        """Check that the end is to come, and not too far."""
        day, today = self.cleaned_data["until"], timezone.localdate()
        last = today + self.longest - timedelta(days=1)
        if not today <= day <= last:
            said = _("Choisissez une date à venir, au plus tard le %(day)s.")
            raise forms.ValidationError(said, params={"day": date_format(last, "j F Y")})
        return day

    def wish(self) -> Wish:
        """Return what the person wishes."""
        told = self.cleaned_data
        invited = Invited(told["given"], told["family"], told["birth"])
        return Wish(invited, Scope(told["scope"]), after(told["until"]))


def show(request: HttpRequest, patient: str) -> HttpResponse:
    """Ask whom to invite; then show the code, once."""
    check_decides(request, patient)
    if again := confirm_identity(request):
        return again
    caller = caller_of(request)
    own = caller.reference == f"Patient/{patient}"
    today = timezone.localdate()
    usual = today + limits.days("helper-usual", at=today)
    longest = longest_help(own=own, at=today)
    first = {"until": usual.isoformat()}
    form = InvitationForm(request.POST or None, longest=longest, initial=first)
    scopes = [(key, text) for key, text in SCOPES.items() if own or key != Scope.MANDATE.value]
    context = {"patient": patient, "own": own, "form": form, "scopes": scopes}
    if request.method == "POST" and form.is_valid():
        try:
            made = invite(repository(), caller, patient, form.wish(), at=now())
        except (InvalidRequest, Conflict):
            form.add_error(
                None,
                gettext(
                    "Cette invitation n’est pas possible : il y en a déjà "
                    "trop, ou ce choix n’est pas le vôtre."
                ),
            )
        else:
            return _sheet(request, patient, made)
    else:
        ask(records.patient_of(repository(), caller, patient))
    status = 422 if form.errors else 200
    return render(request, "helping/invite.html", context, status=status)


def _sheet(request: HttpRequest, patient: str, made: Made) -> HttpResponse:
    """Show the sheet to print: the code is nowhere else and is not shown twice."""
    place = request.build_absolute_uri(reverse("patient:helping:accept"))
    said = gettext(
        "%(person)s vous demande de l’aider. Connectez-vous avec votre propre compte, ouvrez "
        "%(place)s et écrivez le code %(code)s, votre nom et votre date de naissance."
    ) % {"person": made.invitation.person, "place": place, "code": made.code}
    title = gettext("Une personne vous demande de l’aider")
    context = {
        "patient": patient,
        "message": f"sms:?body={quote(said)}",
        "letter": f"mailto:?subject={quote(title)}&body={quote(said)}",
        "made": made,
        "scope": SCOPES[made.invitation.scope],
        "last": last_day(made.invitation.until),
        "address": place,
    }
    return render(request, "helping/sheet.html", context)


@require_POST
def take_back(request: HttpRequest, patient: str, number: int) -> HttpResponse:
    """Withdraw an invitation that waits."""
    check_decides(request, patient)
    withdraw(repository(), caller_of(request), patient, number, at=now())
    return redirect(reverse("patient:helping:who", kwargs={"patient": patient}))
