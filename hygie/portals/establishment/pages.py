"""The home of the establishment portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from hygie.kernel.web.frame import menu


def home(request: HttpRequest) -> HttpResponse:
    """Greet, and show where to go."""
    entries = [one for one in menu(request, "establishment") if not one.current]
    return render(request, "establishment/home.html", {"entries": entries})


app_name = "home"
urlpatterns = [path("", home, name="home")]
