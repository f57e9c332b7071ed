"""Record parents and guardians: one person enters what a document says, another one confirms."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from hygie.domains.helping.fhir import Named
from hygie.domains.helping.model.measures import Stage, measures
from hygie.domains.helping.orm import Protection
from hygie.domains.helping.pages.asking import account, now
from hygie.domains.helping.pages.identity import IdentityForm, identify
from hygie.domains.helping.service import protections
from hygie.domains.helping.service.people import standing_of
from hygie.domains.helping.service.records import WHOLE_DATE
from hygie.kernel.errors import Conflict, InvalidRequest, NotFound
from hygie.kernel.security.caller import Right
from hygie.kernel.web.bridge import repository
from hygie.kernel.web.caller import caller_of

PERSON, OTHER = "person", "other"


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": _("Choisissez une date.")},
    )


class SeenForm(forms.Form):
    """What the document says, and which document was seen."""

    measure = forms.ChoiceField(
        label=_("La mesure"), error_messages={"required": _("Choisissez la mesure.")}
    )
    login = forms.CharField(
        label=_("Identifiant du représentant, s’il a un compte sans dossier"),
        required=False,
        max_length=150,
        help_text=_("Pour un mandataire judiciaire ou une association"),
    )
    court = forms.CharField(
        label=_("Qui a décidé"),
        required=False,
        max_length=200,
        help_text=_("Par exemple : tribunal judiciaire de Brest"),
    )
    judgment = forms.CharField(label=_("Numéro de la décision"), required=False, max_length=100)
    judged = _day(_("Date de la décision"))
    ends = _day(_("Dernier jour"))
    document = forms.CharField(
        label=_("Le document que vous avez vu"),
        max_length=300,
        help_text=_("Par exemple : livret de famille, copie du jugement"),
        error_messages={"required": _("Écrivez quel document vous avez vu.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "fr"
        known = measures().holding(localdate())
        named: Any = self.fields["measure"]
        named.choices = [
            ("", ""),
            *((key[0], one.label(language)) for key, one in known.items()),
        ]

    def seen(self, born: date | None) -> protections.Seen:
        """Return what was seen of somebody born on a day."""
        told = self.cleaned_data
        names = ("measure", "court", "judgment", "judged", "ends", "document")
        return protections.Seen(**{name: told[name] for name in names}, born=born)


def listing(request: HttpRequest) -> HttpResponse:
    """List what waits for a second person, what runs, and what is to be renewed."""
    caller = caller_of(request)
    may = Right.REGISTER in caller.rights
    own = account(request).pk
    context = {
        "may": may,
        "waiting": [
            (one, label(one.measure), one.entered_by_id == own)
            for one in (protections.waiting(caller) if may else [])
        ],
        "running": [
            (one, label(one.measure), soon)
            for one, soon in (protections.running(caller) if may else [])
        ],
    }
    return render(request, "helping/measures.html", context)


def enter(request: HttpRequest) -> HttpResponse:
    """Enter what a document says of two people."""
    caller = caller_of(request)
    protections.check_may_record(caller)
    posted = request.POST or None
    person, other = IdentityForm(posted, prefix=PERSON), IdentityForm(posted, prefix=OTHER)
    form = SeenForm(posted)
    if request.method == "POST" and form.is_valid():
        people = _people(request, form, person, other)
        if people is not None:
            *both, born = people
            try:
                made = protections.enter(
                    repository(),
                    caller,
                    account(request),
                    people=(both[0], both[1]),
                    seen=form.seen(born),
                    at=now(),
                )
            except InvalidRequest:
                form.add_error(
                    "measure",
                    gettext(
                        "Vérifiez la mesure : qui a décidé, le numéro, les dates et les deux "
                        "personnes."
                    ),
                )
            else:
                return redirect("establishment:helping:measure", number=made.pk)
    wrong = bool(form.errors or (posted and (person.errors or other.errors)))
    context = {"form": form, "people": person, "other": other}
    return render(request, "helping/enter.html", context, status=422 if wrong else 200)


def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show what was entered; another person confirms or refuses, anybody of them ends it."""
    caller, held = caller_of(request), account(request)
    found = protections.read(caller, number)
    if request.method == "POST":
        _do(request, found)
        return redirect("establishment:helping:measures")
    context = {
        "found": found,
        "measure": label(found.measure),
        "waits": found.state == Stage.ENTERED.value,
        "runs": found.state == Stage.CONFIRMED.value,
        "mine": found.entered_by_id == held.pk,
    }
    return render(request, "helping/measure.html", context)


def label(measure: str) -> str:
    """Return the name of a measure in the page's language."""
    return measures().latest()[measure,].label(get_language() or "fr")


def _do(request: HttpRequest, found: Protection) -> None:
    caller, held = caller_of(request), account(request)
    action = request.POST.get("action", "")
    if action == "confirm":
        protections.confirm(repository(), caller, held, found.pk, at=now())
    elif action == "refuse":
        protections.refuse(caller, held, found.pk, at=now())
    elif action == "end":
        protections.end(repository(), caller, held, found.pk, at=now())
    else:
        raise Conflict("Choose what to do.")


def _people(
    request: HttpRequest, form: SeenForm, person: IdentityForm, other: IdentityForm
) -> tuple[Named, Named, date | None] | None:
    """Return who is represented, who represents and the birth date of the first.

    None where a form says what is wrong.
    """
    represented = identify(request, person) if person.is_valid() else None
    if represented is None:
        return None
    whose = Named(represented.reference, f"{represented.given} {represented.family.upper()}")
    told = represented.birth_date
    born = date.fromisoformat(told) if len(told) == WHOLE_DATE else None
    login = form.cleaned_data["login"].strip()
    if login:
        other.errors.clear()
        try:
            return whose, _by_account(login, represented.reference.partition("/")[2]), born
        except NotFound:
            form.add_error("login", gettext("Aucun compte n’a cet identifiant."))
            return None
    found = identify(request, other) if other.is_valid() else None
    if found is None:
        return None
    return whose, Named(found.reference, f"{found.given} {found.family.upper()}"), born


def _by_account(login: str, patient: str) -> Named:
    accounts: Any = get_user_model()._default_manager  # noqa: SLF001  Django documents it
    held = accounts.filter(username__iexact=login, kind="patient", is_active=True).first()
    if held is None:
        raise NotFound("No account has this login.")
    return Named(standing_of(repository(), held, patient, held.display_name), held.display_name)
