"""The home of the patient portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from hygie.kernel.web.acting import acting_of, while_acting
from hygie.kernel.web.caller import account_of
from hygie.kernel.web.frame import announcements, menu, tabs


@while_acting
def home(request: HttpRequest) -> HttpResponse:
    """Greet, and show where to go: the pages about oneself, or about whom one acts for, first."""
    if acting := acting_of(request):
        entries = tabs(request, "patient", acting.patient)
        return render(request, "patient/home.html", {"entries": entries, "acting": acting})
    account = account_of(request)
    rt, _, rid = (account.fhir_reference if account else "").partition("/")
    entries = tabs(request, "patient", rid) if rt == "Patient" else []
    entries += [one for one in menu(request, "patient") if not one.current and not entries]
    told = announcements(request, "patient", "home")
    return render(request, "patient/home.html", {"entries": entries, "told": told})


app_name = "home"
urlpatterns = [path("", home, name="home")]
