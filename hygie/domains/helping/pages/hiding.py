"""A minor hides a document or a visit from the parents, or shows it to them again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from hygie.domains.helping.pages.asking import now, own_id
from hygie.domains.helping.service import family, hiding
from hygie.kernel.errors import NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

KINDS: dict[str, Promise] = {
    "DocumentReference": _("Document"),
    "Encounter": _("Consultation"),
    "DiagnosticReport": _("Compte rendu d’examen"),
}


def show(request: HttpRequest) -> HttpResponse:
    """List what may be hidden, and what is."""
    _check_minor(request)
    found = ask(hiding.items(repository(), caller_of(request)))
    lines = [(one, KINDS[one.rt]) for one in found]
    return render(request, "helping/hiding.html", {"lines": lines})


@require_POST
def change(request: HttpRequest, rt: str, rid: str) -> HttpResponse:
    """Hide one item, or show it again."""
    _check_minor(request)
    hidden = request.POST.get("hidden") == "yes"
    ask(hiding.hide(repository(), caller_of(request), rt, rid, hidden=hidden))
    return redirect("patient:helping:hiding")


def _check_minor(request: HttpRequest) -> None:
    if not own_id(request) or not ask(family.minor(repository(), caller_of(request), at=now())):
        raise NotFound("This page is for minors.")
