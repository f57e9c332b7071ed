"""The list and the search of a professional's patients."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from hygie.domains.identity import service
from hygie.kernel.web.bridge import ask, repository
from hygie.kernel.web.caller import caller_of
from hygie.kernel.web.frame import tabs


def patients(request: HttpRequest) -> HttpResponse:
    """List the patients found; each leads to the first page that a domain offers about them."""
    text = request.GET.get("q", "").strip()
    found = ask(service.find_mine(repository(), caller_of(request), text))
    rows = []
    for person in found:
        links = tabs(request, "professional", person.reference.partition("/")[2])
        rows.append((person, links[0].url if links else ""))
    return render(request, "identity/patients.html", {"q": text, "rows": rows})


app_name = "identity"
urlpatterns = [path("", patients, name="patients")]
