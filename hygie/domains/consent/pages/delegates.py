"""Name somebody to act in one's name: they show a code, one enters it and sees who it is."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django import forms
from django.core import cache as caching
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.choices import Naming, Party, Standing
from hygie.domains.consent.model.constants import midnight
from hygie.domains.consent.pages.choices import back, read
from hygie.domains.consent.pages.reading import in_record, is_own, now
from hygie.domains.consent.service import decisions
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import account_of, caller_of
from hygie.kernel.web.stepping_up import confirm_identity

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Letters and digits that are not taken for one another when they are told by telephone."""
LENGTH = 10
VALID = timedelta(hours=24)
_KEY = "consent-code-{}"
SCOPES = [
    (Standing.HELPER.value, _("Lire tout mon dossier")),
    (Standing.ADMINISTRATIVE.value, _("Lire les papiers administratifs seulement")),
    (Standing.MANDATE.value, _("Lire mon dossier et décider à ma place")),
]


class NamingForm(forms.Form):
    """The code that the helper gave, what they may do, and until when."""

    code = forms.CharField(
        label=_("Code de la personne"),
        help_text=_("Elle le trouve dans son espace, à la page « Aider quelqu’un »."),
        max_length=20,
        error_messages={"required": _("Écrivez le code que la personne vous a donné.")},
    )
    scope = forms.ChoiceField(
        choices=SCOPES,
        error_messages={"required": _("Choisissez ce que cette personne peut faire.")},
    )
    until = forms.DateField(
        label=_("Jusqu’au (facultatif)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Choisissez une date.")},
    )

    def clean_code(self) -> tuple[str, str]:
        """Return who the code stands for.

        Raises:
            ValidationError: nobody, or no longer.
        """
        code = "".join(self.cleaned_data["code"].upper().split()).replace("-", "")
        found = caching.cache.get(_KEY.format(code))
        if not found:
            raise forms.ValidationError(
                _("Ce code n’existe pas ou n’est plus valable. Demandez-en un autre.")
            )
        return found[0], found[1]

    def clean(self) -> dict[str, object] | None:
        """Check that the end is to come."""
        until = self.cleaned_data.get("until")
        if until and until < now().date():
            self.add_error("until", _("Choisissez une date à venir."))
        return self.cleaned_data


def code(request: HttpRequest) -> HttpResponse:
    """Show a code to give to somebody one wants to help; good for a day, for one person.

    Raises:
        NotFound: the account stands for nobody.
    """
    account = account_of(request)
    if account is None or not account.fhir_reference.startswith("Patient/"):
        raise NotFound("This account stands for nobody.")
    made = ""
    if request.method == "POST":
        made = "".join(secrets.choice(ALPHABET) for _place in range(LENGTH))
        name = getattr(account, "display_name", "")
        caching.cache.set(
            _KEY.format(made), (account.fhir_reference, name), timeout=VALID.total_seconds()
        )
    shown = f"{made[:5]}-{made[5:]}" if made else ""
    return render(request, "consent/code.html", {"code": shown})


def name(request: HttpRequest, patient: str) -> HttpResponse:
    """Name a helper or a representative: first the code, then who it is, then yes."""
    if again := confirm_identity(request):
        return again
    form = NamingForm(request.POST or None)
    whose, choices = in_record(request, patient, read)
    context = {
        "person": whose,
        "patient": patient,
        "own": is_own(request, patient),
        "form": form,
        "scopes": SCOPES,
        "choices": choices,
    }
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "consent/helper.html", context, status=status)
    reference, shown = form.cleaned_data["code"]
    standing = Standing(form.cleaned_data["scope"])
    if "confirmed" not in request.POST:
        scope = next(text for value, text in SCOPES if value == standing.value)
        asked = {"shown": shown, "chosen": scope, "until": form.cleaned_data["until"]}
        return render(request, "consent/helper_confirm.html", {**context, **asked})
    day = form.cleaned_data["until"]
    end = midnight(day + timedelta(days=1), repository().site.zone) if day else None
    naming = Naming(Party(reference, shown), standing, end)
    ask(decisions.name_helper(repository(), caller_of(request), patient, naming=naming, at=now()))
    return back(patient, "helper")
