"""The addresses of helping in the establishment portal."""

from __future__ import annotations

from django.urls import path

from hygie.domains.helping.pages import desk, measures

app_name = "helping"
urlpatterns = [
    path("", desk.start, name="desk"),
    path("<int:number>/", desk.paper, name="paper"),
    path("measures/", measures.listing, name="measures"),
    path("measures/enter/", measures.enter, name="enter"),
    path("measures/<int:number>/", measures.show, name="measure"),
]
