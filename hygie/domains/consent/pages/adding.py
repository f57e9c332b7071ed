"""Add somebody: to the care team, with an access of their own, or to the blocked ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.consent.model.choices import Party
from hygie.domains.consent.model.constants import midnight
from hygie.domains.consent.pages.choices import back
from hygie.domains.consent.pages.reading import Opened, day_of, in_record, language, now
from hygie.domains.consent.service import decisions
from hygie.domains.consent.service.directory import Found, found_as, search
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity

PURPOSES: dict[str, tuple[Promise, Promise, Promise]] = {
    "member": (
        _("Ajouter à mon équipe de soins"),
        _("Cette personne lira votre dossier, selon sa profession, avec votre équipe de soins."),
        _("Ajouter"),
    ),
    "access": (
        _("Donner accès à un professionnel hors de mon équipe"),
        _("Cette personne lira votre dossier, selon sa profession, jusqu’au jour choisi."),
        _("Donner accès"),
    ),
    "block": (
        _("Bloquer un professionnel"),
        _(
            "Cette personne ne lira plus rien de votre dossier, même en urgence et même si elle "
            "fait partie de votre équipe de soins."
        ),
        _("Bloquer"),
    ),
}
"""Title, effect and button, by what is added."""
SENSITIVE = frozenset({"member", "access"})


def find(request: HttpRequest, patient: str, purpose: str) -> HttpResponse:
    """Look somebody up in the health directory.

    Raises:
        NotFound: there is nothing to add of this name.
    """
    title, _effect, _button = _texts(purpose)
    text, told = " ".join(request.GET.get("q", "").split()), language()

    async def work(opened: Opened) -> list[Found]:
        return await search(opened.visit, text, language=told) if text else []

    whose, found = in_record(request, patient, work)
    context = {
        "person": whose,
        "patient": patient,
        "purpose": purpose,
        "title": title,
        "q": text,
        "found": found,
    }
    return render(request, "consent/find.html", context)


def add(request: HttpRequest, patient: str, purpose: str, who: str) -> HttpResponse:
    """Ask to confirm, with an end where it has one, then add.

    Raises:
        NotFound: nobody of this id is in the directory.
    """
    title, effect, button = _texts(purpose)
    if purpose in SENSITIVE and (asked := confirm_identity(request)):
        return asked
    reference, told = f"Practitioner/{who}", language()

    async def work(opened: Opened) -> Found:
        return await found_as(opened.visit, reference, language=told)

    whose, found = in_record(request, patient, work)
    if request.method == "POST":
        end = day_of(request.POST.get("until", ""))
        _do(request, patient, purpose, who=Party(reference, found.name), until=_end(end))
        return back(patient, purpose)
    context = {
        "person": whose,
        "patient": patient,
        "purpose": purpose,
        "title": title,
        "effect": effect,
        "button": button,
        "found": found,
        "tomorrow": (now() + timedelta(days=1)).date().isoformat(),
    }
    return render(request, "consent/add.html", context)


def _do(
    request: HttpRequest, patient: str, purpose: str, *, who: Party, until: datetime | None
) -> None:
    records, caller, at = repository(), caller_of(request), now()
    if purpose == "block":
        ask(decisions.block(records, caller, patient, who=who, at=at))
    elif purpose == "member":
        ask(decisions.add_member(records, caller, patient, who=who, until=until, at=at))
    else:
        ask(decisions.give_access(records, caller, patient, who=who, until=until, at=at))


def _end(day: date | None) -> datetime | None:
    """Return the end, not included, of what lasts until a day.

    Raises:
        InvalidRequest: the day is past.
    """
    if day is None:
        return None
    zone = repository().site.zone
    end = midnight(day + timedelta(days=1), zone)
    if end <= now():
        raise InvalidRequest("Choose an end after today.")
    return end


def _texts(purpose: str) -> tuple[Promise, Promise, Promise]:
    found = PURPOSES.get(purpose)
    if found is None:
        raise NotFound("There is nothing to add of this name.")
    return found
