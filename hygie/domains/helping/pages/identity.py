"""Find who stands before a desk, by INS or by every strict trait."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hygie.kernel.errors import InvalidRequest, PreconditionFailed
from hygie.kernel.store import Person
from hygie.kernel.store.identifying import Traits
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

SEXES = [("female", _("Femme")), ("male", _("Homme")), ("unknown", _("Non renseigné"))]
_TRAITS = ("family", "given", "birth_date", "sex", "birth_place")


class IdentityForm(forms.Form):
    """An INS, or every strict trait."""

    ins = forms.CharField(
        label=_("INS"), required=False, max_length=30, help_text=_("Quinze chiffres, clé comprise")
    )
    family = forms.CharField(label=_("Nom de naissance"), required=False, max_length=100)
    given = forms.CharField(label=_("Premier prénom"), required=False, max_length=100)
    birth_date = forms.DateField(
        label=_("Date de naissance"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Choisissez une date.")},
    )
    sex = forms.ChoiceField(label=_("Sexe"), required=False, choices=[("", ""), *SEXES])
    birth_place = forms.CharField(
        label=_("Lieu de naissance"),
        required=False,
        max_length=5,
        help_text=_("Code INSEE de la commune ou du pays"),
    )

    def clean(self) -> dict[str, Any] | None:
        """Check that there is an INS, or every trait."""
        told = self.cleaned_data
        if not told.get("ins") and not all(told.get(one) for one in _TRAITS):
            self.add_error("ins", _("Écrivez l’INS, ou tous les traits d’identité."))
        return told


def identify(request: HttpRequest, form: IdentityForm) -> Person | None:
    """Return who a valid form names; otherwise an error stands in the form."""
    told, caller = form.cleaned_data, caller_of(request)
    try:
        if told["ins"]:
            ins = "".join(told["ins"].split())
            found = ask(repository().identify(caller, ins=ins))
        else:
            traits = Traits(**{name: told[name] for name in _TRAITS})
            found = ask(repository().identify(caller, traits=traits))
    except (InvalidRequest, PreconditionFailed):
        form.add_error(
            "ins", _("Cette identité ne peut pas être lue, ou plusieurs personnes y répondent.")
        )
        return None
    if found is None:
        form.add_error("ins", _("Personne n’a cette identité. Vérifiez chaque trait."))
    return found
