"""Open an application on the record that is open: the professional's tab, and their pairings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_protect

from hygie.domains.authorization.model.apps import origins_of
from hygie.domains.authorization.pages import catalogue
from hygie.domains.authorization.pages.authorize import Away
from hygie.domains.authorization.pages.reading import account, language
from hygie.domains.authorization.service.launching import launch, launchable
from hygie.kernel.platform import Launching

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@csrf_protect
def open_app(request: HttpRequest, patient: str) -> HttpResponse:
    """Show the applications for this record; open the one that is chosen."""
    if request.method == "POST":
        wanted = Launching(
            request.POST.get("client", ""), patient, request.POST.get("encounter", "")
        )
        return Away(launch(request, wanted))
    apps = launchable(account(request))
    shown = [(one, one.purpose_fr if language() == "fr" else one.purpose_en) for one in apps]
    context = {"apps": shown, "patient": patient}
    response = render(request, "authorization/launch.html", context)
    places = origins_of([one.launch_uri for one in apps])
    response._csp_update = {"form-action": places}  # type: ignore[attr-defined]  # noqa: SLF001  django-csp reads it
    return response


app_name = "authorization"
urlpatterns = [
    *catalogue.urlpatterns,
    path("record/<str:patient>/", open_app, name="launch"),
]
