"""Break the glass: identify somebody who is not one's patient, say why, open for four hours."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from hygie.domains.consent.model.constants import emergency_length
from hygie.domains.consent.model.emergency import LONGEST_REASON, SHORTEST_REASON, Declaration
from hygie.domains.consent.model.roles import may_declare
from hygie.domains.consent.pages.announcing_result import announce
from hygie.domains.consent.pages.reading import now
from hygie.domains.consent.service.emergencies import break_glass, end_break_glass
from hygie.domains.consent.service.running import running
from hygie.kernel.errors import Forbidden, InvalidRequest, PreconditionFailed
from hygie.kernel.security.caller import Right
from hygie.kernel.store import Person
from hygie.kernel.store.identifying import Traits
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity

SALT = "consent.emergency"
IDENTIFIED_FOR = 15 * 60
"""Seconds between the identification and the declaration."""
SEXES = [("female", _("Femme")), ("male", _("Homme")), ("unknown", _("Non renseigné"))]
REASONS = [
    ("unconscious", _("La personne est inconsciente")),
    ("confused", _("La personne est confuse et ne peut pas répondre")),
    ("distress", _("Détresse vitale : chaque minute compte")),
    ("other", _("Autre raison")),
]


class Identity(forms.Form):
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
        traits = ("family", "given", "birth_date", "sex", "birth_place")
        if not told.get("ins") and not all(told.get(one) for one in traits):
            self.add_error("ins", _("Écrivez l’INS, ou tous les traits d’identité."))
        return told


class DeclarationForm(forms.Form):
    """Why and where."""

    code = forms.ChoiceField(
        choices=REASONS, error_messages={"required": _("Choisissez une raison.")}
    )
    reason = forms.CharField(
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        error_messages={
            "required": _("Écrivez pourquoi les soins ne peuvent pas attendre."),
            "min_length": _("Écrivez au moins dix lettres."),
        },
    )
    place = forms.CharField(
        label=_("Où cela se passe-t-il ?"),
        max_length=200,
        error_messages={"required": _("Écrivez où cela se passe.")},
    )
    kind = forms.ChoiceField(
        choices=[("break-glass", ""), ("centre-15", "")],
        error_messages={"required": _("Choisissez la sorte d’urgence.")},
    )


def identify(request: HttpRequest) -> HttpResponse:
    """Ask who it is, then show who was found beside the declaration.

    Whoever did not sign in a moment ago says first that it is still them.
    """
    caller = caller_of(request)
    if Right.IDENTIFY in caller.rights and (again := confirm_identity(request)):
        return again
    form = Identity(request.POST or None)
    context: dict[str, Any] = {"form": form, "may": Right.IDENTIFY in caller.rights}
    if request.method != "POST" or not form.is_valid():
        return render(request, "consent/identify.html", context, status=422 if form.errors else 200)
    try:
        person = ask(_found(request, form.cleaned_data))
    except (InvalidRequest, PreconditionFailed):
        form.add_error(
            "ins",
            gettext("Cette identité ne peut pas être lue, ou plusieurs personnes y répondent."),
        )
        return render(request, "consent/identify.html", context, status=422)
    if person is None:
        return render(request, "consent/identify.html", {**context, "nobody": True})
    kept = {
        "patient": person.reference.partition("/")[2],
        "name": f"{person.given} {person.family.upper()}",
        "birth": person.birth_date,
        "sex": person.sex,
        "by": caller.reference,
    }
    return _ask_reason(request, kept, DeclarationForm())


async def _found(request: HttpRequest, told: dict[str, Any]) -> Person | None:
    records, caller = repository(), caller_of(request)
    if told["ins"]:
        return await records.identify(caller, ins="".join(told["ins"].split()))
    traits = Traits(
        family=told["family"],
        given=told["given"],
        birth_date=told["birth_date"],
        sex=told["sex"],
        birth_place=told["birth_place"],
    )
    return await records.identify(caller, traits=traits)


def _salt(request: HttpRequest) -> str:
    """Return what binds an identification to who made it."""
    return f"{SALT}.{caller_of(request).reference}"


def _ask_reason(request: HttpRequest, kept: dict[str, str], form: DeclarationForm) -> HttpResponse:
    caller = ask(repository().authenticate(caller_of(request)))
    today = now().date()
    kinds = [
        ("break-glass", gettext("Urgence : la personne ne peut pas donner son accord"), False),
        ("centre-15", gettext("Régulation d’un appel au 15"), True),
    ]
    context = {
        "form": form,
        "about": kept,
        "token": signing.dumps(kept, salt=_salt(request)),
        "reasons": REASONS,
        "kinds": [
            (value, label)
            for value, label, centre in kinds
            if may_declare(caller.roles, centre_15=centre, at=today)
        ],
        "hours": emergency_length(today).seconds // 3600,
    }
    return render(request, "consent/declare.html", context, status=422 if form.errors else 200)


def declare(request: HttpRequest) -> HttpResponse:
    """Open the record of who was just identified; who comes back by a link identifies again.

    Raises:
        Forbidden: the identification is too old, or was made by somebody else.
    """
    if request.method != "POST":
        return redirect("professional:consent:emergency")
    try:
        kept = signing.loads(
            request.POST.get("token", ""), salt=_salt(request), max_age=IDENTIFIED_FOR
        )
    except signing.BadSignature as old:
        raise Forbidden("Identify the person again.") from old
    if kept["by"] != caller_of(request).reference:
        raise Forbidden("Somebody else identified this person; do it yourself.")
    form = DeclarationForm(request.POST)
    if not form.is_valid():
        return _ask_reason(request, kept, form)
    told = form.cleaned_data
    code = next(str(label) for value, label in REASONS if value == told["code"])
    declaration = Declaration(f"{code} : {told['reason']}"[:LONGEST_REASON], told["place"])
    centre_15 = told["kind"] == "centre-15"
    opened = ask(
        break_glass(
            repository(),
            caller_of(request),
            kept["patient"],
            declaration=declaration,
            centre_15=centre_15,
            at=now(),
        )
    )
    if opened.opens:
        return redirect("professional:record:summary", patient=kept["patient"])
    return render(request, "consent/not_opened.html", {"about": kept})


@require_POST
def end(request: HttpRequest, key: str) -> HttpResponse:
    """End an emergency access now."""
    ask(end_break_glass(repository(), caller_of(request), key, at=now()))
    return redirect("professional:consent:over")


def over(request: HttpRequest) -> HttpResponse:
    """Say that the access is over, and what follows."""
    left = ask(running(repository(), caller_of(request)))
    return render(request, "consent/over.html", {"left": len(left)})


app_name = "consent"
urlpatterns = [
    path("announce/<str:patient>/<str:rt>/<str:rid>/", announce, name="announce"),
    path("", identify, name="emergency"),
    path("declare/", declare, name="declare"),
    path("over/", over, name="over"),
    path("<str:key>/end/", end, name="end"),
]
