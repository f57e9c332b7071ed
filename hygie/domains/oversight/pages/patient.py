"""Report an access as abnormal: one page, one text, and what happens next."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from hygie.domains.oversight.fhir import name_of
from hygie.domains.oversight.model.states import DECIDED
from hygie.domains.oversight.pages.words import OTHER, SEVERAL, STATES, TYPES, too_short
from hygie.domains.oversight.service import reporting
from hygie.kernel.errors import InvalidRequest, NotFound
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of


def report(request: HttpRequest, event: str, patient: str = "") -> HttpResponse:
    """Show the access, and report it.

    ``patient`` only says in whose record the link stood: the log knows whose access it was.
    """
    if request.method != "POST":
        return _page(request, event, patient)
    words = request.POST.get("words", "")
    try:
        ask(
            reporting.report_access(
                repository(), caller_of(request), event, words=words, at=timezone.now()
            )
        )
    except InvalidRequest:
        return _page(request, event, patient, error=too_short())
    return redirect(request.path)


def _page(request: HttpRequest, event: str, patient: str, *, error: str = "") -> HttpResponse:
    access = ask(reporting.read_access(repository(), caller_of(request), event))
    context = {
        "access": access,
        "who": _name(request, access.agent),
        "kind": TYPES.get(access.type, OTHER) if access.type else SEVERAL,
        "state": STATES[access.state] if access.state is not None else "",
        "decided": access.state in DECIDED,
        "patient": patient,
        "error": error,
        "kept": request.POST.get("words", ""),
    }
    return render(request, "oversight/report.html", context, status=400 if error else 200)


def _name(request: HttpRequest, agent: str) -> str:
    rt, _, rid = agent.partition("/")
    if rt != "Practitioner" or not rid:
        return agent
    try:
        stored = ask(repository().read(caller_of(request), rt, rid))
    except NotFound:
        return agent
    return name_of(msgspec.json.decode(stored.body or b"{}"))


app_name = "oversight"
urlpatterns = [
    path("report/<str:event>/", report, name="report"),
    path("report/<str:patient>/<str:event>/", report, name="report"),
]
