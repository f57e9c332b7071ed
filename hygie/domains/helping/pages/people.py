"""Who helps me, whom I help; what a minor decides."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hygie.domains.helping.model import limits
from hygie.domains.helping.model.invitations import State
from hygie.domains.helping.orm import Invitation
from hygie.domains.helping.pages.asking import account, address, check_decides, now, own_id
from hygie.domains.helping.pages.words import LEAVABLE, QUALITIES, SCOPES, last_day
from hygie.domains.helping.service import family, people
from hygie.domains.helping.service.inviting import waiting
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.stepping_up import confirm_identity

DONE: dict[str, Promise] = {
    "accepted": _("Vous pouvez aider cette personne dès maintenant."),
    "declined": _("Vous avez refusé. La personne est prévenue."),
    "gone": _(
        "Cette invitation n’est plus valable : elle a été retirée, ou ne peut plus ouvrir ce "
        "dossier."
    ),
    "left": _("Vous n’aidez plus cette personne. Elle est prévenue."),
    "limited": _("Ce parent ne lit plus votre dossier."),
}
ANSWERS: dict[str, Promise] = {
    State.ACCEPTED.value: _("a accepté"),
    State.DECLINED.value: _("a refusé"),
    State.LEFT.value: _("a cessé d’aider"),
    State.LOST.value: _("invitation perdue : nom ou date de naissance faux cinq fois"),
}


def mine(request: HttpRequest) -> HttpResponse:
    """Show who helps me and whom I help."""
    own = own_id(request)
    held = people.whom(repository(), account(request))
    minor = ask(family.minor(repository(), caller_of(request), at=now())) if own else None
    context = {
        **(_helpers(request, own) if own else {"patient": ""}),
        "own": True,
        "held": [_line(one) for one in held if one.patient != own],
        "minor": minor,
        "may_invite": minor is None or minor.decides,
        "done": DONE.get(request.GET.get("done", "")),
    }
    return render(request, "helping/mine.html", context)


def who(request: HttpRequest, patient: str) -> HttpResponse:
    """Show who helps one person, to the person or to who decides for them."""
    if patient == own_id(request):
        return redirect("patient:helping:mine")
    check_decides(request, patient)
    shown = {**_helpers(request, patient), "own": False, "may_invite": True}
    return render(request, "helping/mine.html", shown)


def minor(request: HttpRequest) -> HttpResponse:
    """Say what a minor may decide, and since when."""
    found = (
        ask(family.minor(repository(), caller_of(request), at=now())) if own_id(request) else None
    )
    if found is None:
        raise NotFound("This page is for minors.")
    context = {
        "minor": found,
    }
    return render(request, "helping/minor.html", context)


def limit(request: HttpRequest, key: str) -> HttpResponse:
    """Ask whether a parent shall read no more, then do it."""
    if again := confirm_identity(request):
        return again
    caller = caller_of(request)
    found = ask(family.minor(repository(), caller, at=now())) if own_id(request) else None
    parent = next((one for one in found.parents if one.key == key), None) if found else None
    if parent is None:
        raise NotFound("No parent reads by this choice.")
    if request.method == "POST":
        ask(family.limit_parent(repository(), caller, key, at=now()))
        return redirect(f"{reverse('patient:helping:mine')}?done=limited")
    return render(request, "helping/limit.html", {"parent": parent})


def _helpers(request: HttpRequest, patient: str) -> dict[str, object]:
    found = ask(people.who_helps(repository(), caller_of(request), patient, at=now()))
    since = timezone.now() - limits.days("told-for", at=timezone.localdate())
    answered = Invitation.objects.filter(
        patient=patient, answered__gte=since, state__in=list(ANSWERS)
    ).order_by("-answered")
    return {
        "patient": patient,
        "helpers": [
            (
                one,
                QUALITIES[one.quality],
                last_day(one.ends),
                address("patient:consent:act", patient, name="end-helper", key=one.key)
                if one.quality in LEAVABLE
                else "",
            )
            for one in found
        ],
        "waiting": [(one, SCOPES[one.scope], last_day(one.until)) for one in waiting(patient)],
        "answered": [(one, ANSWERS[one.state]) for one in answered],
    }


def _line(one: people.Helped) -> tuple[people.Helped, Promise, object, bool]:
    return one, QUALITIES[one.quality], last_day(one.ends), one.quality in LEAVABLE
