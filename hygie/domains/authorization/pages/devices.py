"""Requests of applications that wait on this device for the person's answer (CIBA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from hygie.domains.authorization.model.sentences import lines
from hygie.domains.authorization.pages.reading import account, language, sign_in_first
from hygie.domains.authorization.service.answering import answer
from hygie.domains.authorization.service.devices import waiting_for
from hygie.domains.authorization.service.people import proven
from hygie.kernel.platform import Announcement
from hygie.kernel.web.acting import own_only
from hygie.kernel.web.stepping_up import confirm_identity

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@own_only
def requests(request: HttpRequest) -> HttpResponse:
    """Show what waits, with the words that the other device shows, and take the answer."""
    if away := sign_in_first(request) or confirm_identity(request):
        return away
    if request.method == "POST":
        number = request.POST.get("request", "")
        allow = request.POST.get("answer") == "allow"
        answer(request, int(number) if number.isdecimal() else 0, allow=allow)
        return redirect("oauth_devices")
    level = proven(request).level
    waiting = [
        {"asked": one, "lines": lines(one.scope, language()), "weak": level < one.level}
        for one in waiting_for(account(request))
    ]
    return render(request, "authorization/devices.html", {"waiting": waiting})


def announce(request: HttpRequest) -> list[Announcement]:
    """Say on each page that an application waits for an answer."""
    waiting = waiting_for(account(request))
    if not waiting:
        return []
    text = gettext("%(app)s demande à vous connecter.") % {"app": waiting[0].app.name}
    return [Announcement(text, link=(gettext("Répondre"), reverse("oauth_devices")), urgent=True)]
