"""What everybody may read without an account: the information notice and the outbound flows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from hygie.domains.rights.model.measures import switched_on
from hygie.domains.rights.model.register import activities
from hygie.domains.rights.model.retention import table
from hygie.domains.rights.pages.reading import language, now
from hygie.domains.rights.service.controllers import notices
from hygie.kernel.web.bridge import ask, platform, repository


def privacy(request: HttpRequest) -> HttpResponse:
    """Show the information notice (GDPR, articles 13 and 14)."""
    say, at = language(), now().date()
    periods = table()
    rows = []
    for one in activities().holding(at).values():
        period = periods.row(one.retention, at=at)
        rows.append(
            {
                "purpose": one.purpose[say],
                "basis": one.basis[say],
                "categories": one.categories[say],
                "recipients": one.recipients[say],
                "years": period.value.years,
                "text": period.value.basis_fr if say == "fr" else period.value.basis_en,
                "confirmed": period.validity.confirmed,
            }
        )
    told = ask(notices(repository()))
    return render(request, "rights/privacy.html", {"activities": rows, "notices": told})


def connections(request: HttpRequest) -> HttpResponse:
    """List every connection Hygie can make to another machine, and whether it is on."""
    say = language()
    rows = [
        {
            "recipient": one.recipient[say],
            "country": one.country,
            "data": one.data[say],
            "basis": one.basis[say],
            "switch": one.switch[say],
            "on": on,
        }
        for one, on in switched_on(platform().settings, at=now().date())
    ]
    return render(request, "rights/connections.html", {"flows": rows})


urlpatterns = [
    path("privacy/", privacy, name="privacy"),
    path("privacy/connections/", connections, name="connections"),
]
