"""What another tool opened, said on the pages: a link to go there, never a jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hygie.domains.context.pages.publishing import OPEN, PORTAL, tabs
from hygie.domains.context.service import sessions
from hygie.kernel.errors import HygieError
from hygie.kernel.platform import Announcement
from hygie.kernel.store.people import person_of
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hygie.domains.context.model.events import Event
    from hygie.domains.context.service.sessions import Shared

SCRIPT = "context/follow.js"
PAUSED = "hygie_context_paused"
SET_ASIDE = "hygie_context_set_aside"
"""Where the session keeps that the pages do not follow, and the event that was set aside."""


def announce(request: HttpRequest) -> list[Announcement]:
    """Say what another tool opened, and on a record that other tools follow it."""
    shared = sessions.shared(request, caller_of(request).reference)
    match = request.resolver_match
    patient = str(match.kwargs.get("patient", "")) if match else ""
    found = _elsewhere(request, shared, patient)
    if shared.tools:
        inside = bool(patient) and match is not None and match.namespace in tabs()
        found.append(_followed(request, inside=inside))
    return found


def _elsewhere(request: HttpRequest, shared: Shared, patient: str) -> list[Announcement]:
    event = shared.elsewhere
    known = event is None or event.num == request.session.get(SET_ASIDE)
    if event is None or known or request.session.get(PAUSED):
        return []
    if event.patient in (patient, request.session.get(OPEN)):
        return []
    try:
        name = _name(request, event)
    except HygieError:
        return []
    text = _("Un autre outil a ouvert le dossier de %(name)s.") % {"name": name}
    there = reverse(next(iter(tabs().values())), kwargs={"patient": event.patient})
    return [Announcement(text, (_("Y aller"), there), (_("Rester ici"), _to("stay")))]


def _name(request: HttpRequest, event: Event) -> str:
    """Return whose record it is, as who is signed in may read it."""
    stored = ask(repository().read(caller_of(request), "Patient", event.patient))
    person = person_of(event.patient, msgspec.json.decode(stored.body or b"{}"))
    return f"{person.given} {person.family}".strip()


def _followed(request: HttpRequest, *, inside: bool) -> Announcement:
    paused = bool(request.session.get(PAUSED))
    if paused:
        text = _("Vos autres outils s’ouvrent sur vos dossiers ; ces pages ne les suivent pas.")
    elif inside:
        text = _("Ce dossier s’ouvre aussi dans vos autres outils.")
    else:
        text = _("Vos autres outils s’ouvrent sur les dossiers que vous ouvrez ici.")
    return Announcement(
        text,
        (_("Réglages du suivi"), _to("show")),
        (_("Le fermer partout"), _to("close")) if inside else None,
        script="" if paused else SCRIPT,
    )


def _to(name: str) -> str:
    return reverse(f"{PORTAL}:context:{name}")


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Show which tools follow, with the switch."""
    shared = sessions.shared(request, caller_of(request).reference)
    paused = bool(request.session.get(PAUSED))
    return render(request, "context/show.html", {"tools": shared.tools, "paused": paused})


@require_POST
def pause(request: HttpRequest) -> HttpResponse:
    """Stop saying what other tools open."""
    request.session[PAUSED] = True
    return redirect("professional:context:show")


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Say again what other tools open."""
    request.session.pop(PAUSED, None)
    return redirect("professional:context:show")


@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Set aside what another tool opened."""
    event = sessions.shared(request, caller_of(request).reference).elsewhere
    if event is not None:
        request.session[SET_ASIDE] = event.num
    return redirect(_back(request))


@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """Close the record that these pages opened, in every tool."""
    patient = request.session.pop(OPEN, "")
    if patient:
        sessions.close_patient(request, caller_of(request).reference, str(patient))
    return redirect("start")


@require_safe
def bar(request: HttpRequest) -> HttpResponse:
    """Return what another tool opened, for a page that heard of it."""
    shared = sessions.shared(request, caller_of(request).reference)
    found = _elsewhere(request, shared, request.GET.get("patient", ""))
    return render(request, "context/bar.html", {"announced": found})


@require_POST
def listen(request: HttpRequest) -> HttpResponse:
    """Return where this page hears that another tool opened something."""
    if request.session.get(PAUSED):
        return HttpResponse(status=204)
    path = sessions.follow(request, caller_of(request).reference)
    return JsonResponse({"path": path}) if path else HttpResponse(status=204)


def _back(request: HttpRequest) -> str:
    """Return the page a form was on, when it is one of ours."""
    came = request.headers.get("referer", "")
    host = {request.get_host()}
    secure = request.is_secure()
    ours = url_has_allowed_host_and_scheme(came, allowed_hosts=host, require_https=secure)
    return came if ours else reverse("start")
