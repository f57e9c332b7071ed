"""The home of the professional portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from hygie.kernel.web.frame import menu


def home(request: HttpRequest) -> HttpResponse:
    """Lead straight to the first page of the menu: a professional has no time for a welcome."""
    entries = menu(request, "professional")
    if entries:
        return redirect(entries[0].url)
    return render(request, "professional/home.html")


app_name = "home"
urlpatterns = [path("", home, name="home")]
