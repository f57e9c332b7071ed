"""Applications as people see them: which there are, which they paired, what these read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from hygie.domains.authorization.model.sentences import lines
from hygie.domains.authorization.pages.reading import account, language
from hygie.domains.authorization.service import pairing
from hygie.kernel.web.caller import caller_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ACTS: dict[str, Promise] = {
    "read": _("A lu"),
    "vread": _("A lu"),
    "search-type": _("A cherché"),
    "history-instance": _("A lu les versions"),
    "history-type": _("A lu les versions"),
    "create": _("A ajouté"),
    "update": _("A modifié"),
    "delete": _("A supprimé"),
}


def listing(request: HttpRequest) -> HttpResponse:
    """Show the pairings and the catalogue."""
    me = account(request)
    context = {
        "pairings": pairing.mine(me),
        "apps": [
            (app, app.purpose_fr if language() == "fr" else app.purpose_en)
            for app in pairing.catalogue(me)
        ],
    }
    return render(request, "authorization/catalogue.html", context)


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one pairing: what was granted, until when, and what the application did."""
    found = pairing.find(account(request), pk)
    done = pairing.accesses(caller_of(request), found.app.client_id)
    context = {
        "pairing": found,
        "lines": lines(found.scope, language()),
        "accesses": [(one, ACTS.get(one.interaction, one.interaction)) for one in done],
    }
    return render(request, "authorization/pairing.html", context)


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a pairing at once."""
    pairing.end(pairing.find(account(request), pk))
    portal = request.resolver_match.namespaces[0] if request.resolver_match else None
    return redirect(reverse("portal:authorization:apps", current_app=portal))


app_name = "authorization"
urlpatterns = [
    path("", listing, name="apps"),
    path("<int:pk>/", show, name="pairing"),
    path("<int:pk>/end/", end, name="end"),
]
